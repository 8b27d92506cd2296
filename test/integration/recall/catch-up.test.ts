/** What follows from the journal is filled between the calls of its thread, over a real journal and a virtual clock. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Journal } from '../../../src/journal/journal.ts';
import { Projector } from '../../../src/projections/projector.ts';
import { RecallIndex } from '../../../src/projections/recall-index.ts';
import { CatchUp, type Follower, type StepClock } from '../../../src/threads/catch-up.ts';
import { appendOwn, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

/** Each look at it costs time, so that a step that asks has an end; timers run when time is let pass. */
class VirtualClock implements StepClock {
  now = 0;
  lookCosts = 0;
  #due: { readonly at: number; readonly run: () => void } | null = null;

  nowMs(): number {
    this.now += this.lookCosts;
    return this.now;
  }

  after(delayMs: number, run: () => void): () => void {
    const due = { at: this.now + Math.max(1, delayMs), run };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = null;
    };
  }

  get isArmed(): boolean {
    return this.#due !== null;
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (let due = this.#due; due !== null && due.at <= end; due = this.#due) {
      this.now = Math.max(this.now, due.at);
      this.#due = null;
      due.run();
    }
    this.now = Math.max(this.now, end);
  }
}

interface Rig {
  readonly journal: Journal;
  readonly clock: VirtualClock;
  readonly words: RecallIndex;
  readonly lookups: Projector;
  readonly catchUp: CatchUp;
  readonly faults: unknown[];
}

function rig(t: TestContext): Rig {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const clock = new VirtualClock();
  const words = new RecallIndex(journal.db);
  const lookups = new Projector(journal.db);
  const faults: unknown[] = [];
  const parts = { size: () => journal.size, lookups, words, clock, onFault: (error: unknown) => faults.push(error) };
  return { journal, clock, words, lookups, catchUp: new CatchUp(parts), faults };
}

test('look-ups follow in the next pause, words when the thread is idle', (t) => {
  const { journal, clock, words, lookups, catchUp } = rig(t);
  appendOwn(journal, 40);
  catchUp.called();
  clock.pass(9);
  assert.deepEqual([lookups.lag(journal.size), words.lag(journal.size)], [40, 40]);
  clock.pass(2);
  assert.deepEqual([lookups.lag(journal.size), words.lag(journal.size)], [0, 40]);
  // A call, whatever it is, begins a new pause.
  catchUp.called();
  clock.pass(99);
  assert.equal(words.lag(journal.size), 40);
  clock.pass(2);
  assert.equal(words.lag(journal.size), 0);
  assert.equal(clock.isArmed, false);
});

test('a step of words ends when its time is over, and the next call comes before the next step', (t) => {
  const { journal, clock, words, catchUp } = rig(t);
  appendOwn(journal, 400);
  catchUp.called();
  clock.pass(12);
  clock.lookCosts = 1;
  clock.pass(100);
  const { position } = words;
  assert.ok(position > 0 && position <= 200, `one step took ${position}`);
  catchUp.called();
  clock.lookCosts = 0;
  clock.pass(50);
  assert.equal(words.position, position);
  clock.pass(60);
  assert.equal(words.position, 400);
});

/** Has as many entries to take as it is told; each step takes `stepMs` of the clock. */
class Counted implements Follower {
  readonly #clock: VirtualClock;
  readonly #stepMs: number;
  behind: number;
  busyMs = 0;

  constructor(clock: VirtualClock, behind: number, stepMs: number) {
    this.#clock = clock;
    this.behind = behind;
    this.#stepMs = stepMs;
  }

  lag(): number {
    return this.behind;
  }

  advance(): number {
    this.#clock.now += this.#stepMs;
    this.busyMs += this.#stepMs;
    this.behind -= Math.min(this.behind, 500);
    return 500;
  }
}

function counted(behind: number): { clock: VirtualClock; words: Counted; catchUp: CatchUp } {
  const clock = new VirtualClock();
  const words = new Counted(clock, behind, 10);
  const lookups = new Counted(clock, 0, 0);
  const onFault = (error: unknown): void => assert.fail(String(error));
  return { clock, words, catchUp: new CatchUp({ size: () => 0, lookups, words, clock, onFault }) };
}

/** Calls of `busyMs` each, `pauseMs` apart, for ten seconds. */
function load({ clock, catchUp }: ReturnType<typeof counted>, busyMs: number, pauseMs: number): void {
  for (const end = clock.now + 10_000; clock.now < end; ) {
    clock.now += busyMs;
    catchUp.called();
    clock.pass(pauseMs);
  }
}

test('under constant load words take one step a second, and a fifth of the time when very many are behind', () => {
  const waiting = counted(100_000);
  load(waiting, 40, 5);
  assert.ok(waiting.words.busyMs > 0 && waiting.words.busyMs <= 100, `${waiting.words.busyMs} ms of 10,000`);

  const far = counted(1_000_000);
  load(far, 40, 5);
  const share = far.words.busyMs / far.clock.now;
  assert.ok(share > 0.1 && share <= 0.2, `${share}`);
});

test('with short pauses words that recall would not take in itself are taken in, a fifth of the time; few wait a second', () => {
  const many = counted(99_000);
  load(many, 5, 20);
  const share = many.words.busyMs / many.clock.now;
  assert.ok(share > 0.1 && share <= 0.2, `${share}`);
  const few = counted(400);
  const calledAt = few.clock.now;
  while (few.words.behind > 0) {
    few.catchUp.called();
    few.clock.pass(15);
    assert.ok(few.clock.now - calledAt <= 1_030, 'calls that never pause keep words from being found');
  }
  assert.ok(few.clock.now - calledAt >= 1_000);
});

test('look-ups wait no longer than a second for calls that follow one another at once', (t) => {
  const { journal, clock, lookups, catchUp } = rig(t);
  appendOwn(journal, 40);
  for (let call = 0; call < 240; call++) {
    catchUp.called();
    clock.pass(4);
  }
  assert.equal(lookups.lag(journal.size), 40);
  for (let call = 0; call < 20; call++) {
    catchUp.called();
    clock.pass(4);
  }
  assert.equal(lookups.lag(journal.size), 0);
});

test('recall takes in some thousands itself, and says how many it did not', (t) => {
  const { journal, catchUp } = rig(t);
  appendOwn(journal, 1_500);
  assert.equal(catchUp.settleWords(), 0);
  appendOwn(journal, 2_100);
  assert.equal(catchUp.settleWords(), 2_100);
});

test('a full disk ends nothing: it is told once, tried again after a while, and told when it goes through', (t) => {
  const { journal, clock, words, lookups, catchUp, faults } = rig(t);
  appendOwn(journal, 3_000);
  const pages = Number(journal.db.pragma('page_count', { simple: true }));
  journal.db.pragma(`max_page_count = ${pages}`);
  catchUp.called();
  clock.pass(20_000);
  assert.deepEqual(
    faults.map((error) => (error as { code?: string }).code),
    ['SQLITE_FULL'],
  );
  assert.equal(lookups.lag(journal.size), 3_000);
  catchUp.settleWords();
  assert.equal(clock.isArmed, true);

  journal.db.pragma(`max_page_count = ${pages * 10}`);
  clock.pass(6_000);
  assert.equal(faults.length, 2);
  assert.equal(faults[1], null);
  assert.deepEqual([lookups.lag(journal.size), words.lag(journal.size)], [0, 0]);
  assert.equal(journal.db.pragma('synchronous', { simple: true }), 2);
});

test('a fault is mended while calls never pause', (t) => {
  const { journal, clock, words, catchUp, faults } = rig(t);
  appendOwn(journal, 100);
  journal.db.exec(
    "CREATE TEMP TRIGGER fail BEFORE INSERT ON state WHEN new.name = 'recalled' BEGIN SELECT RAISE(ABORT, 'disk'); END",
  );
  const poll = (ms: number): void => {
    for (const end = clock.now + ms; clock.now < end; clock.pass(15)) catchUp.called();
  };
  poll(2_000);
  assert.equal(faults.length, 1);
  journal.db.exec('DROP TRIGGER fail');
  poll(6_000);
  assert.deepEqual([faults.length, faults[1], words.lag(journal.size)], [2, null, 0]);
});

test('words that cannot be filled hold up neither look-ups nor recall', (t) => {
  const { journal, clock, words, lookups, catchUp, faults } = rig(t);
  appendOwn(journal, 100);
  journal.db.exec(
    "CREATE TEMP TRIGGER fail BEFORE INSERT ON state WHEN new.name = 'recalled' BEGIN SELECT RAISE(ABORT, 'disk'); END",
  );
  assert.equal(catchUp.settleWords(), 100);
  for (let i = 0; i < 5; i++) {
    appendOwn(journal, 10);
    catchUp.called();
    clock.pass(5_200);
    assert.deepEqual([lookups.lag(journal.size), words.position], [0, 0]);
  }
  assert.equal(faults.length, 1);
});
