/** Which entries of pages were refused, and which of them were taken since: against the pages, the entries and the audit log. */
import { sql } from 'kysely';
import { decodeEntry } from '../../core/entry.ts';
import { positionsOf } from '../../core/runs.ts';
import { isFactReason } from '../../core/verdict.ts';
import { isBlank } from '../../wire/erased-entry.ts';
import { decodePage } from '../../wire/page.ts';
import { decodePageHeader } from '../../wire/page-header.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { readPlaces, reasonsIn } from '../page-refusals.ts';
import type { PageRow } from '../tables-peers.ts';
import { type AuditTotals, feedKey } from './audit-check.ts';
import { allRows, changedColumn, type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';

/** The migration that made the tables; an older file has none. */
const SINCE_SCHEMA = 8;

type Page = Pick<PageRow, 'peer' | 'feed' | 'after_seq' | 'to_seq' | 'refused' | 'header' | 'entries' | 'proof'>;

export function checkRetries(ctx: FsckContext, audit: AuditTotals | undefined): void {
  if (!hasRetries(ctx)) return;
  const check = new RetryCheck(ctx);
  walkTable(ctx, 'page_refusals', { judge: (row) => check.refusals(row) });
  walkTable(ctx, 'page_retries', { judge: (row) => check.retry(row) });
  check.finish(audit);
}

export function hasRetries({ db }: FsckContext): boolean {
  return Number(db.pragma('user_version', { simple: true })) >= SINCE_SCHEMA;
}

/** Whether a row that says what was refused, or taken after all, is not what was written, by its sums. */
export function isAnyRetryChanged(db: Db): boolean {
  return isAnyChanged(db, 'page_refusals') || isAnyChanged(db, 'page_retries');
}

function isAnyChanged(db: Db, table: 'page_refusals' | 'page_retries'): boolean {
  for (const row of allRows(db, table).iterate()) if (changedColumn(table, row) !== undefined) return true;
  return false;
}

class RetryCheck {
  readonly #ctx: FsckContext;
  readonly #page: Statement<[number], Page>;
  readonly #refusals: Statement<[number], string>;
  readonly #earlier: Statement<[number, number], string>;
  readonly #entries: Statement<[number, number], { received_from: string | null; origin_chain_seq: number | null }>;
  readonly #lacking: Statement<[number], number>;
  /** Entries that were taken after all, by feed. */
  readonly #taken = new Map<string, number>();
  #pageId = 0;
  #firstPage = 0;
  #free = 1;

  constructor(ctx: FsckContext) {
    this.#ctx = ctx;
    const { db } = ctx;
    this.#page = prepare(db, pageById);
    this.#refusals = prepare<[number]>(db, refusalsOf).pluck() as Statement<[number], string>;
    this.#earlier = prepare<[number, number]>(db, earlierRetries).pluck() as Statement<[number, number], string>;
    this.#entries = prepare(db, entriesBetween);
    this.#lacking = prepare<[number]>(db, pagesWithout).pluck() as Statement<[number], number>;
  }

  refusals({ page_id, peer, feed, places }: StoredRow<'page_refusals'>): Fault | undefined {
    const isBehind = page_id > this.#pageId;
    if (this.#firstPage === 0) this.#firstPage = page_id;
    this.#pageId = Math.max(this.#pageId, page_id);
    if (!isBehind)
      return { code: 'page_refusals_order', field: 'page_id', detail: 'it does not go on behind the one before' };
    if (this.#ctx.findings.isDamaged('pages')) return undefined;
    const page = this.#page.get(page_id);
    if (page === undefined || page.peer !== peer || page.feed !== feed)
      return {
        code: 'page_refusals_without_page',
        field: 'page_id',
        detail: `no page ${page_id} of ${feed} of ${peer}`,
      };
    const refused = reasonsIn(places, page.after_seq, page.to_seq);
    if (refused?.length === page.refused && isOnce(refused) && refused.every(([, reason]) => isFactReason(reason)))
      return undefined;
    const detail = `it names ${refused?.length ?? 'no'} places, the page counts ${page.refused} refused entries`;
    return { code: 'page_refusals_mismatch', field: 'places', detail };
  }

  retry(row: StoredRow<'page_retries'>): Fault | undefined {
    const { retry_id, page_id, peer, feed, first_seq, entries, places: text } = row;
    this.#taken.set(feedKey(peer, feed), (this.#taken.get(feedKey(peer, feed)) ?? 0) + entries);
    const isBehind = first_seq >= this.#free && entries > 0;
    this.#free = Math.max(this.#free, first_seq + entries);
    if (!isBehind)
      return { code: 'page_retry_order', field: 'first_seq', detail: 'it does not go on behind the one before' };
    if (this.#ctx.findings.isDamaged('pages', 'entries', 'page_refusals')) return undefined;
    const page = this.#page.get(page_id);
    if (page === undefined || page.peer !== peer || page.feed !== feed)
      return { code: 'page_retry_without_page', field: 'page_id', detail: `no page ${page_id} of ${feed} of ${peer}` };
    const places = positionsOf(readPlaces(text, page.after_seq, page.to_seq) ?? []);
    if (places.length !== entries)
      return { code: 'page_retry_mismatch', field: 'places', detail: `${places.length} places for ${entries} entries` };
    return this.#judgePlaces(page, page_id, retry_id, places) ?? this.#judgeEntries(page, peer, first_seq, places);
  }

  /** A page with refused entries says which, from the first on that says so; the audit log has each resolution. */
  finish(audit: AuditTotals | undefined): void {
    const { findings } = this.#ctx;
    if (!findings.isDamaged('pages', 'page_refusals') && this.#firstPage > 0) {
      const row = this.#lacking.get(this.#firstPage);
      const detail = 'entries of it were refused, and it is not kept which';
      if (row !== undefined)
        findings.problem({ table: 'page_refusals', row, field: 'page_id', code: 'page_refusals_missing', detail });
    }
    if (audit === undefined || findings.isDamaged('audit', 'page_retries')) return;
    for (const key of new Set([...audit.resolved.keys(), ...this.#taken.keys()])) {
      const [taken, resolved] = [this.#taken.get(key) ?? 0, audit.resolved.get(key) ?? 0];
      if (taken === resolved) continue;
      const detail = `${key.replace('\n', ' ')}: ${taken} refused entries were taken, the audit log says ${resolved}`;
      findings.problem({ table: 'page_retries', row: null, field: 'entries', code: 'resolved_mismatch', detail });
    }
  }

  #judgePlaces(page: Page, pageId: number, retryId: number, places: readonly number[]): Fault | undefined {
    const refused = reasonsIn(this.#refusals.get(pageId) ?? '', page.after_seq, page.to_seq) ?? [];
    const open = new Set(refused.map(([place]) => place));
    for (const text of this.#earlier.all(pageId, retryId))
      for (const place of positionsOf(readPlaces(text, page.after_seq, page.to_seq) ?? [])) open.delete(place);
    const wrong = places.find((place) => !open.has(place));
    if (wrong === undefined) return undefined;
    return { code: 'page_retry_mismatch', field: 'places', detail: `entry ${wrong} of the feed did not stand refused` };
  }

  #judgeEntries(page: Page, peer: string, firstSeq: number, places: readonly number[]): Fault | undefined {
    const sequenceOf = originSequences(page);
    const rows = this.#entries.all(firstSeq, firstSeq + places.length - 1);
    const isTheirs = places.every((place, i) => {
      const sequence = sequenceOf(place - page.after_seq - 1);
      const row = rows[i];
      return row?.received_from === peer && (sequence === 'erased' || row.origin_chain_seq === sequence);
    });
    if (isTheirs && rows.length === places.length) return undefined;
    const detail = `the entries from ${firstSeq} on are not those of the page`;
    return { code: 'page_retry_mismatch', field: 'first_seq', detail };
  }
}

/**
 * Where each entry of a page stands in its origin's log: in the sender's own, by the index of its leaf; in that of a node whose feed
 * the sender relays, by what the entry says of itself.
 */
function originSequences(page: Page): (at: number) => number | 'erased' | undefined {
  const header = decodePageHeader(page.header);
  const decoded = header.ok && header.value.origins !== null ? decodePage(page) : null;
  if (decoded?.ok !== true)
    return (at) => {
      const index = header.ok ? header.value.indexes[at] : undefined;
      return index === undefined ? undefined : index + 1;
    };
  return (at) => {
    const bytes = decoded.value.entries[at];
    if (bytes === undefined || isBlank(bytes)) return bytes === undefined ? undefined : 'erased';
    const entry = decodeEntry(bytes);
    return entry.ok ? entry.value.origin?.chain_seq : undefined;
  };
}

function isOnce(refused: readonly (readonly [number, string])[]): boolean {
  return refused.every(([place], i) => place !== refused[i - 1]?.[0]);
}

const pageById = sqlBuilder
  .selectFrom('pages')
  .select(['peer', 'feed', 'after_seq', 'to_seq', 'refused', 'header', 'entries', 'proof'])
  .where('page_id', '=', PARAM);

const refusalsOf = sqlBuilder.selectFrom('page_refusals').select('places').where('page_id', '=', PARAM);

const earlierRetries = sqlBuilder
  .selectFrom('page_retries')
  .select('places')
  .where('page_id', '=', PARAM)
  .where('retry_id', '<', PARAM);

const entriesBetween = sqlBuilder
  .selectFrom('entries')
  .select(['received_from', 'origin_chain_seq'])
  .where('chain_seq', '>=', PARAM)
  .where('chain_seq', '<=', PARAM)
  .orderBy('chain_seq');

const ZERO = sql.lit(0);

const pagesWithout = sqlBuilder
  .selectFrom('pages')
  .leftJoin('page_refusals', 'page_refusals.page_id', 'pages.page_id')
  .select('pages.page_id')
  .where('pages.page_id', '>=', PARAM)
  .where('pages.refused', '>', ZERO)
  .where('page_refusals.page_id', 'is', null)
  .orderBy('pages.page_id');
