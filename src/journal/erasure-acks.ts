/** What peers have signed about facts of ours that they have erased. */
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { entriesAt } from './feed-places.ts';
import type { EntryRow } from './tables-logs.ts';

export interface StoredAck {
  readonly peer: string;
  /** The signed note. */
  readonly note: string;
  readonly received_us: number;
}

export class ErasureAcks {
  readonly #insert: (row: NewRow<'erasure_acks'>) => number;
  readonly #of: Statement<[number], StoredAck>;
  readonly #target: Statement<[string, number], Pick<EntryRow, 'chain_seq' | 'leaf_hash'>>;

  constructor(db: Db) {
    this.#insert = prepareAppend(db, 'erasure_acks');
    const acks = sqlBuilder.selectFrom('erasure_acks').select(['peer', 'note', 'received_us']);
    this.#of = prepare(db, acks.where('tombstone_seq', '=', PARAM).orderBy('ack_id'));
    this.#target = prepare(db, entriesAt.select(['chain_seq', 'leaf_hash']));
  }

  /** The entry at a place of one of our feeds. */
  targetAt(feed: string, feedSeq: number): Pick<EntryRow, 'chain_seq' | 'leaf_hash'> | undefined {
    return this.#target.get(feed, feedSeq);
  }

  /** One of each peer is kept. The caller holds the transaction. */
  save(peer: string, tombstoneSeq: number, note: string, nowUs: number): void {
    if (this.of(tombstoneSeq).some((known) => known.peer === peer)) return;
    this.#insert({ peer, tombstone_seq: tombstoneSeq, note, received_us: nowUs });
  }

  of(tombstoneSeq: number): readonly StoredAck[] {
    return this.#of.all(tombstoneSeq);
  }
}
