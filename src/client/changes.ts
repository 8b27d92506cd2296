/** Follows the journal of a node: a long poll from a position that the caller moves by acknowledging. */
import type { JsonValue } from '../core/json.ts';
import { type ProvenTombstone, provenTombstone } from '../verify/erasure-verdict.ts';
import type { ProvenFact } from '../verify/fact-bundle-verdict.ts';
import { type ChangeItem, type ChangePage, readChangePage } from './change-page.ts';
import type { ReadOptions } from './client.ts';
import { type ErasedFact, erasedFactOf } from './erased.ts';
import type { Fact } from './facts.ts';
import { FeedCheck } from './feed-check.ts';
import { Owed } from './owed.ts';
import type { OwedFact, PositionStore } from './stores.ts';

export interface ChangesOptions extends ReadOptions {
  /** Position to begin behind where none is kept; 0, the beginning, if left out. */
  readonly after?: number;
  /** Where the acknowledged position is kept, and under which name. */
  readonly positions?: PositionStore;
  readonly name?: string;
  /** Only facts of this scope. */
  readonly scope?: string;
  /** Positions asked for at once. */
  readonly limit?: number;
  /** Seconds that one question waits for something new. */
  readonly waitSeconds?: number;
  /** End when there is nothing new, instead of waiting. */
  readonly once?: boolean;
  /** Longest time that a fact may be `hidden`, whatever the node says, before it counts as withheld; 31 days if left out. */
  readonly hiddenSeconds?: number;
}

interface Told {
  /** Place in the journal, from 1. */
  readonly position: number;
  /** Says that this one, and all that came before it, are worked off. Durable as far as the store is. */
  ack(): Promise<void>;
}

/** A fact. One that was `hidden` and is shown after all comes late, at its old position. */
export interface FactChange extends Told {
  readonly kind: 'fact';
  readonly fact: Fact;
}

/**
 * Proven: the node has had one of its facts erased. It comes at the position of the fact, if the fact is not there to be read, and at
 * that of the tombstone, for those who have read it before.
 */
export interface ErasedChange extends Told {
  readonly kind: 'erased';
  readonly erased: ErasedFact;
}

/** Not proven, as no proof can say it: a fact is there, and the node does not show it for now. It is to be erased, or waits for an operator. */
export interface HiddenChange extends Told {
  readonly kind: 'hidden';
  readonly hidden: {
    readonly feed: string;
    readonly feedSeq: number;
    /** Until then it comes as `erased` or as `fact`, or following ends with `feed_gap`. ISO time. */
    readonly until: string;
  };
}

export type Change = FactChange | ErasedChange | HiddenChange;

export interface ChangeSource {
  /** Whether everything is verified: less shows no holes. */
  readonly isFull: boolean;
  ask(query: Readonly<Record<string, string | number | undefined>>, waitMs: number): Promise<JsonValue>;
  /** @param page the answer that the record stands in */
  judge(record: JsonValue, page: JsonValue): Promise<{ readonly fact: Fact; readonly proven: ProvenFact | null }>;
  judgeErasure(proof: JsonValue): Promise<ProvenTombstone>;
  nowMs(): number;
}

const DEFAULT_NAME = 'changes';
const DEFAULT_LIMIT = 100;
const DEFAULT_WAIT_S = 20;
const DEFAULT_HIDDEN_S = 2_678_400;

/** Yields changes as they come. What was yielded and not acknowledged is yielded again by the next follower. */
export async function* followChanges(options: ChangesOptions, source: ChangeSource): AsyncGenerator<Change, void> {
  const { positions, name = DEFAULT_NAME, scope, limit = DEFAULT_LIMIT, once = false, signal } = options;
  const waitSeconds = once ? 0 : (options.waitSeconds ?? DEFAULT_WAIT_S);
  let after = (await positions?.load(name)) ?? options.after ?? 0;
  const longestSeconds = options.hiddenSeconds ?? DEFAULT_HIDDEN_S;
  const owed = await Owed.load({ positions, name, longestSeconds });
  const follower = new Follower(source, owed, after, async (position) => positions?.save(name, position));
  while (signal?.aborted !== true) {
    for (const fact of owed.due(after, source.nowMs())) {
      const asked = await source.ask({ after: fact.position - 1, limit: 1, wait_s: 0 }, 0);
      yield* follower.late(fact, asked);
    }
    const answer = await source.ask({ after, limit, wait_s: waitSeconds, scope }, waitSeconds * 1000);
    const page = readChangePage(answer, after, source.isFull);
    yield* follower.page(page, answer);
    after = page.position;
    if (once && !page.more) return;
  }
}

class Follower {
  readonly #source: ChangeSource;
  readonly #owed: Owed;
  readonly #feeds: FeedCheck;
  readonly #save: (position: number) => Promise<void>;
  #acknowledged: number;
  /** Changes so far. */
  #given = 0;

  constructor(source: ChangeSource, owed: Owed, after: number, save: (position: number) => Promise<void>) {
    this.#source = source;
    this.#owed = owed;
    this.#feeds = new FeedCheck(after);
    this.#save = save;
    this.#acknowledged = after;
  }

  async *page({ items }: ChangePage, answer: JsonValue): AsyncGenerator<Change, void> {
    const hidden = items.flatMap((item) => (item.kind === 'hidden' ? [item.hidden] : []));
    await this.#owed.tell(hidden, this.#source.nowMs());
    for (const item of items) {
      const { change, place } = await this.#judge(item, answer);
      if (place !== null) this.#feeds.next(place);
      yield change;
    }
  }

  /** A fact that was hidden when the follower came by. */
  async *late(fact: OwedFact, answer: JsonValue): AsyncGenerator<Change, void> {
    const { items } = readChangePage(answer, fact.position - 1, this.#source.isFull);
    const item = items.find(({ seq }) => seq === fact.position);
    if (item === undefined)
      return this.#owed.withheld(fact, 'was said to be hidden for now, and is passed over without a word');
    if (item.kind === 'hidden') return this.#owed.stillHidden(fact, this.#source.nowMs());
    const { change, place } = await this.#judge(item, answer);
    if (place?.feed !== fact.feed || place.feedSeq !== fact.feedSeq) {
      return this.#owed.withheld(fact, 'was said to be hidden for now, and another one was given in its place');
    }
    yield change;
  }

  async #judge(item: ChangeItem, answer: JsonValue): Promise<Judged> {
    const place = ++this.#given;
    const told = { position: item.seq, ack: () => this.#ack(item.seq, place) };
    const judged = await this.#changeOf(item, answer, told);
    if (item.kind !== 'hidden') this.#owed.given(item.seq, place);
    return judged;
  }

  async #changeOf(item: ChangeItem, answer: JsonValue, told: Told): Promise<Judged> {
    if (item.kind === 'hidden') {
      const { feed, feedSeq } = item.hidden;
      const until = new Date(this.#owed.untilMs(item.seq)).toISOString();
      return { change: { kind: 'hidden', hidden: { feed, feedSeq, until }, ...told }, place: item.hidden };
    }
    if (item.kind === 'erased') {
      const proven = await this.#source.judgeErasure(item.proof);
      const place = this.#feeds.ofErased(item.seq, proven);
      return { change: { kind: 'erased', erased: erasedFactOf(proven), ...told }, place };
    }
    const { fact, proven } = await this.#source.judge(item.record, answer);
    if (proven === null) return { change: { kind: 'fact', fact, ...told }, place: null };
    const place = this.#feeds.ofFact(item.seq, proven);
    const tombstone = provenTombstone(proven);
    if (tombstone === null) return { change: { kind: 'fact', fact, ...told }, place };
    this.#owed.askNow(tombstone.said.leaf_index + 1);
    return { change: { kind: 'erased', erased: erasedFactOf(tombstone), ...told }, place };
  }

  async #ack(seq: number, place: number): Promise<void> {
    await this.#owed.acknowledged(place);
    if (seq <= this.#acknowledged) return;
    await this.#save(seq);
    this.#acknowledged = seq;
  }
}

interface Judged {
  readonly change: Change;
  /** Where it stands among the node's own facts; null: it is none, or nothing is verified. */
  readonly place: { readonly feed: string; readonly feedSeq: number } | null;
}
