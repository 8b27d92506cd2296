import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RefusedBudget } from '../../../src/pull/refused-budget.ts';

const MOST = { entries: 1_000, pages: 64 };
const PER_SECOND = 50;
/** Any day; it is not zero. */
const START = 1_767_225_600_000;

test('a peer of which nothing is refused is asked for all there is, without a pause', () => {
  const budget = new RefusedBudget(PER_SECOND);
  for (let at = START; at < START + 60_000; at += 1_000) {
    assert.deepEqual([budget.ask(MOST, at), budget.pauseMs(at)], [MOST, 0]);
    budget.spend(0, at);
  }
});

test('a few refused facts make pages smaller for a while', () => {
  const budget = new RefusedBudget(PER_SECOND);
  budget.spend(100, START);
  assert.deepEqual([budget.ask(MOST, START), budget.pauseMs(START)], [{ entries: 900, pages: 1 }, 0]);
  assert.deepEqual(budget.ask(MOST, START + 2_000), MOST);
  assert.deepEqual(budget.ask({ entries: 5, pages: 64 }, START), { entries: 5, pages: 64 });
});

test('a flood is paid for before it goes on, in small pages', () => {
  const budget = new RefusedBudget(PER_SECOND);
  budget.spend(1_000, START);
  const pause = budget.pauseMs(START);
  assert.equal(pause, 640);
  assert.deepEqual([budget.ask(MOST, START + pause), budget.pauseMs(START + pause)], [{ entries: 32, pages: 1 }, 0]);
  // A page that was under way is paid for too.
  budget.spend(1_032, START + pause);
  assert.equal(budget.pauseMs(START + pause), 20_640);
});

test('whatever it sends and however the clock jumps, no more is judged than the rate allows', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: -1e12, max: 20_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const budget = new RefusedBudget(PER_SECOND);
      let at = START;
      let gainedMs = 0;
      let refused = 0;
      for (const { waitMs, share } of all) {
        const pause = budget.pauseMs(at);
        at += pause + waitMs;
        gainedMs += Math.max(0, pause + waitMs);
        if (budget.pauseMs(at) > 0) continue;
        const { entries } = budget.ask(MOST, at);
        const lies = Math.floor(entries * share);
        budget.spend(lies, at);
        refused += lies;
      }
      assert.ok(refused <= 1_000 + (gainedMs * PER_SECOND) / 1_000 + 1, `${refused} in ${gainedMs} ms`);
    }),
  );
});
