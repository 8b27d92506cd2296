/** Facts of a node are numbered in their feed without holes: what is skipped is withheld, unless it is proven to be erased. */
import { feedOf } from '../core/scope.ts';
import type { ProvenTombstone } from '../verify/erasure-verdict.ts';
import type { ProvenFact } from '../verify/fact-bundle-verdict.ts';
import { VerificationError } from './errors.ts';

/** Where a fact of the node stands. */
interface FeedPlace {
  readonly feed: string;
  readonly feedSeq: number;
}

export class FeedCheck {
  readonly #lengths = new Map<string, number>();
  readonly #fromBeginning: boolean;
  #origin: string | null = null;

  /** @param after the position that the follower begins behind: from the beginning on each feed begins with 1 */
  constructor(after: number) {
    this.#fromBeginning = after === 0;
  }

  /** @returns null for a received fact: it may have waited for an operator, so no hole tells of it. @throws `answer_mismatch` */
  ofFact(seq: number, { fact, checkpoint }: ProvenFact): FeedPlace | null {
    if (fact.chain_seq !== seq) {
      throw new VerificationError(
        'answer_mismatch',
        `position ${seq} was given the fact of position ${fact.chain_seq}`,
      );
    }
    this.#demandLog(seq, checkpoint.origin);
    return fact.origin === null ? { feed: feedOfOwn(fact), feedSeq: fact.feed_seq } : null;
  }

  /** @throws VerificationError `erasure_unproven` for the proof of another place, `answer_mismatch` */
  ofErased(seq: number, { said, feed, tombstone }: ProvenTombstone): FeedPlace {
    if (said.leaf_index !== seq - 1) {
      const message = `position ${seq} was given the proof that the fact of position ${said.leaf_index + 1} is erased`;
      throw new VerificationError('erasure_unproven', message);
    }
    this.#demandLog(seq, tombstone.checkpoint.origin);
    return { feed, feedSeq: said.feed_seq };
  }

  /** The next one of a feed. @throws VerificationError `feed_gap` */
  next({ feed, feedSeq }: FeedPlace): void {
    const before = this.#lengths.get(feed) ?? (this.#fromBeginning ? 0 : undefined);
    if (before !== undefined && feedSeq !== before + 1) {
      const message = `feed ${feed} goes from ${before} to ${feedSeq}: what is between is withheld, and no proof says that it was erased (nodes from before that proof give none: ask the node). Who follows anew from the acknowledged position goes on behind it`;
      throw new VerificationError('feed_gap', message);
    }
    this.#lengths.set(feed, feedSeq);
  }

  /** Another log that is trusted, too, fills no hole of this one. */
  #demandLog(seq: number, origin: string): void {
    this.#origin ??= origin;
    if (origin === this.#origin) return;
    const message = `position ${seq} is of the journal ${origin}, those before it are of ${this.#origin}`;
    throw new VerificationError('answer_mismatch', message);
  }
}

/** Of a fact that was asserted at the node. */
function feedOfOwn(fact: ProvenFact['fact']): string {
  const feed = feedOf(fact);
  if (feed.ok) return feed.value;
  throw new VerificationError('entry_malformed', `fact ${fact.fact_id} is in no feed (${feed.error})`);
}
