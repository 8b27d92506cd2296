import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CircuitRecords } from '../../../src/pull/circuit-records.ts';
import {
  type Attempts,
  backoffMs,
  FRESH,
  failed,
  fruitlessAfter,
  fruitlessPauseMs,
  OPEN_AFTER_FAILURES,
  OPEN_AFTER_MS,
  trial,
  waitAfterMs,
} from '../../../src/pull/schedule.ts';

const nothing = { brought: false };

test('an idle peer is heard at once when it speaks: empty turns at their time do not count', () => {
  let fruitless = 0;
  for (let i = 0; i < 1_000; i++) fruitless = fruitlessAfter(fruitless, { ...nothing, wokenEarly: false });
  assert.equal(fruitlessPauseMs(fruitless), 0);
});

test('a peer that wakes us for nothing is asked ever more seldom, until it brings something', () => {
  let fruitless = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    pauses.push(fruitlessPauseMs(fruitless));
    fruitless = fruitlessAfter(fruitless, { ...nothing, wokenEarly: true });
  }
  assert.deepEqual(pauses, [0, 0, 0, 0, 50, 100, 200, 400, 800, 1_600]);
  assert.equal(fruitlessAfter(fruitless, { brought: true, wokenEarly: true }), 0);
});

/** As a session does it: a turn begins, and comes to nothing. */
const failTurns = (turns: number, from: Attempts = FRESH, isTheirs = true, everyMs = 2_000): Attempts =>
  Array.from({ length: turns }, (_, turn) => turn * everyMs).reduce<Attempts>(
    (attempts, nowMs) => failed(trial(attempts), isTheirs, nowMs),
    from,
  );

test('the circuit opens after so many failures in a row, and one trial decides', () => {
  assert.equal(failTurns(OPEN_AFTER_FAILURES - 1).circuit, 'closed');
  const open = failTurns(OPEN_AFTER_FAILURES);
  assert.deepEqual(open, { failures: OPEN_AFTER_FAILURES, sinceMs: 0, circuit: 'open' });
  const half = trial(open);
  assert.equal(half.circuit, 'half_open');
  const again = failed(half, true, 9_000);
  assert.equal(again.circuit, 'open');
  assert.ok(backoffMs(again.failures, 0.5) > backoffMs(open.failures, 0.5), 'a trial that failed is waited for longer');
});

test('failures of a moment open no circuit: who meets us before it knows us wakes us at each of its tries', () => {
  const quick = failTurns(40, FRESH, true, 100);
  assert.deepEqual([quick.failures, quick.circuit], [40, 'closed']);
  assert.equal(failed(quick, true, OPEN_AFTER_MS).circuit, 'open', 'one that goes on does');
  assert.equal(failed(quick, true, -1).circuit, 'open', 'and a clock that was put back keeps none closed');
});

test('a peer that answers after a long absence, and asks to come again, is asked again soon', () => {
  const failures = 14;
  const away = waitAfterMs(failures, 0, null, 0.5);
  assert.equal(away, 900_000);
  assert.deepEqual(
    [1, 2, 3, 4].map((putOffs) => waitAfterMs(failures + putOffs, putOffs, 2_000, 0.5)),
    [2_000, 2_000, 4_000, 8_000],
  );
  assert.equal(waitAfterMs(20, 20, 2_000, 0.5), 900_000, 'one that does so for ever, ever more seldom');
  assert.equal(waitAfterMs(1, 1, Number.MAX_SAFE_INTEGER, 0.5), 900_000);
});

test('what fails here opens no circuit', () => {
  const attempts = failTurns(20, FRESH, false);
  assert.deepEqual(attempts, { failures: 20, sinceMs: 0, circuit: 'closed' });
  assert.deepEqual(
    failed(trial(failTurns(OPEN_AFTER_FAILURES)), false, 9_000).circuit,
    'open',
    'nor does it close one',
  );
});

test('a circuit that flaps costs one record in ten minutes, and the last state is told', () => {
  const records = new CircuitRecords();
  const [open, half] = [failTurns(OPEN_AFTER_FAILURES), trial(failTurns(OPEN_AFTER_FAILURES))];
  const events: string[] = [];
  const note = (attempts: Attempts, nowMs: number): void => {
    const record = records.note(attempts, 'down', nowMs);
    if (record !== null) events.push(`${nowMs} ${record.event} ${record.detail?.['changes']}`);
  };
  note(FRESH, 0);
  note(open, 1_000);
  note(half, 2_000);
  for (let nowMs = 3_000; nowMs < 600_000; nowMs += 1_000) note(nowMs % 2_000 === 0 ? open : FRESH, nowMs);
  assert.deepEqual(events, ['1000 peer_circuit_opened 1']);
  note(FRESH, 601_000);
  note(FRESH, 1_300_000);
  assert.deepEqual(events.slice(1), ['601000 peer_circuit_closed 597']);
  const aheadMs = 365 * 86_400_000;
  note(open, aheadMs);
  note(FRESH, 2_000_000);
  assert.deepEqual(events.slice(2), [`${aheadMs} peer_circuit_opened 1`, '2000000 peer_circuit_closed 1']);
});
