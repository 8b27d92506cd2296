/** When to ask a peer again. Pure: the clock and chance are arguments. */

const FIRST_BACKOFF_MS = 1_000;
/** A peer that comes back is noticed at once by its own contact; this only bounds how stale a silent one can be. */
const MAX_BACKOFF_MS = 900_000;
/** Failures in a row after which a peer is left alone until one trial goes through: half a minute of trying. */
export const OPEN_AFTER_FAILURES = 5;
/** Less than those take by themselves. A peer that we meet, before it knows us, wakes us at each of its own tries: five in a moment say nothing. */
export const OPEN_AFTER_MS = 5_000;

/** `open`: the peer is left alone until its time, or its call. `half_open`: one request to it is under way, which decides. */
export type Circuit = 'closed' | 'open' | 'half_open';

export interface Attempts {
  /** Failures since the last success. */
  readonly failures: number;
  /** Unix ms of the first of them; null: there is none. */
  readonly sinceMs: number | null;
  readonly circuit: Circuit;
}

export const FRESH: Attempts = { failures: 0, sinceMs: null, circuit: 'closed' };

/** Waiting time after the n-th failure in a row: doubled each time, up to a quarter of an hour, ±50 % by `chance` (0 ≤ x < 1). */
export function backoffMs(failures: number, chance: number): number {
  const whole = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 30));
  return Math.round(Math.min(MAX_BACKOFF_MS, whole * (0.5 + chance)));
}

/**
 * Waiting time after a turn that failed. A peer that answers, and asks to come again, is there: how long it was away before
 * says nothing any more, and only how often it has put us off counts. One that does so for ever is asked ever more seldom.
 *
 * @param putOffs answers in a row, this one included, by which it did; 0: this failure is another
 * @param askedMs what it asked for
 */
export function waitAfterMs(failures: number, putOffs: number, askedMs: number | null, chance: number): number {
  const whole = backoffMs(putOffs > 0 ? putOffs : failures, chance);
  return Math.min(MAX_BACKOFF_MS, Math.max(askedMs ?? 0, whole));
}

/**
 * @param isTheirs the peer could not be reached or broke a rule; a disk that is full here is waited for, and says nothing
 *                 about the peer. A single fact that is refused is no failure at all.
 */
export function failed({ failures, sinceMs, circuit }: Attempts, isTheirs: boolean, nowMs: number): Attempts {
  const now = { failures: failures + 1, sinceMs: sinceMs ?? nowMs };
  if (!isTheirs) return { ...now, circuit: circuit === 'half_open' ? 'open' : circuit };
  // Of a clock that was put back since, only the number counts.
  const isLong = nowMs < now.sinceMs || nowMs - now.sinceMs >= OPEN_AFTER_MS;
  const isOpen = (isLong && now.failures >= OPEN_AFTER_FAILURES) || circuit !== 'closed';
  return { ...now, circuit: isOpen ? 'open' : 'closed' };
}

/** A turn begins: of a peer whose circuit is open it is the one trial that decides. */
export function trial(attempts: Attempts): Attempts {
  return attempts.circuit === 'open' ? { ...attempts, circuit: 'half_open' } : attempts;
}

/**
 * Turns in a row that something woke early and that brought no entry, those that failed included: a peer that announces
 * what never comes, or connects only to hang up, would otherwise be asked without a pause. A turn at its appointed time
 * says nothing about that.
 */
export function fruitlessAfter(before: number, turn: { wokenEarly: boolean; brought: boolean }): number {
  if (turn.brought) return 0;
  return turn.wokenEarly ? before + 1 : before;
}

/** How long a turn that was woken early still waits. A few empty turns are usual: hints cross pulls. */
export function fruitlessPauseMs(fruitless: number): number {
  return fruitless < 4 ? 0 : 50 * 2 ** Math.min(fruitless - 4, 20);
}
