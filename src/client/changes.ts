/** Follows the journal of a node: a long poll from a position that the caller moves by acknowledging. */
import { isJsonNumber, isJsonObject, type JsonValue } from '../core/json.ts';
import type { ProvenFact } from '../verify/fact-bundle-verdict.ts';
import type { ReadOptions } from './client.ts';
import { VerificationError } from './errors.ts';
import { type Fact, malformed } from './facts.ts';
import type { PositionStore } from './stores.ts';

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
}

export interface Change {
  readonly fact: Fact;
  /** Place in the journal, from 1. */
  readonly position: number;
  /** Says that this one, and all before it, are worked off. Durable as far as the store is. */
  ack(): Promise<void>;
}

export interface ChangeSource {
  ask(query: Readonly<Record<string, string | number | undefined>>, waitMs: number): Promise<JsonValue>;
  /** @param page the answer that the record stands in */
  judge(record: JsonValue, page: JsonValue): Promise<{ readonly fact: Fact; readonly proven: ProvenFact | null }>;
}

const DEFAULT_NAME = 'changes';
const DEFAULT_LIMIT = 100;
const DEFAULT_WAIT_S = 20;

/** Yields facts as they come. What was yielded and not acknowledged is yielded again by the next follower. */
export async function* followChanges(options: ChangesOptions, source: ChangeSource): AsyncGenerator<Change, void> {
  const { positions, name = DEFAULT_NAME, scope, limit = DEFAULT_LIMIT, once = false, signal } = options;
  const waitSeconds = once ? 0 : (options.waitSeconds ?? DEFAULT_WAIT_S);
  let acknowledged = (await positions?.load(name)) ?? options.after ?? 0;
  let after = acknowledged;
  const feeds = new FeedCheck();
  while (signal?.aborted !== true) {
    const answer = await source.ask({ after, limit, wait_s: waitSeconds, scope }, waitSeconds * 1000);
    const page = readPage(answer, after);
    for (const { seq, record } of page.changes) {
      const { fact, proven } = await source.judge(record, answer);
      if (proven !== null) feeds.accept(seq, proven);
      const ack = async (): Promise<void> => {
        if (seq <= acknowledged) return;
        await positions?.save(name, seq);
        acknowledged = seq;
      };
      yield { fact, position: seq, ack };
    }
    after = page.position;
    if (once && !page.more) return;
  }
}

interface ChangePage {
  readonly changes: readonly { readonly seq: number; readonly record: JsonValue }[];
  readonly position: number;
  readonly more: boolean;
}

function readPage(answer: JsonValue, after: number): ChangePage {
  const items = isJsonObject(answer) ? answer.get('changes') : undefined;
  if (!isJsonObject(answer) || !Array.isArray(items)) throw malformed('changes');
  let last = after;
  const changes = items.map((item) => {
    const seq = isJsonObject(item) ? numberOf(item.get('seq')) : undefined;
    const record = isJsonObject(item) ? item.get('fact') : undefined;
    if (seq === undefined || seq <= last || record === undefined) throw malformed('changes');
    last = seq;
    return { seq, record };
  });
  const position = numberOf(answer.get('position'));
  if (position === undefined || position < last) throw malformed('position');
  return { changes, position, more: answer.get('more') === true };
}

function numberOf(value: JsonValue | undefined): number | undefined {
  const number = isJsonNumber(value) ? Number(value.lexeme) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * Facts asserted at the node are numbered in their feed without holes: one that is skipped was withheld, or its author has asked to
 * have it erased, which a lying server could say of any. Received ones may wait for an operator.
 */
class FeedCheck {
  readonly #lengths = new Map<string, number>();

  accept(seq: number, { fact }: ProvenFact): void {
    if (fact.chain_seq !== seq) {
      throw new VerificationError(
        'answer_mismatch',
        `position ${seq} was given the fact of position ${fact.chain_seq}`,
      );
    }
    if (fact.origin !== null) return;
    const feed = fact.garden_id === null ? fact.scope : `${fact.scope}/${fact.garden_id}`;
    const before = this.#lengths.get(feed);
    if (before !== undefined && fact.feed_seq !== before + 1) {
      const message = `feed ${feed} goes from ${before} to ${fact.feed_seq}: what is between is withheld, or was erased by the node. Ask the node which; who follows anew from the acknowledged position goes on behind it`;
      throw new VerificationError('feed_gap', message);
    }
    this.#lengths.set(feed, fact.feed_seq);
  }
}
