/**
 * Facts that a node has not shown because they are to be erased. Nobody else can prove that, so each is owed within a time that is
 * written down when it is first told: the proof of its erasure, or the fact itself.
 */
import { VerificationError } from './errors.ts';
import type { OwedFact, PositionStore } from './stores.ts';

/** A hole as the node explains it. */
export interface HiddenPlace {
  readonly position: number;
  readonly feed: string;
  readonly feedSeq: number;
  /** Seconds until its erasure is in the log, as the node says. */
  readonly dueSeconds: number;
}

export interface OwedPlace {
  readonly positions: PositionStore | undefined;
  readonly name: string;
  /** The node's own word counts up to here. */
  readonly longestSeconds: number;
}

/** What is due may be done a little later. */
const GRACE_MS = 3_600_000;
const ASK_AGAIN_MS = 60_000;
const MAX_OWED = 10_000;
/** One question each. */
const MAX_ASKED_AT_ONCE = 16;

interface Waiting {
  readonly fact: OwedFact;
  askMs: number;
}

export class Owed {
  readonly #place: OwedPlace;
  readonly #waiting: Map<number, Waiting>;

  private constructor(place: OwedPlace, kept: readonly OwedFact[]) {
    this.#place = place;
    this.#waiting = new Map(kept.map((fact) => [fact.position, { fact, askMs: 0 }]));
  }

  static async load(place: OwedPlace): Promise<Owed> {
    return new Owed(place, (await place.positions?.loadOwed(place.name)) ?? []);
  }

  /** Durable when it resolves. One that was told before keeps its time. @throws VerificationError `feed_gap` beyond a number */
  async tell(hidden: readonly HiddenPlace[], nowMs: number): Promise<void> {
    const news = hidden.filter(({ position }) => !this.#waiting.has(position));
    if (news.length === 0) return;
    if (this.#waiting.size + news.length > MAX_OWED) {
      const message = `the server says of more than ${MAX_OWED} facts that they are to be erased`;
      throw new VerificationError('feed_gap', message);
    }
    for (const { position, feed, feedSeq, dueSeconds } of news) {
      const dueMs = nowMs + Math.min(dueSeconds, this.#place.longestSeconds) * 1000;
      this.#waiting.set(position, { fact: { position, feed, feedSeq, untilMs: dueMs + GRACE_MS }, askMs: dueMs });
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

  /** The caller has it, and has not acknowledged it yet. */
  given({ position }: OwedFact): void {
    const waiting = this.#waiting.get(position);
    if (waiting !== undefined) waiting.askMs = Number.POSITIVE_INFINITY;
  }

  async settled(position: number): Promise<void> {
    if (this.#waiting.delete(position)) await this.#save();
  }

  /** It is still said to be erased. @throws VerificationError `feed_gap` when that has lasted too long */
  async stillHidden(fact: OwedFact, nowMs: number): Promise<void> {
    if (nowMs < fact.untilMs) {
      const waiting = this.#waiting.get(fact.position);
      if (waiting !== undefined) waiting.askMs = nowMs + ASK_AGAIN_MS;
      return;
    }
    const until = new Date(fact.untilMs).toISOString();
    await this.withheld(fact, `was to be erased, or shown again, by ${until}, and is neither`);
  }

  /** Told once: a follower that begins anew goes on behind it. @throws VerificationError `feed_gap` */
  async withheld(fact: OwedFact, why: string): Promise<never> {
    await this.settled(fact.position);
    const { position, feed, feedSeq } = fact;
    throw new VerificationError('feed_gap', `fact ${feedSeq} of feed ${feed}, position ${position}, ${why}`);
  }

  async #save(): Promise<void> {
    const { name, positions } = this.#place;
    await positions?.saveOwed(
      name,
      [...this.#waiting.values()].map(({ fact }) => fact),
    );
  }
}
