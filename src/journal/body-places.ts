/** Where the body of an entry stands in stored pages: a fact may have come by several paths, and each brought it along. */
import { decodeEntry } from '../core/entry.ts';
import { isBlank } from '../wire/erased-entry.ts';
import { decodePage } from '../wire/page.ts';
import { type NewRow, prepareAppend } from './appended.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { EntryRow } from './tables-logs.ts';
import type { PageRow } from './tables-peers.ts';

/** A line of a stored page. */
export interface BodyPlace {
  readonly pageId: number;
  /** From 0. */
  readonly place: number;
}

interface Authorship {
  readonly nodeId: string;
  /** In the log of that node. */
  readonly feed: string;
  readonly feedSeq: number;
}

interface Run {
  readonly page_id: number;
  readonly first_seq: number;
  readonly entries: number;
}

export class BodyPlaces {
  readonly #insert: (row: NewRow<'body_copies'>) => number;
  readonly #copies: Statement<[number], { page_id: number; place: number }>;
  readonly #placed: Statement<[number], Run>;
  readonly #retried: Statement<[number], Run>;
  readonly #page: Statement<[number], PageRow>;
  readonly #pageOf: Statement<[string, string, number], PageRow>;

  constructor(db: Db) {
    this.#insert = prepareAppend(db, 'body_copies');
    const copies = sqlBuilder.selectFrom('body_copies').select(['page_id', 'place']).where('target_seq', '=', PARAM);
    this.#copies = prepare(db, copies.orderBy('copy_id'));
    const run = ['page_id', 'first_seq', 'entries'] as const;
    const placed = sqlBuilder.selectFrom('page_places').select(run).where('first_seq', '<=', PARAM);
    this.#placed = prepare(db, placed.orderBy('first_seq', 'desc').limit(ONE));
    const retried = sqlBuilder.selectFrom('page_retries').select(run).where('first_seq', '<=', PARAM);
    this.#retried = prepare(db, retried.orderBy('first_seq', 'desc').limit(ONE));
    const pages = sqlBuilder.selectFrom('pages').selectAll();
    this.#page = prepare(db, pages.where('page_id', '=', PARAM));
    const ofFeed = pages.where('peer', '=', PARAM).where('feed', '=', PARAM).where('to_seq', '>=', PARAM);
    this.#pageOf = prepare(db, ofFeed.orderBy('page_id').limit(ONE));
  }

  /** The caller holds the transaction. @param tombstoneSeq null while the body stands there */
  save({ pageId, place }: BodyPlace, targetSeq: number | null, tombstoneSeq: number | null): void {
    this.#insert({ page_id: pageId, place, target_seq: targetSeq, tombstone_seq: tombstoneSeq });
  }

  page(pageId: number): PageRow | undefined {
    return this.#page.get(pageId);
  }

  /** The page of a node's own feed that covers a place of it. */
  pageOf(nodeId: string, feed: string, feedSeq: number): PageRow | undefined {
    const page = this.#pageOf.get(nodeId, feed, feedSeq);
    return page === undefined || page.after_seq >= feedSeq ? undefined : page;
  }

  /** Lines that were noted beside the page that the row came in, or that an erasure has blanked beside the page of its step. */
  copiesOf(seq: number): readonly BodyPlace[] {
    return this.#copies.all(seq).map(({ page_id, place }) => ({ pageId: page_id, place }));
  }

  /** Every line of a stored page that says what the row says, each once. */
  of(row: EntryRow, author: Authorship): readonly BodyPlace[] {
    const direct = this.pageOf(author.nodeId, author.feed, author.feedSeq);
    const here = [this.#placed.get(row.chain_seq), this.#retried.get(row.chain_seq)].filter(
      (run) => run !== undefined && row.chain_seq < run.first_seq + run.entries,
    );
    const placed = here.flatMap((run) => placesIn(this.#page.get(run?.page_id ?? 0), row));
    const found = direct === undefined ? placed : [...placesIn(direct, row, author.feedSeq), ...placed];
    const byKey = new Map(
      [...found, ...this.copiesOf(row.chain_seq)].map((one) => [`${one.pageId} ${one.place}`, one]),
    );
    return [...byKey.values()];
  }
}

/** @param feedSeq where the entry stands in the page's own feed; left out: it is looked for */
function placesIn(page: PageRow | undefined, row: EntryRow, feedSeq?: number): readonly BodyPlace[] {
  const decoded = page === undefined ? undefined : decodePage(page);
  if (page === undefined || decoded?.ok !== true) return [];
  return decoded.value.entries.flatMap((bytes, place) => {
    if (bytes.length === 0 || isBlank(bytes) || (feedSeq !== undefined && feedSeq !== page.after_seq + 1 + place))
      return [];
    const entry = decodeEntry(bytes);
    if (!entry.ok || entry.value.fact_id !== row.fact_id) return [];
    const { origin, chain_seq } = entry.value;
    return (origin?.chain_seq ?? chain_seq) === row.origin_chain_seq ? [{ pageId: page.page_id, place }] : [];
  });
}
