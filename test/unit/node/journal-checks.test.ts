/** When the node checks what it has stored by itself: by the age of the newest clean check, not at once, and one at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoMicros } from '../../../src/core/time.ts';
import type { AuditFilter, AuditInput, AuditPage, AuditRecord } from '../../../src/journal/read-model.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { JournalChecks } from '../../../src/node/journal-checks.ts';
import type { WaitingCheck } from '../../../src/node/left-checks.ts';
import { CHECK_REPORT } from '../../../src/wire/check-report.ts';
import { signDocument } from '../../../src/wire/signed-document.ts';
import { fsckReport } from '../../support/cli-fixture.ts';
import { until } from '../../support/until.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const WEEK = 168 * HOUR;
const BEGAN = Date.parse('2027-01-01T00:00:00Z');
const ORIGIN = 'acme.example/journal';
const PRESENT = createLogSigner(ORIGIN, Buffer.alloc(32, 1));
const FORMER = createLogSigner(ORIGIN, Buffer.alloc(32, 2));

function note(signer: LogSigner, problems: number, { endedMs = BEGAN, size = 5 } = {}): string {
  const at = isoMicros(endedMs * 1_000);
  const tree = { size, root: `root ${size}` };
  const told = { first_problems: [], notices: [], duration_ms: 1, rows: 9, by: 'account ann' };
  return signDocument(
    CHECK_REPORT,
    { ...told, started_at: at, ended_at: at, problems, journal: tree, audit: tree, v: 1 },
    signer,
  );
}

/** A log that outlives its checks, and a clock that is moved by hand. */
class Stage {
  readonly records: AuditInput[] = [];
  readonly errors: unknown[] = [];
  nowMs = BEGAN;
  runs = 0;
  problems = 0;
  isReady = true;
  unreadable: Error | null = null;
  size = 5;
  waiting: readonly WaitingCheck[] = [];
  readonly refused: string[] = [];
  fails: Error | null = null;
  #timer: (() => void) | null = null;
  #hold: PromiseWithResolvers<void> | null = null;

  checks(everyMs: number | null = WEEK): JournalChecks {
    return new JournalChecks({
      everyMs,
      createdMs: BEGAN,
      fsck: async ({ onProgress, signal }) => {
        this.runs++;
        onProgress({ phase: 'entries', done: 3, total: 9 });
        const aborted = new Promise((_, reject: (reason: unknown) => void) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
        await Promise.race([this.#hold?.promise, ...(this.#hold === null ? [] : [aborted])]);
        if (this.fails !== null) throw this.fails;
        return fsckReport({}, this.problems);
      },
      audit: async (input) => this.records.push(input),
      auditPage: async (filter) => this.#page(filter),
      rootAt: (_log, size) => {
        if (this.unreadable !== null) throw this.unreadable;
        return `root ${size}`;
      },
      sizeAt: () => this.size,
      origin: ORIGIN,
      logKeys: [
        { key: PRESENT.publicKey, untilMs: null },
        { key: FORMER.publicKey, untilMs: BEGAN + HOUR },
      ],
      waiting: () => this.waiting,
      remove: ({ file }) => {
        this.waiting = this.waiting.filter((one) => one.file !== file);
      },
      isReady: () => this.isReady,
      onEnded: () => undefined,
      onError: (error) => void this.errors.push(error),
      onRefused: (file, why) => void this.refused.push(`${file}: ${why}`),
      clock: {
        nowMs: () => this.nowMs,
        after: (_delayMs, run) => {
          this.#timer = run;
          return () => {
            this.#timer = null;
          };
        },
      },
    });
  }

  /** Lets time go by, with one look at its end, and waits for what it has begun. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    this.#timer?.();
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  hold(): () => void {
    this.#hold = Promise.withResolvers();
    return () => {
      this.#hold?.resolve();
      this.#hold = null;
    };
  }

  #page({ event }: AuditFilter): AuditPage {
    const all = this.records.map((input, i) => ({ ...input, seq: i + 1, at: '', actor: input.actor ?? null }));
    const records = all.filter((record) => record.event === event).toReversed() as unknown as AuditRecord[];
    return { records: records.slice(0, 1), cursor: null, hasMore: false };
  }
}

test('it checks when the newest clean check is old enough, not right after its start, and reads that back from the log', async () => {
  const stage = new Stage();
  let checks = stage.checks();
  checks.begin();
  await stage.pass(9 * MINUTE);
  await stage.pass(WEEK - 10 * MINUTE);
  assert.equal(stage.runs, 0, 'the journal is not that old');
  await stage.pass(MINUTE);
  assert.deepEqual([stage.runs, stage.records[0]?.event], [1, 'journal_checked']);
  await checks.close();

  checks = stage.checks();
  checks.begin();
  await stage.pass(WEEK - MINUTE);
  assert.equal(stage.runs, 1, 'what is on record counts over a restart');
  stage.isReady = false;
  await stage.pass(2 * MINUTE);
  assert.equal(stage.runs, 1, 'nothing could be recorded');
  stage.isReady = true;
  await stage.pass(MINUTE);
  assert.equal(stage.runs, 2);
  await checks.close();

  checks = stage.checks();
  checks.begin();
  await stage.pass(2 * WEEK);
  await checks.close();
  checks = stage.checks();
  checks.begin();
  await stage.pass(9 * MINUTE);
  assert.equal(stage.runs, 3, 'a node that starts again and again does not only check');
  await checks.close();
});

test('a clean check that a wrong clock has dated ahead puts off none, in the process that made it and in the next', async () => {
  const stage = new Stage();
  const ahead = stage.checks();
  ahead.begin();
  await stage.pass(52 * WEEK);
  assert.equal(stage.runs, 1);
  stage.nowMs -= 50 * WEEK;
  await stage.pass(MINUTE);
  await stage.pass(MINUTE);
  assert.equal(stage.runs, 2, 'once');
  await ahead.close();

  stage.records.pop();
  const next = stage.checks();
  next.begin();
  await stage.pass(10 * MINUTE);
  await stage.pass(MINUTE);
  assert.equal(stage.runs, 3);
  assert.equal((await next.state()).ageMs, MINUTE);
  await next.close();
});

test('without a schedule it runs none; damage is recorded once in a period; what fails is tried an hour later', async () => {
  const none = new Stage();
  const byHand = none.checks(null);
  byHand.begin();
  await none.pass(10 * WEEK);
  assert.deepEqual([none.runs, byHand.everyHours], [0, null]);
  await byHand.close();

  const stage = new Stage();
  const checks = stage.checks();
  checks.begin();
  stage.problems = 2;
  await stage.pass(WEEK);
  for (let i = 0; i < 5; i++) await stage.pass(MINUTE);
  assert.deepEqual(
    stage.records.map(({ event, detail }) => [event, detail?.['first_problems']]),
    [['journal_check_failed', ['t c']]],
  );
  assert.deepEqual(await checks.state(), { ageMs: WEEK + 5 * MINUTE, problems: 2 });
  stage.fails = new Error('the disk is gone');
  await stage.pass(WEEK);
  await stage.pass(30 * MINUTE);
  assert.deepEqual([stage.runs, checks.lastError(), stage.errors.length], [2, 'the disk is gone', 1]);
  stage.fails = null;
  stage.problems = 0;
  await stage.pass(31 * MINUTE);
  assert.deepEqual([stage.runs, checks.lastError(), (await checks.state()).problems], [3, null, 0]);
  await checks.close();
});

test('one goes on at a time, tells how far it is, and can be ended; who ended it is recorded then, and nothing else', async () => {
  const stage = new Stage();
  const checks = stage.checks();
  stage.hold();
  assert.equal(await checks.stop('agent:eve#2'), false);
  assert.equal(checks.start('agent:root#1'), 'started');
  assert.equal(checks.start('agent:root#1'), 'runs_already');
  const began = isoMicros(BEGAN * 1_000);
  const view = { cause: 'by_hand', by: 'agent:root#1', started_at: began, phase: 'entries', done: 3, total: 9 };
  assert.deepEqual(checks.running(), view);
  const [stopped, again] = [checks.stop('agent:eve#2'), checks.stop('agent:eve#2')];
  assert.deepEqual([await stopped, await again], [true, false]);
  await until('it has ended', () => checks.running() === null);
  const trace = [{ event: 'journal_check_stopped', actor: 'agent:eve#2', detail: view }];
  assert.deepEqual([stage.records.splice(0), stage.errors, checks.lastError()], [trace, [], 'stopped by agent:eve#2']);
  const release = stage.hold();
  assert.equal(checks.start('agent:root#1'), 'started');
  release();
  await until('it has ended', () => checks.running() === null);
  assert.deepEqual([stage.records[0]?.actor, stage.records[0]?.detail?.['cause']], ['agent:root#1', 'by_hand']);
  assert.equal(checks.lastError(), null);
  stage.hold();
  checks.start('agent:root#1');
  await checks.close();
  assert.equal(stage.records.length, 1, 'that the node stops is on record otherwise');
  assert.equal(checks.start('agent:root#1'), 'runs_already', 'a node that stops begins nothing');
});

test('damage of a file that cannot be read is recorded; what cannot be taken is told once, and holds up nothing', async () => {
  const stage = new Stage();
  const checks = stage.checks();
  stage.unreadable = new Error('file is not a database');
  assert.equal(await checks.record(note(PRESENT, 3), 'agent:root#1'), 1);
  stage.waiting = [
    { file: 'clean', note: note(PRESENT, 0) },
    { file: 'damage', note: note(PRESENT, 4) },
  ];
  checks.begin();
  await stage.pass(0);
  await stage.pass(WEEK);
  const found = stage.records.map(({ event, detail }) => [event, detail?.['cause'], detail?.['problems']]);
  assert.deepEqual(found, [
    ['journal_check_failed', 'command_line', 3],
    ['journal_check_failed', 'command_line', 4],
    ['journal_checked', 'by_clock', 0],
  ]);
  assert.deepEqual([stage.waiting.map(({ file }) => file), stage.errors.length], [['clean'], 1]);
  stage.unreadable = null;
  await stage.pass(MINUTE);
  assert.deepEqual(stage.waiting, []);
  await checks.close();
});

test('a former key is good for what waited, up to its own end; a clean report of less than there was is none', async () => {
  const stage = new Stage();
  const checks = stage.checks();
  assert.equal(await checks.record(note(FORMER, 0), 'agent:root#1'), 'not_signed');
  assert.equal(await checks.record(note(PRESENT, 0, { size: 4 }), 'agent:root#1'), 'other_history');
  assert.equal(await checks.record(note(PRESENT, 0), 'agent:root#1'), 1);
  stage.nowMs += 2 * HOUR;
  stage.waiting = [
    { file: 'in time', note: note(FORMER, 0, { endedMs: BEGAN + HOUR }) },
    { file: 'too late', note: note(FORMER, 0, { endedMs: BEGAN + HOUR + 1 }) },
  ];
  checks.begin();
  await stage.pass(0);
  assert.deepEqual([stage.records.length, stage.refused, stage.errors], [2, ['too late: not_signed'], []]);
  await checks.close();
});
