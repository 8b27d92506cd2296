/** What the two sides of a page have signed: notes over the pages that are stored, receipts for pages that were given. */
import { HASH_BYTES, sameHash, sha256 } from '../../merkle/hash.ts';
import { parseNote } from '../../merkle/note.ts';
import { isBlank } from '../../wire/erased-entry.ts';
import { decodePage } from '../../wire/page.ts';
import { isNoteOf, openPageNote, type PageNote, parsePageNote } from '../../wire/page-note.ts';
import { openReceipt, parseReceipt } from '../../wire/page-receipt.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import type { PageRow } from '../tables-peers.ts';
import { feedKey } from './audit-check.ts';
import { countRows, type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { openWith, originOf } from './notes.ts';
import type { PeerLogs } from './peer-logs.ts';

type Noted = Pick<
  PageRow,
  'peer' | 'feed' | 'after_seq' | 'to_seq' | 'tree_size' | 'header' | 'entries' | 'proof' | 'digest'
>;

/**
 * Each note opens, names this node, and is over the frames of the page that is stored with it. Pages of a time before notes
 * have none; from the first page that has one on, each has.
 */
export function checkPageNotes(ctx: FsckContext, logs: PeerLogs): void {
  const page: Statement<[number], Noted> = prepare(
    ctx.db,
    sqlBuilder
      .selectFrom('pages')
      .select(['peer', 'feed', 'after_seq', 'to_seq', 'tree_size', 'header', 'entries', 'proof', 'digest'])
      .where('page_id', '=', PARAM),
  );
  const self = nodeId(ctx);
  let next: number | null = null;
  walkTable(ctx, 'page_notes', {
    judge: (row, _key, changed) => {
      const expected = next;
      next = (changed === 'page_id' && expected !== null ? expected : row.page_id) + 1;
      if (expected !== null && row.page_id !== expected)
        return { code: 'page_note_missing', field: 'page_id', detail: `page ${expected} has no note` };
      // What is wrong with a page is said where pages are read.
      return ctx.findings.isDamaged('pages') ? undefined : judgeNote(row, page.get(row.page_id), self, logs);
    },
  });
  const pages = countRows(ctx.db, 'pages');
  if (next === null || next > pages || ctx.findings.isDamaged('pages', 'page_notes')) return;
  const detail = `page ${next} has no note`;
  ctx.findings.problem({ table: 'page_notes', row: null, field: null, code: 'page_note_missing', detail });
}

function judgeNote(
  { note, page_id }: StoredRow<'page_notes'>,
  page: Noted | undefined,
  self: string | null,
  logs: PeerLogs,
): Fault | undefined {
  const wrong = (code: string, field: string, detail: string): Fault => ({ code, field, detail });
  if (page === undefined) return wrong('page_note_without_page', 'page_id', `there is no page ${page_id}`);
  const log = logs.logOf(page.peer, originOf(note, 1));
  if (log === undefined) return wrong('page_note_origin_mismatch', 'note', `it is none of a log of ${page.peer}`);
  const parsed = parseNote(note);
  const unsigned = parsed.ok ? parsePageNote(parsed.value.text) : parsed;
  const read = openWith(log.keys, (key) => openPageNote(note, { origin: log.origin, key })) ?? unsigned;
  if (!read.ok) return wrong(read.error, 'note', 'the note does not verify');
  const { receiver, feed, after, to, treeSize } = read.value;
  if (self !== null && receiver !== self) return wrong('page_note_mismatch', 'note', `it is for ${receiver}`);
  const isSame = feed === page.feed && after === page.after_seq && to === page.to_seq && treeSize === page.tree_size;
  if (isSame && isNoteOfStored(read.value, page)) return undefined;
  return wrong('page_note_mismatch', 'page_id', `it is not the note of page ${page_id}`);
}

/** Where an entry of the page was erased, the hash of the frame as it was received stands for it. */
function isNoteOfStored(note: PageNote, page: Noted): boolean {
  if (isNoteOf(note, page)) return true;
  const decoded = decodePage(page);
  if (!decoded.ok || !decoded.value.entries.some(isBlank)) return false;
  const received = page.digest.subarray(HASH_BYTES, 2 * HASH_BYTES);
  const holds = note.entries !== null && sameHash(received, note.entries);
  return holds && isNoteOf({ ...note, entries: sha256(page.entries ?? new Uint8Array(0)) }, page);
}

/** Each receipt opens, is for a page of this journal, says what its row says, and goes on behind the one before. */
export function checkReceipts(ctx: FsckContext, logs: PeerLogs): void {
  const ends = new Map<string, number>();
  walkTable(ctx, 'page_receipts', {
    judge: (row) => {
      const key = feedKey(row.peer, row.feed);
      const before = ends.get(key) ?? 0;
      ends.set(key, Math.max(before, row.to_seq));
      return judgeReceipt(row, ctx.origins.journal, logs) ?? judgeOrder(row, before);
    },
  });
}

function judgeReceipt(row: StoredRow<'page_receipts'>, journal: string | null, logs: PeerLogs): Fault | undefined {
  const log = logs.logOf(row.peer, originOf(row.note, 1));
  if (log === undefined)
    return { code: 'receipt_origin_mismatch', field: 'note', detail: `it is none of a log of ${row.peer}` };
  const parsed = parseNote(row.note);
  const unsigned = parsed.ok ? parseReceipt(parsed.value.text) : parsed;
  const read = openWith(log.keys, (key) => openReceipt(row.note, { origin: log.origin, key })) ?? unsigned;
  if (!read.ok) return { code: read.error, field: 'note', detail: 'the note does not verify' };
  const { sender, feed, after, to } = read.value;
  if (journal !== null && sender !== journal)
    return { code: 'receipt_mismatch', field: 'note', detail: `it is for a page of ${sender}` };
  const field =
    feed !== row.feed ? 'feed' : after !== row.after_seq ? 'after_seq' : to !== row.to_seq ? 'to_seq' : null;
  return field === null ? undefined : { code: 'receipt_mismatch', field, detail: `it says ${feed}, ${after} to ${to}` };
}

function judgeOrder({ after_seq }: StoredRow<'page_receipts'>, before: number): Fault | undefined {
  if (after_seq >= before) return undefined;
  return {
    code: 'receipt_order',
    field: 'after_seq',
    detail: `it begins behind ${after_seq}, the last ended at ${before}`,
  };
}

function nodeId(ctx: FsckContext): string | null {
  if (ctx.findings.isDamaged('meta')) return null;
  const query = sqlBuilder.selectFrom('meta').select('value').where('key', '=', PARAM);
  const found = prepare<[string], string>(ctx.db, query).pluck().get('node_id');
  return found === undefined ? null : String(found);
}
