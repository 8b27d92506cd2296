/** Lines of stored pages whose bytes were erased: what says so, and what stood there. */
import { sql } from 'kysely';
import type { Entry } from '../../core/entry.ts';
import { decodeTombstone } from '../../core/tombstone.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import type { EntryRow } from '../tables-logs.ts';
import type { PageRow } from '../tables-peers.ts';

/** The migration that made the table of copies; an older file has none. */
const COPIES_SINCE_SCHEMA = 10;

export interface BlankedLine {
  /** The journal has the entry from this very line. */
  readonly isTakenHere: boolean;
  /** Where its author's tombstone says that it stands; null where that cannot be read. */
  readonly origin: Entry['origin'];
}

interface Said {
  readonly target_seq: number | null;
  readonly tombstone_seq: number | null;
}

type Row = Pick<EntryRow, 'received_from' | 'value_v' | 'source'>;

export function hasCopies(db: Db): boolean {
  return Number(db.pragma('user_version', { simple: true })) >= COPIES_SINCE_SCHEMA;
}

export class BlankedLines {
  readonly #step: Statement<[number, number], Said>;
  readonly #copies: Statement<[number, number], Said> | null;
  readonly #row: Statement<[number], Row>;

  constructor(db: Db) {
    const said = ['target_seq', 'tombstone_seq'] as const;
    const step = sqlBuilder.selectFrom('erasure_steps').select(said).where('page_id', '=', PARAM);
    this.#step = prepare(db, step.where('feed_seq', '=', PARAM).where(sql<boolean>`step = 'erased'`).limit(ONE));
    const copies = sqlBuilder.selectFrom('body_copies').select(said).where('page_id', '=', PARAM);
    this.#copies = hasCopies(db) ? prepare(db, copies.where('place', '=', PARAM).orderBy('copy_id')) : null;
    const row = sqlBuilder.selectFrom('entries').select(['received_from', 'value_v', 'source']);
    this.#row = prepare(db, row.where('chain_seq', '=', PARAM));
  }

  /** Undefined when nothing says that the line was to be erased. */
  at({ page_id, after_seq, feed, peer }: PageRow, place: number): BlankedLine | undefined {
    const step = feed.startsWith('from/') ? undefined : this.#step.get(page_id, after_seq + 1 + place);
    const copies = this.#copies?.all(page_id, place) ?? [];
    const erased = step ?? copies.find(({ tombstone_seq }) => tombstone_seq !== null);
    if (erased === undefined) return undefined;
    // What came when the fact was held already was no entry of its own.
    const isCopy = copies.some(({ tombstone_seq }) => tombstone_seq === null) || erased.target_seq === null;
    const target = erased.target_seq === null ? undefined : this.#row.get(erased.target_seq);
    return { isTakenHere: !isCopy && target?.received_from === peer, origin: this.#originOf(erased.tombstone_seq) };
  }

  #originOf(tombstoneSeq: number | null): Entry['origin'] {
    const row = tombstoneSeq === null ? undefined : this.#row.get(tombstoneSeq);
    const said = row === undefined ? null : decodeTombstone(row.value_v);
    if (row === undefined || said === null) return null;
    const leaf = Buffer.from(said.leaf_hash.slice(7), 'hex').toString('base64');
    return { node_id: row.source, chain_seq: said.leaf_index + 1, leaf_hash: leaf };
  }
}
