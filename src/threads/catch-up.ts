/**
 * Fills what follows from the journal, between the calls of its thread. A call that comes waits for one step at most. A
 * failure (a full disk) ends nothing: it is told, and the step is tried again.
 */

/** A derived table that is filled in the journal's order. */
export interface Follower {
  /** Entries that it lacks. */
  lag(journalSize: number): number;
  /** Takes in one step of entries. @param isOver asked between entries: the step ends when it says so */
  advance(isOver?: () => boolean): number;
}

/** Monotonic time and timers; tests pass a virtual one. */
export interface StepClock {
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export interface CatchUpParts {
  readonly size: () => number;
  readonly lookups: Follower;
  readonly words: Follower;
  readonly clock: StepClock;
  /** What a step failed with, told once; null: one went through again. */
  readonly onFault: (error: unknown) => void;
}

/** Beyond this many entries look-ups take part in the appends' time instead of falling behind. */
const MAX_LOOKUP_LAG = 50_000;
/** Longer than the time between two pages. Until then readers find the newest rows by themselves. */
const PAUSE_MS = 10;
/** No call for so long: the pull or import is over, and the index of words has the thread for itself. */
const IDLE_MS = 100;
/** Of a step of the index: writing down what was taken in and joining older parts come on top, about as much again. */
const STEP_MS = 5;
/** What recall takes in by itself, some 20 ms. With more than this behind, the index does not wait for the thread to be idle. */
const MAX_SETTLED = 2_000;
/** One to two seconds of the index's work. With more than this behind, it does not wait for a pause either. */
const MAX_WORDS_LAG = 100_000;
/** Before the thread is idle, a step is followed by this many times its own length without one: a fifth of the time. */
const REST_PER_STEP = 4;
/** Who is behind for so long takes a step whatever is called: calls that never pause (a probe, a poll) must not keep a fact from being found. */
const MAX_WAIT_MS = 1_000;
const RETRY_MS = 5_000;

const NEVER = Number.POSITIVE_INFINITY;

export class CatchUp {
  readonly #parts: CatchUpParts;
  #calledAt: number;
  #restUntil = 0;
  #retryAt = 0;
  /** What could not be filled when it was last tried. */
  #faulty: Follower | null = null;
  /** Since when each waits for its next step. */
  readonly #waitsSince = new Map<Follower, number>();
  #cancel: () => void = () => {};

  constructor(parts: CatchUpParts) {
    this.#parts = parts;
    this.#calledAt = parts.clock.nowMs();
  }

  /** Behind each call of the thread. */
  called(): void {
    this.#calledAt = this.#parts.clock.nowMs();
    this.#turn();
  }

  /** Takes the newest entries into the index of words, unless there are very many. @returns entries that it lacks */
  settleWords(): number {
    const { words, size, clock } = this.#parts;
    const lag = words.lag(size());
    if (lag > 0 && lag <= MAX_SETTLED && clock.nowMs() >= this.#retryAt) this.#attempt(words, () => words.advance());
    return words.lag(size());
  }

  stop(): void {
    this.#cancel();
  }

  #turn(): void {
    this.#cancel();
    const { lookups, words } = this.#parts;
    if (this.#lookupsIn() === 0) this.#attempt(lookups, () => this.#stepLookups());
    else if (this.#wordsIn() === 0) this.#attempt(words, () => this.#stepWords());
    const dueIn = Math.min(this.#lookupsIn(), this.#wordsIn());
    if (dueIn !== NEVER) this.#cancel = this.#parts.clock.after(dueIn, () => this.#turn());
  }

  #stepLookups(): void {
    const { lookups, size } = this.#parts;
    do lookups.advance();
    while (lookups.lag(size()) > MAX_LOOKUP_LAG);
  }

  #stepWords(): void {
    const { words, clock } = this.#parts;
    const started = clock.nowMs();
    words.advance(() => clock.nowMs() - started >= STEP_MS);
    const ended = clock.nowMs();
    this.#restUntil = ended + (ended - started) * REST_PER_STEP;
  }

  /** Milliseconds until look-ups may take a step. */
  #lookupsIn(): number {
    const { lookups, size, clock } = this.#parts;
    const lag = lookups.lag(size());
    if (lag === 0) return NEVER;
    const now = clock.nowMs();
    const pause = lag > MAX_LOOKUP_LAG ? 0 : PAUSE_MS;
    const dueAt = Math.min(this.#calledAt + pause, this.#waitsUntil(lookups, now));
    return Math.max(0, dueAt - now, this.#retryAt - now);
  }

  /** Milliseconds until the index of words may take a step. */
  #wordsIn(): number {
    const { words, size, clock } = this.#parts;
    const lag = words.lag(size());
    if (lag === 0) return NEVER;
    const now = clock.nowMs();
    const idleAt = this.#calledAt + IDLE_MS;
    const pauseAt = this.#calledAt + (lag > MAX_WORDS_LAG ? 0 : PAUSE_MS);
    const workAt = lag <= MAX_SETTLED ? idleAt : Math.max(pauseAt, this.#restUntil);
    const dueAt = Math.min(idleAt, workAt, this.#waitsUntil(words, now));
    return Math.max(0, dueAt - now, this.#retryAt - now);
  }

  /** When a follower that is behind has waited long enough. */
  #waitsUntil(follower: Follower, now: number): number {
    const since = this.#waitsSince.get(follower) ?? now;
    this.#waitsSince.set(follower, since);
    return since + MAX_WAIT_MS;
  }

  #attempt(follower: Follower, step: () => void): void {
    const { clock, onFault } = this.#parts;
    this.#waitsSince.delete(follower);
    try {
      step();
      if (this.#faulty !== follower) return;
      this.#faulty = null;
      onFault(null);
    } catch (error) {
      this.#retryAt = clock.nowMs() + RETRY_MS;
      if (this.#faulty !== follower) onFault(error);
      this.#faulty = follower;
    }
  }
}

/** The machine's own clock. */
export const STEP_CLOCK: StepClock = {
  nowMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
