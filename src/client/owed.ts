/**
 * Facts that a node does not show, as it says for now: they are to be erased, or wait for its operator. No proof can say that, so each
 * is owed within a time that is written down when it is first told: the proof of its erasure, or the fact itself.
 */
import { VerificationError } from './errors.ts';
import type { OwedFact, PositionStore } from './stores.ts';

/** A hole as the node explains it. */
export interface HiddenPlace {
  readonly position: number;
  readonly feed: string;
  readonly feedSeq: number;
  /** Seconds until its erasure is in the log, as the node says; null: it says no time. */
  readonly dueSeconds: number | null;
}

export interface OwedPlace {
  readonly positions: PositionStore | undefined;
  readonly name: string;
  /** The node's own word counts up to here. */
  readonly longestSeconds: number;
}

/** What is due may be done a little later. */
const GRACE_MS = 3_600_000;
const ASK_OVERDUE_MS = 60_000;
/** An erasure that is undone says so to nobody. */
const ASK_BEFORE_MS = 3_600_000;
const MAX_OWED = 10_000;
/** One question each. */
const MAX_ASKED_AT_ONCE = 16;

interface Waiting {
  readonly fact: OwedFact;
  askMs: number;
  /** The how many-th of all changes it was given as; null: it was not. */
  given: number | null;
}

function nextAskMs({ untilMs }: OwedFact, nowMs: number): number {
  const dueMs = untilMs - GRACE_MS;
  return nowMs < dueMs ? Math.min(dueMs, nowMs + ASK_BEFORE_MS) : nowMs + ASK_OVERDUE_MS;
}

export class Owed {
  readonly #place: OwedPlace;
  readonly #waiting: Map<number, Waiting>;

  private constructor(place: OwedPlace, kept: readonly OwedFact[]) {
    this.#place = place;
    this.#waiting = new Map(kept.map((fact) => [fact.position, { fact, askMs: 0, given: null }]));
  }

  static async load(place: OwedPlace): Promise<Owed> {
    return new Owed(place, (await place.positions?.loadOwed(place.name)) ?? []);
  }

  /** Durable when it resolves. One that was told before keeps its time. @throws VerificationError `feed_gap` beyond a number */
  async tell(hidden: readonly HiddenPlace[], nowMs: number): Promise<void> {
    const news = hidden.filter(({ position }) => !this.#waiting.has(position));
    if (news.length === 0) return;
    if (this.#waiting.size + news.length > MAX_OWED) {
      const message = `the server says of more than ${MAX_OWED} facts that it does not show them for now`;
      throw new VerificationError('feed_gap', message);
    }
    for (const { position, feed, feedSeq, dueSeconds } of news) {
      const { longestSeconds } = this.#place;
      const untilMs = nowMs + Math.min(dueSeconds ?? longestSeconds, longestSeconds) * 1000 + GRACE_MS;
      const fact = { position, feed, feedSeq, untilMs };
      this.#waiting.set(position, { fact, askMs: nextAskMs(fact, nowMs), given: null });
    }
    await this.#save();
  }

  /** When a fact that was told of counts as withheld, POSIX ms. */
  untilMs(position: number): number {
    return this.#waiting.get(position)?.fact.untilMs ?? 0;
  }

  /** Those to ask for now, of what the follower has passed. */
  due(after: number, nowMs: number): readonly OwedFact[] {
    const due = [...this.#waiting.values()].filter(({ fact, askMs }) => fact.position <= after && askMs <= nowMs);
    return due.slice(0, MAX_ASKED_AT_ONCE).map(({ fact }) => fact);
  }

  /** Its tombstone has come. */
  askNow(position: number): void {
    const waiting = this.#waiting.get(position);
    if (waiting !== undefined) waiting.askMs = 0;
  }

  /** The caller gets it, and has not acknowledged it yet. @param place the how many-th of all changes it is */
  given(position: number, place: number): void {
    const waiting = this.#waiting.get(position);
    if (waiting === undefined) return;
    waiting.askMs = Number.POSITIVE_INFINITY;
    waiting.given ??= place;
  }

  /** The caller has worked off all changes up to that one. Durable when it resolves. */
  async acknowledged(place: number): Promise<void> {
    const done = [...this.#waiting.values()].filter(({ given }) => given !== null && given <= place);
    if (done.length > 0) await this.#forget(done.map(({ fact }) => fact.position));
  }

  /** It is still not shown. @throws VerificationError `feed_gap` when that has lasted too long */
  async stillHidden(fact: OwedFact, nowMs: number): Promise<void> {
    if (nowMs < fact.untilMs) {
      const waiting = this.#waiting.get(fact.position);
      if (waiting !== undefined) waiting.askMs = nextAskMs(fact, nowMs);
      return;
    }
    const until = new Date(fact.untilMs).toISOString();
    await this.withheld(fact, `was to be shown, or proven to be erased, by ${until}, and is neither`);
  }

  /** Told once: a follower that begins anew goes on behind it. @throws VerificationError `feed_gap` */
  async withheld(fact: OwedFact, why: string): Promise<never> {
    await this.#forget([fact.position]);
    const { position, feed, feedSeq } = fact;
    throw new VerificationError('feed_gap', `fact ${feedSeq} of feed ${feed}, position ${position}, ${why}`);
  }

  async #forget(positions: readonly number[]): Promise<void> {
    for (const position of positions) this.#waiting.delete(position);
    await this.#save();
  }

  async #save(): Promise<void> {
    const { name, positions } = this.#place;
    await positions?.saveOwed(
      name,
      [...this.#waiting.values()].map(({ fact }) => fact),
    );
  }
}
