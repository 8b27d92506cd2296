/** What nodes have signed about facts that came to them by a relay, at the relay and at the author. */
import { sql } from 'kysely';
import { TOMBSTONE } from '../core/tombstone.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { Marks } from './marks.ts';
import type { Tables } from './tables.ts';

export type StoredRelayedAck = Omit<Tables['relayed_acks'], 'sum1' | 'sum2'>;

/** Acknowledgements of one tombstone that one relay may bring: nodes that pull from it. */
const MAX_OF_RELAY = 256;

export class RelayedAcks {
  readonly #insert: (row: NewRow<'relayed_acks'>) => number;
  readonly #of: Statement<[number], StoredRelayedAck>;
  readonly #passing: Statement<[string, number, number], StoredRelayedAck>;
  readonly #marks: Marks;
  readonly #stepIn: Statement<[number, number], { tombstone_seq: number | null; target_seq: number | null }>;
  readonly #place: Statement<[number], { feed: string; feed_seq: number }>;

  constructor(db: Db) {
    this.#insert = prepareAppend(db, 'relayed_acks');
    const columns = ['ack_id', 'peer', 'relay', 'tombstone_seq', 'note', 'declaration', 'received_us'] as const;
    const acks = sqlBuilder.selectFrom('relayed_acks').select(columns);
    this.#of = prepare(db, acks.where('tombstone_seq', '=', PARAM).orderBy('ack_id'));
    this.#passing = prepare(
      db,
      sqlBuilder
        .selectFrom('relayed_acks')
        .innerJoin('entries', 'entries.chain_seq', 'relayed_acks.tombstone_seq')
        .select(columns)
        .where('entries.origin_node_id', '=', PARAM)
        .where(sql<boolean>`relation = ${sql.lit(TOMBSTONE)}`)
        .where('relay', 'is', null)
        .where('ack_id', '>', PARAM)
        .orderBy('ack_id')
        .limit(PARAM),
    );
    this.#marks = new Marks(db);
    const step = sqlBuilder.selectFrom('erasure_steps').select(['tombstone_seq', 'target_seq']);
    const inPage = step.where('page_id', '=', PARAM).where('feed_seq', '=', PARAM);
    this.#stepIn = prepare(db, inPage.orderBy('step_id', 'desc').limit(ONE));
    this.#place = prepare(
      db,
      sqlBuilder
        .selectFrom('entries')
        .innerJoin('feeds', 'feeds.feed_id', 'entries.feed_id')
        .select(['feeds.name as feed', 'entries.feed_seq as feed_seq'])
        .where('chain_seq', '=', PARAM),
    );
  }

  /** One of each node and way is kept: what one relay brings stands in nobody else's way. The caller holds the transaction. @param relay null: it came from the node itself */
  save(ack: Omit<StoredRelayedAck, 'ack_id'>): void {
    const known = this.of(ack.tombstone_seq).filter(({ relay }) => relay === ack.relay);
    if (known.length >= MAX_OF_RELAY || known.some(({ peer }) => peer === ack.peer)) return;
    this.#insert(ack);
  }

  of(tombstoneSeq: number): readonly StoredRelayedAck[] {
    return this.#of.all(tombstoneSeq);
  }

  /** What an author has not taken yet, in order. */
  passing(author: string, limit: number): readonly StoredRelayedAck[] {
    return this.#passing.all(author, this.#marks.get(markOf(author)) ?? 0, limit);
  }

  /** The mark is derived: without it all are passed on again, which changes nothing. */
  passed(author: string, ackId: number): void {
    if ((this.#marks.get(markOf(author)) ?? 0) < ackId) this.#marks.put(markOf(author), ackId);
  }

  /** The erasure of what stands at a place of a page, as its newest step has it. */
  stepIn(pageId: number, feedSeq: number): { readonly tombstoneSeq: number; readonly targetSeq: number } | null {
    const step = this.#stepIn.get(pageId, feedSeq);
    if (step === undefined || step.tombstone_seq === null || step.target_seq === null) return null;
    return { tombstoneSeq: step.tombstone_seq, targetSeq: step.target_seq };
  }

  /** Feed and place of an entry in our own log. */
  placeOf(seq: number): { readonly feed: string; readonly feed_seq: number } | undefined {
    return this.#place.get(seq);
  }
}

function markOf(author: string): string {
  return `acks passed ${author}`;
}
