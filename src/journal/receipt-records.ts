/** Receipts for pages: those that peers have given us, and how far ours have reached them. */
import { isoMicros } from '../core/time.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { Marks } from './marks.ts';

/** A judged page of a peer with the note that its sender signed. */
export interface NotedPage {
  readonly pageId: number;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly accepted: number;
  readonly refused: number;
  /** null for a page of a time before notes */
  readonly note: string | null;
}

export interface ReceiptQuery {
  /** Node id of the peer that gave them. */
  readonly peer: string;
  readonly feed: string | null;
  /** Exclusive: receipts after this one. */
  readonly cursor: number;
  readonly limit: number;
}

export interface StoredReceipt {
  readonly id: number;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly received_at: string;
  /** The signed note. */
  readonly note: string;
}

/** How far a peer has acknowledged a feed of ours. */
export interface Acknowledged {
  readonly feed: string;
  readonly to: number;
}

export class ReceiptRecords {
  readonly #pages: Statement<[string, number, number], NotedPage>;
  readonly #marks: Marks;
  readonly #newest: Statement<[string, string], number>;
  readonly #count: Statement<[string], number>;
  readonly #counts = new Map<string, number>();
  readonly #list: Statement<[string, number, number], ReceiptFound>;
  readonly #listFeed: Statement<[string, number, string, number], ReceiptFound>;
  readonly #insert: (row: NewRow<'page_receipts'>) => number;

  constructor(db: Db) {
    this.#pages = prepare(db, pagesBehind);
    this.#marks = new Marks(db);
    this.#newest = prepare<[string, string]>(db, newestOfFeed).pluck() as Statement<[string, string], number>;
    this.#count = prepare<[string]>(db, countOf).pluck() as Statement<[string], number>;
    this.#list = prepare(db, receiptsBehind.limit(PARAM));
    this.#listFeed = prepare(db, receiptsBehind.where('feed', '=', PARAM).limit(PARAM));
    this.#insert = prepareAppend(db, 'page_receipts');
  }

  /** Pages of a peer that it has not yet taken our receipts for, in order. */
  unacknowledged(peer: string, limit: number): readonly NotedPage[] {
    return this.#pages.all(peer, this.#marks.get(markOf(peer)) ?? 0, limit);
  }

  /** The mark is derived: without it every receipt is sent again, which changes nothing. */
  markTaken(peer: string, pageId: number): void {
    this.#marks.put(markOf(peer), pageId);
  }

  /** The last entry of our feed that the peer has given a receipt for; 0 for none. */
  acknowledgedTo(peer: string, feed: string): number {
    return this.#newest.get(peer, feed) ?? 0;
  }

  /** Those of the feeds that the peer has acknowledged something of. */
  acknowledged(peer: string, feeds: readonly string[]): readonly Acknowledged[] {
    return feeds.map((feed) => ({ feed, to: this.acknowledgedTo(peer, feed) })).filter(({ to }) => to > 0);
  }

  /** Counted once: with each message of a peer, it would be a walk over all that it has sent. */
  count(peer: string): number {
    const known = this.#counts.get(peer) ?? this.#count.get(peer) ?? 0;
    this.#counts.set(peer, known);
    return known;
  }

  /** A transaction in which some were saved has failed: they are counted anew. */
  forget(peer: string): void {
    this.#counts.delete(peer);
  }

  save(peer: string, receipt: { feed: string; after: number; to: number }, note: string, nowUs: number): void {
    const { feed, after, to } = receipt;
    this.#counts.set(peer, this.count(peer) + 1);
    this.#insert({ peer, feed, after_seq: after, to_seq: to, note, received_us: nowUs });
  }

  list({ peer, feed, cursor, limit }: ReceiptQuery): readonly StoredReceipt[] {
    const rows = feed === null ? this.#list.all(peer, cursor, limit) : this.#listFeed.all(peer, cursor, feed, limit);
    return rows.map(({ receipt_id, after_seq, to_seq, received_us, ...row }) => ({
      id: receipt_id,
      feed: row.feed,
      after: after_seq,
      to: to_seq,
      received_at: isoMicros(received_us),
      note: row.note,
    }));
  }
}

interface ReceiptFound {
  readonly receipt_id: number;
  readonly feed: string;
  readonly after_seq: number;
  readonly to_seq: number;
  readonly received_us: number;
  readonly note: string;
}

/** Name of the state row that says how far our receipts have reached a peer: a page id. */
function markOf(peer: string): string {
  return `receipts ${peer}`;
}

const pagesBehind = sqlBuilder
  .selectFrom('pages')
  .leftJoin('page_notes', 'page_notes.page_id', 'pages.page_id')
  .select([
    'pages.page_id as pageId',
    'pages.feed as feed',
    'pages.after_seq as after',
    'pages.to_seq as to',
    'pages.accepted as accepted',
    'pages.refused as refused',
    'page_notes.note as note',
  ])
  .where('pages.peer', '=', PARAM)
  .where('pages.page_id', '>', PARAM)
  .orderBy('pages.page_id')
  .limit(PARAM);

const newestOfFeed = sqlBuilder
  .selectFrom('page_receipts')
  .select('to_seq')
  .where('peer', '=', PARAM)
  .where('feed', '=', PARAM)
  .orderBy('receipt_id', 'desc')
  .limit(ONE);

const countOf = sqlBuilder
  .selectFrom('page_receipts')
  .select((q) => q.fn.countAll().as('count'))
  .where('peer', '=', PARAM);

const receiptsBehind = sqlBuilder
  .selectFrom('page_receipts')
  .select(['receipt_id', 'feed', 'after_seq', 'to_seq', 'received_us', 'note'])
  .where('peer', '=', PARAM)
  .where('receipt_id', '>', PARAM)
  .orderBy('receipt_id');
