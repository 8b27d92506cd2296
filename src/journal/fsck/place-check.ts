/** Where pages' entries are said to stand, and what is kept for peers. */
import { MAX_PAGE_ENTRIES } from '../../core/limits.ts';
import { MIN_SEALED_BYTES, sealedBytes } from '../../wire/restore-note.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { feedNamed } from '../feed-places.ts';
import type { Tables } from '../tables.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';

/** The migration that made the tables; an older file has none. */
const SINCE_SCHEMA = 6;

export function checkPlaces(ctx: FsckContext): void {
  if (!hasTables(ctx)) return;
  const places = new PlaceCheck(ctx);
  walkTable(ctx, 'page_places', { judge: (row) => places.judge(row) });
}

function hasTables({ db }: FsckContext): boolean {
  return Number(db.pragma('user_version', { simple: true })) >= SINCE_SCHEMA;
}

/** Each place is that of a page, behind the one before, and its entries are from the page's sender. */
class PlaceCheck {
  readonly #ctx: FsckContext;
  readonly #page: Statement<[number], { peer: string; accepted: number }>;
  readonly #received: Statement<[number, number, string], number>;
  #pageId = 0;
  #free = 1;

  constructor(ctx: FsckContext) {
    this.#ctx = ctx;
    const page = sqlBuilder.selectFrom('pages').select(['peer', 'accepted']).where('page_id', '=', PARAM);
    this.#page = prepare(ctx.db, page);
    const received = sqlBuilder
      .selectFrom('entries')
      .select((q) => q.fn.countAll().as('rows'))
      .where('chain_seq', '>=', PARAM)
      .where('chain_seq', '<', PARAM)
      .where('received_from', '=', PARAM);
    this.#received = prepare<[number, number, string]>(ctx.db, received).pluck() as Statement<
      [number, number, string],
      number
    >;
  }

  judge({ page_id, first_seq, entries }: StoredRow<'page_places'>): Fault | undefined {
    const isBehind = page_id > this.#pageId && first_seq >= this.#free && entries > 0;
    this.#pageId = Math.max(this.#pageId, page_id);
    this.#free = Math.max(this.#free, first_seq + entries);
    if (!isBehind) return { code: 'place_order', field: null, detail: 'it does not go on behind the place before' };
    // What is wrong with pages or entries is said where those are read.
    if (this.#ctx.findings.isDamaged('pages', 'entries')) return undefined;
    const page = this.#page.get(page_id);
    if (page === undefined)
      return { code: 'place_without_page', field: 'page_id', detail: `there is no page ${page_id}` };
    const received = this.#received.get(first_seq, first_seq + entries, page.peer) ?? 0;
    if (received === entries && entries <= page.accepted) return undefined;
    const detail = `${received} of the ${entries} entries from ${first_seq} on are from ${page.peer}, whose page brought ${page.accepted}`;
    return { code: 'place_mismatch', field: 'first_seq', detail };
  }
}

/** Sealed by peers: whether it is what they left, they alone can tell. It is about pages that there can have been. */
export function checkKeptNotes(ctx: FsckContext): void {
  if (!hasTables(ctx)) return;
  const ofFeed = sqlBuilder
    .selectFrom('entries')
    .select((q) => q.fn.max('feed_seq').as('length'))
    .where('feed_id', '=', feedNamed);
  const length = prepare<[string], number | null>(ctx.db, ofFeed).pluck() as Statement<[string], number | null>;
  // What is wrong with a feed is said where feeds are read.
  const isKnown = !ctx.findings.isDamaged('feeds', 'entries');
  const rows = sqlBuilder.selectFrom('kept_notes').selectAll().orderBy('kept_id');
  for (const row of prepare<[], Tables['kept_notes']>(ctx.db, rows).iterate()) {
    const fault = judgeNote(row, isKnown ? (length.get(row.feed) ?? 0) : row.to_seq);
    ctx.findings.checked.kept_notes++;
    if (fault !== undefined) ctx.findings.problem({ table: 'kept_notes', row: row.kept_id, ...fault });
  }
}

function judgeNote({ feed, after_seq, to_seq, sealed }: Tables['kept_notes'], length: number): Fault | undefined {
  const entries = to_seq - after_seq;
  if (after_seq < 0 || entries < 1 || entries > MAX_PAGE_ENTRIES || to_seq > length) {
    const detail = `it is about ${feed} from behind ${after_seq} to ${to_seq}, and the feed has ${length} entries`;
    return { code: 'kept_note_range', field: 'to_seq', detail };
  }
  if (sealed.length >= MIN_SEALED_BYTES && sealed.length <= sealedBytes(entries)) return undefined;
  return { code: 'kept_note_size', field: 'sealed', detail: `${sealed.length} bytes are no note about such a page` };
}
