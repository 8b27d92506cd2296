/** Which facts are hidden or gone, for readers. A fact is hidden as soon as its tombstone is asked for or has come. */
import type { Entry } from '../core/entry.ts';
import { parseFeed } from '../core/scope.ts';
import { isoMicros } from '../core/time.ts';
import { factDigest } from '../core/tombstone.ts';
import type { Db } from './database.ts';
import { type Erasure, ErasureRecords, GONE } from './erasure-records.ts';
import type { FactResult, Hole, TombstoneNotice } from './read-model.ts';

export type Tombstoned = Extract<FactResult, { readonly kind: 'tombstoned' }>;

export class TombstoneReader {
  readonly #records: ErasureRecords;

  constructor(db: Db) {
    this.#records = new ErasureRecords(db);
  }

  /** @param seq `chain_seq` of a fact whose body is here */
  isHidden(seq: number): boolean {
    const erasure = this.#records.ofTarget(seq);
    return erasure !== undefined && erasure.step !== 'undone';
  }

  /** What readers of this node's own facts miss at a position; null: nothing is said of the fact there. */
  hole(seq: number): Hole | null {
    const erasure = this.#records.ofTarget(seq);
    if (erasure === undefined || erasure.step === 'undone') return null;
    const { feed, feed_seq: feedSeq, tombstone_seq: tombstoneSeq, due_us } = erasure;
    return { seq, feed, feedSeq, tombstoneSeq, dueUs: tombstoneSeq === null ? due_us : null };
  }

  /** Of a fact whose body is here; null: it is not hidden. */
  notice(entry: Entry): TombstoneNotice | null {
    return this.ofEntry(entry)?.notice ?? null;
  }

  /** The same with where its tombstone is. */
  ofEntry(entry: Entry): Tombstoned | null {
    const erasure = this.#records.ofTarget(entry.chain_seq);
    return erasure === undefined || erasure.step === 'undone' ? null : tombstoned(erasure, entry.entity);
  }

  /** Of a fact that is here no more, by the id that somebody still has; null: there is no word of it. */
  ofId(factId: string): Tombstoned | null {
    const found = this.#records.byDigest(factDigest(factId));
    // A peer may name any id as its own; what was held here it has really erased.
    const erasure = found.find(({ step, target_seq }) => target_seq !== null && GONE.has(step)) ?? null;
    return erasure === null ? null : tombstoned(erasure, null);
  }
}

function tombstoned(erasure: Erasure, entity: string | null): Tombstoned {
  const { target_seq: seq, tombstone_seq: tombstoneSeq } = erasure;
  const erased = seq === null || tombstoneSeq === null ? null : { seq, tombstoneSeq };
  return { kind: 'tombstoned', notice: noticeOf(erasure, entity), erased };
}

function noticeOf(erasure: Erasure, entity: string | null): TombstoneNotice {
  const { at_us, feed, step, tombstone_seq } = erasure;
  const parsed = parseFeed(feed);
  return {
    entity_uri: entity,
    tombstone_id: tombstone_seq === null ? null : `tombstone:${tombstone_seq}`,
    legal_hold: step === 'held',
    tombstone_created_at: isoMicros(at_us),
    scope: parsed.ok ? parsed.value.scope : feed,
    state: GONE.has(step) ? 'erased' : 'hidden',
  };
}
