/** Peers' pages as they were received: bytes, notes, proof, cursors; and what became of each of their entries. */
import { decodeEntry } from '../../core/entry.ts';
import { authorityOf } from '../../core/node-id.ts';
import { encodeBase64 } from '../../merkle/base64.ts';
import type { Checkpoint } from '../../merkle/checkpoint.ts';
import { HASH_BYTES, sameHash } from '../../merkle/hash.ts';
import { foldPage } from '../../merkle/page-proof.ts';
import { isWithheld, storedLeaves } from '../../verify/page-leaves.ts';
import { isBlank, isErasedEntry } from '../../wire/erased-entry.ts';
import { type DecodedPage, decodePage } from '../../wire/page.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { pageDigest } from '../peer-records.ts';
import { feedKey } from './audit-check.ts';
import { BlankedLines } from './blanked-lines.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';
import { hasErasures } from './erasure-check.ts';
import { originOf, readCheckpoint, readFeedHead } from './notes.ts';
import type { PeerLogs } from './peer-logs.ts';
import { RelayedPages, type StoredOrigin } from './relayed-pages.ts';
import { hasRetries, isAnyRetryChanged } from './retry-check.ts';
import { StandingRefusals } from './standing-refusals.ts';

export interface PageTotals {
  /** Facts accepted, by peer. */
  readonly accepted: ReadonlyMap<string, number>;
  /** Facts refused, by {@link feedKey}. */
  readonly refused: ReadonlyMap<string, number>;
}

type Page = StoredRow<'pages'>;

export function checkPages(ctx: FsckContext, logs: PeerLogs): PageTotals {
  const check = new PageCheck(ctx, logs);
  walkTable(ctx, 'pages', { judge: (row) => check.judge(row) });
  return check;
}

class PageCheck implements PageTotals {
  readonly #ctx: FsckContext;
  readonly #logs: PeerLogs;
  /** A row that counts here was changed: that is told where those rows are read. */
  readonly #isRetryChanged: boolean;
  /** null: the file is older than retries. */
  readonly #retried: Statement<[number], number | null> | null;
  /** null: as for those, or a row that they are read from was changed. */
  readonly #standing: StandingRefusals | null;
  readonly #stored: Statement<[string], StoredOrigin>;
  readonly #noted: Statement<[number], number>;
  readonly #relayed: RelayedPages;
  readonly #root: Statement<[string, number], Uint8Array>;
  readonly #blanks: BlankedLines | null;
  readonly #cursors = new Map<string, number>();
  readonly accepted = new Map<string, number>();
  readonly refused = new Map<string, number>();

  constructor(ctx: FsckContext, logs: PeerLogs) {
    this.#ctx = ctx;
    this.#logs = logs;
    this.#relayed = new RelayedPages(ctx.db, logs, hasRetries(ctx));
    this.#stored = prepare(
      ctx.db,
      sqlBuilder
        .selectFrom('entries')
        .select(['chain_seq', 'received_from', 'origin_node_id', 'origin_chain_seq', 'origin_leaf_hash'])
        .where('fact_id', '=', PARAM),
    );
    const noted = sqlBuilder.selectFrom('page_notes').select('page_id').where('page_id', '=', PARAM);
    this.#noted = prepare<[number]>(ctx.db, noted).pluck() as Statement<[number], number>;
    this.#isRetryChanged = hasRetries(ctx) && isAnyRetryChanged(ctx.db);
    this.#blanks = hasErasures(ctx.db) ? new BlankedLines(ctx.db) : null;
    this.#retried = hasRetries(ctx)
      ? (prepare<[number]>(ctx.db, retriedEntries).pluck() as Statement<[number], number | null>)
      : null;
    this.#standing = hasRetries(ctx) && !this.#isRetryChanged ? new StandingRefusals(ctx.db) : null;
    this.#root = prepare<[string, number]>(
      ctx.db,
      sqlBuilder.selectFrom('peer_checkpoints').select('root').where('peer', '=', PARAM).where('tree_size', '=', PARAM),
    ).pluck() as Statement<[string, number], Uint8Array>;
  }

  judge(row: Page): Fault | undefined {
    this.#relayed.begin(row.page_id);
    const decoded = decodePage(row);
    const garbled = judgeDigest(row, decoded.ok && decoded.value.entries.some(isBlank));
    add(this.refused, feedKey(row.peer, row.feed), row.refused);
    if (!decoded.ok) {
      this.#moveCursor(feedKey(authorityOf(row.peer) ?? '', row.feed), row.after_seq, row.to_seq);
      const [frame = 'header'] = decoded.error.at.split(/[.[]/);
      return garbled ?? { code: 'page_malformed', field: frame, detail: `${decoded.error.at}: ${decoded.error.got}` };
    }
    const page = decoded.value;
    const leaves = storedLeaves(page);
    const faults = [
      garbled,
      this.#judgeCursor(page),
      judgeHeader(row, page),
      this.#judgeNotes(row, page, leaves),
      this.#judgeFacts(row, page, leaves),
    ];
    return faults.find((fault) => fault !== undefined);
  }

  /** By what the page itself says: a changed column must not make the next page look wrong. */
  #judgeCursor({ header }: DecodedPage): Fault | undefined {
    const owner = ownerOf(header.checkpoint);
    const { after, feed, indexes } = header;
    const cursor = this.#moveCursor(feedKey(owner, feed), after, after + indexes.length);
    if (after === cursor) return undefined;
    const detail = `the page is behind entry ${after} of ${feed}, the one before ended at ${cursor}`;
    return { code: 'cursor_gap', field: 'after_seq', detail };
  }

  #moveCursor(key: string, after: number, to: number): number {
    const cursor = this.#cursors.get(key) ?? 0;
    this.#cursors.set(key, Math.max(to, after));
    return cursor;
  }

  #judgeNotes(row: Page, page: DecodedPage, leaves: Buffer): Fault | undefined {
    const { header } = page;
    const log = this.#logs.logOf(row.peer, originOf(header.checkpoint, 0));
    if (log === undefined)
      return { code: 'checkpoint_origin_mismatch', field: 'peer', detail: `no log of ${row.peer}` };
    const checkpoint = readCheckpoint(header.checkpoint, log);
    if (!checkpoint.ok) return { code: checkpoint.error, field: 'header', detail: 'the checkpoint in the header' };
    const head = readFeedHead(header.feed_head, log);
    if (!head.ok) return { code: head.error, field: 'header', detail: 'the feed head in the header' };
    if (head.value.feed !== row.feed || head.value.length < row.to_seq) {
      return { code: 'feed_head_mismatch', field: 'header', detail: `the feed ends at ${head.value.length}` };
    }
    return this.#judgeCheckpoint(row, checkpoint.value) ?? this.#judgeProof(row, page, checkpoint.value, leaves);
  }

  /**
   * Where the page proof fails each entry is judged by a proof of its own, which is not kept. Whoever sent the page has signed for its
   * frames then; a page of a time before notes is refused something, or its proof holds.
   */
  #judgeProof(row: Page, page: DecodedPage, { size, root }: Checkpoint, leaves: Buffer): Fault | undefined {
    const folded = foldPage(size, page.header.indexes, leaves, page.proof);
    if ((folded.ok && sameHash(folded.value, root)) || row.refused > 0) return undefined;
    if (this.#noted.get(row.page_id) !== undefined) return undefined;
    return { code: 'page_proof_invalid', field: 'proof', detail: 'entries and proof do not lead to the signed root' };
  }

  #judgeCheckpoint(row: Page, { size, root }: Checkpoint): Fault | undefined {
    if (size !== row.tree_size) {
      return { code: 'checkpoint_size_mismatch', field: 'tree_size', detail: `the checkpoint says ${size}` };
    }
    const known = this.#root.get(row.peer, size);
    if ((known !== undefined && sameHash(root, known)) || this.#ctx.findings.isDamaged('peer_checkpoints')) {
      return undefined;
    }
    const detail = `no verified checkpoint of ${row.peer} over ${size} entries with root ${encodeBase64(root)} is stored`;
    return { code: 'checkpoint_unknown', field: 'header', detail };
  }

  /** Each entry was accepted, refused, or is held already: none is lost behind the cursor. */
  #judgeFacts(row: Page, page: DecodedPage, leaves: Buffer): Fault | undefined {
    let accepted = 0;
    let unknown = 0;
    let firstUnknown = 0;
    const refused = row.refused > 0 ? this.#standing?.of(row) : undefined;
    page.entries.forEach((bytes, i) => {
      if (isWithheld(page.header, i)) return;
      const leaf = leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      const isRefused = refused?.has(row.after_seq + 1 + i) === true;
      const place = isRefused ? 'unknown' : this.#placeOf(row, bytes, leaf, page, i);
      if (place === 'accepted') accepted++;
      if (place === 'unknown' && unknown++ === 0) firstUnknown = row.after_seq + 1 + i;
    });
    add(this.accepted, row.peer, accepted);
    this.#ctx.findings.checked.page_entries += page.entries.length;
    // Entries that were changed or deleted are told of by name where entries are read.
    if (this.#ctx.findings.isDamaged('entries')) return undefined;
    if (unknown > row.refused) {
      const detail = `entry ${firstUnknown} of the feed is neither in the journal nor refused`;
      return { code: 'page_entry_lost', field: 'to_seq', detail };
    }
    if (accepted === row.accepted + this.#retriedOf(row.page_id) || this.#isRetryChanged)
      return this.#relayed.finish(page, row.received_us);
    return { code: 'accepted_mismatch', field: 'accepted', detail: `${accepted} of its entries are in the journal` };
  }

  /** An entry whose bytes were erased: a step or a copy says so. */
  #blankAt(row: Page, i: number): Place {
    const blank = this.#blanks?.at(row, i);
    if (blank === undefined) return 'unknown';
    if (blank.origin !== null) this.#relayed.blanked(blank.origin, i);
    return blank.isTakenHere ? 'accepted' : 'held';
  }

  /** Entries that were refused when the page came, and taken since. */
  #retriedOf(pageId: number): number {
    return this.#retried?.get(pageId) ?? 0;
  }

  #placeOf(row: Page, bytes: Uint8Array, leaf: Uint8Array, page: DecodedPage, i: number): Place {
    if (isBlank(bytes)) return this.#blankAt(row, i);
    // It was never taken: the tombstone that stands for it was judged with the page.
    if (isErasedEntry(bytes)) return 'held';
    const entry = decodeEntry(bytes);
    const stored = entry.ok ? this.#stored.all(entry.value.fact_id) : [];
    if (stored.length === 0) return 'unknown';
    const { peer } = row;
    if (entry.ok && page.header.origins !== null) {
      const isTaken = stored.some((one) => one.received_from === peer && this.#relayed.isTaken(entry.value, i, one));
      return isTaken ? 'accepted' : 'held';
    }
    const seq = (page.header.indexes[i] ?? -1) + 1;
    const isFromHere = stored.some(
      (one) =>
        one.received_from === peer &&
        one.origin_node_id === peer &&
        one.origin_chain_seq === seq &&
        sameHash(leaf, one.origin_leaf_hash ?? NO_HASH),
    );
    return isFromHere ? 'accepted' : 'held';
  }
}

/** `held`: another entry has the fact id, so that this one was a repeat; `unknown`: it was refused, or is lost. */
type Place = 'accepted' | 'held' | 'unknown';
const NO_HASH = new Uint8Array(0);

function judgeDigest(row: Page, isBlanked: boolean): Fault | undefined {
  const digest = pageDigest(row);
  // What an erasure took out of the entries frame cannot be hashed any more; the page proof holds all that is left in it.
  if (isBlanked) digest.set(row.digest.subarray(HASH_BYTES, 2 * HASH_BYTES), HASH_BYTES);
  if (digest.equals(row.digest)) return undefined;
  const frames = ['header', 'entries', 'proof'];
  const at = digest.findIndex((byte, i) => byte !== row.digest[i]);
  const field = row.digest.length === digest.length ? (frames[Math.floor(at / HASH_BYTES)] ?? null) : 'digest';
  return { code: 'digest_mismatch', field, detail: 'the frames are not those that were received' };
}

function judgeHeader(row: Page, { header }: DecodedPage): Fault | undefined {
  const wrong = (field: string, said: string | number): Fault => ({
    code: 'page_header_mismatch',
    field,
    detail: `the header says ${said}`,
  });
  if (header.feed !== row.feed) return wrong('feed', header.feed);
  if (header.after !== row.after_seq) return wrong('after_seq', header.after);
  const to = header.after + header.indexes.length;
  if (to !== row.to_seq) return wrong('to_seq', to);
  const owner = ownerOf(header.checkpoint);
  return owner === authorityOf(row.peer) ? undefined : wrong('peer', owner);
}

/** Authority of the log that a checkpoint is of. */
function ownerOf(checkpoint: string): string {
  return originOf(checkpoint, 0)?.split('/journal/')[0] ?? '';
}

const retriedEntries = sqlBuilder
  .selectFrom('page_retries')
  .select((q) => q.fn.sum<number>('entries').as('entries'))
  .where('page_id', '=', PARAM);

function add(totals: Map<string, number>, key: string, count: number): void {
  totals.set(key, (totals.get(key) ?? 0) + count);
}
