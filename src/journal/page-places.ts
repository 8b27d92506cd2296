/** Where the entries of peers' pages stand in our log, and the restore notes that are made of it. */
import { HASH_BYTES, sha256 } from '../merkle/hash.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import type { RestoreNote } from '../wire/restore-note.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { Marks } from './marks.ts';
import type { EntryRow } from './tables-logs.ts';

/** A stored page of a peer. */
export interface PlacedPage {
  readonly pageId: number;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  /** null when the page brought nothing, or came before places were kept. */
  readonly firstSeq: number | null;
  readonly entries: number | null;
}

type PlacedEntry = Pick<
  EntryRow,
  'origin_chain_seq' | 'feed_seq' | 'created_us' | 'previous_hash' | 'salt' | 'leaf_hash'
>;

export class PagePlaces {
  readonly #insert: (row: NewRow<'page_places'>) => number;
  readonly #pages: Statement<[string, number, number], PlacedPage>;
  readonly #header: Statement<[number], Uint8Array>;
  readonly #entries: Statement<[number, number], PlacedEntry>;
  readonly #marks: Marks;

  constructor(db: Db) {
    this.#insert = prepareAppend(db, 'page_places');
    this.#pages = prepare(db, pagesBehind);
    const header = sqlBuilder.selectFrom('pages').select('header').where('page_id', '=', PARAM);
    this.#header = prepare<[number]>(db, header).pluck() as Statement<[number], Uint8Array>;
    this.#entries = prepare(db, entriesBetween);
    this.#marks = new Marks(db);
  }

  /** The entries of a page stand from `firstSeq` on. The caller holds the transaction. */
  save(pageId: number, firstSeq: number, entries: number): void {
    this.#insert({ page_id: pageId, first_seq: firstSeq, entries });
  }

  /** Pages of a peer with which no restore note was left yet, in order. */
  unnoted(peer: string, limit: number): readonly PlacedPage[] {
    return this.#pages.all(peer, this.#marks.get(markOf(peer)) ?? 0, limit);
  }

  /** The mark is derived: without it every note is left again, which changes nothing. */
  markNoted(peer: string, pageId: number): void {
    this.#marks.put(markOf(peer), pageId);
  }

  /** Notes behind this page are left again. */
  unmark(peer: string, pageId: number): void {
    if ((this.#marks.get(markOf(peer)) ?? 0) > pageId) this.markNoted(peer, pageId);
  }

  /** What is needed to write the page's entries again; null when it brought none, or is not as it was stored. */
  noteOf({ pageId, firstSeq, entries: count }: PlacedPage): RestoreNote | null {
    const header = decodePageHeader(this.#header.get(pageId) ?? new Uint8Array(0));
    if (!header.ok || firstSeq === null || count === null) return null;
    const rows = this.#entries.all(firstSeq, firstSeq + count - 1);
    const [first] = rows;
    if (first === undefined || rows.length !== count) return null;
    const placeOf = new Map(header.value.indexes.map((index, place) => [index + 1, place]));
    const leaves = Buffer.alloc(count * HASH_BYTES);
    const entries = rows.map(({ origin_chain_seq, salt, leaf_hash }, i) => {
      leaves.set(leaf_hash, i * HASH_BYTES);
      return { place: placeOf.get(origin_chain_seq ?? 0) ?? -1, salt };
    });
    if (entries.some(({ place }, i) => place <= (entries[i - 1]?.place ?? -1))) return null;
    return {
      firstSeq,
      firstFeedSeq: first.feed_seq,
      createdUs: first.created_us,
      previousHash: first.previous_hash,
      digest: sha256(leaves),
      entries,
    };
  }
}

/** Name of the state row that says up to which page restore notes were left with a peer. */
function markOf(peer: string): string {
  return `noted ${peer}`;
}

const pagesBehind = sqlBuilder
  .selectFrom('pages')
  .leftJoin('page_places', 'page_places.page_id', 'pages.page_id')
  .select([
    'pages.page_id as pageId',
    'pages.feed as feed',
    'pages.after_seq as after',
    'pages.to_seq as to',
    'page_places.first_seq as firstSeq',
    'page_places.entries as entries',
  ])
  .where('pages.peer', '=', PARAM)
  .where('pages.page_id', '>', PARAM)
  .orderBy('pages.page_id')
  .limit(PARAM);

const entriesBetween = sqlBuilder
  .selectFrom('entries')
  .select(['origin_chain_seq', 'feed_seq', 'created_us', 'previous_hash', 'salt', 'leaf_hash'])
  .where('chain_seq', '>=', PARAM)
  .where('chain_seq', '<=', PARAM)
  .orderBy('chain_seq');
