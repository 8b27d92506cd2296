/** Reads facts, pages and proofs out of the journal. Each row is checked as it is read; what fails is never handed out. */
import type { Entry } from '../core/entry.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { signFeedHead } from '../merkle/feed-head.ts';
import { proveConsistency, proveInclusion, provePage } from '../merkle/tiles.ts';
import { encodeErasedEntry } from '../wire/erased-entry.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { ErasureRecords } from './erasure-records.ts';
import type { CorruptFact } from './read-model.ts';
import { type CheckedRow, checkRow } from './row-check.ts';
import { StoredTiles } from './stored-tiles.ts';
import type { EntryRow } from './tables-logs.ts';

export interface RangeEntry {
  readonly index: number;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  readonly leafHash: Uint8Array;
  /** null: its body is erased; a stand-in is in its place. */
  readonly entry: Entry | null;
}

/** One run of a feed, ready to be put into a page. */
export interface FeedRange {
  readonly entries: readonly RangeEntry[];
  /** Packed page proof. */
  readonly proof: Uint8Array;
  readonly feedHead: string;
  readonly feedLength: number;
}

export interface RangeRequest {
  readonly feed: string;
  readonly after: number;
  /** Tree size of the signed checkpoint that the page is proved against. */
  readonly treeSize: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export class CorruptRowError extends Error {
  override readonly name = 'CorruptRowError';
  readonly corrupt: CorruptFact;

  constructor(corrupt: CorruptFact) {
    super(`entry ${corrupt.chainSeq} is not what was appended (${corrupt.code} in ${corrupt.difference.field})`);
    this.corrupt = corrupt;
  }
}

/** The checkpoint that is served does not cover a tombstone yet: without it nobody would believe that its fact is erased. */
export class UncoveredTombstoneError extends Error {
  override readonly name = 'UncoveredTombstoneError';
  readonly code = 'uncovered';

  constructor() {
    super('the next entry is erased, and the checkpoint that is served does not cover its tombstone yet');
  }
}

export class EntryReader {
  readonly #tiles: StoredTiles;
  readonly #signer: LogSigner;
  readonly #erasures: ErasureRecords;
  readonly #byId: Statement<[string], EntryRow>;
  readonly #bySeq: Statement<[number], EntryRow>;
  readonly #feedId: Statement<[string], number>;
  readonly #feedName: Statement<[number], string>;
  readonly #range: Statement<[number, number, number, number], EntryRow>;
  readonly #feedEnd: Statement<[number, number], { feed_seq: number; leaf_hash: Uint8Array }>;

  constructor(db: Db, signer: LogSigner) {
    this.#tiles = new StoredTiles(db, 'journal');
    this.#signer = signer;
    this.#erasures = new ErasureRecords(db);
    const entries = sqlBuilder.selectFrom('entries').selectAll();
    this.#byId = prepare(db, entries.where('fact_id', '=', PARAM));
    this.#bySeq = prepare(db, entries.where('chain_seq', '=', PARAM));
    this.#feedId = prepare<[string]>(
      db,
      sqlBuilder.selectFrom('feeds').select('feed_id').where('name', '=', PARAM),
    ).pluck() as Statement<[string], number>;
    this.#feedName = prepare<[number]>(
      db,
      sqlBuilder.selectFrom('feeds').select('name').where('feed_id', '=', PARAM),
    ).pluck() as Statement<[number], string>;
    this.#range = prepare(
      db,
      entries
        .where('feed_id', '=', PARAM)
        .where('feed_seq', '>', PARAM)
        .where('chain_seq', '<=', PARAM)
        .orderBy('feed_seq')
        .limit(PARAM),
    );
    this.#feedEnd = prepare(
      db,
      sqlBuilder
        .selectFrom('entries')
        .select(['feed_seq', 'leaf_hash'])
        .where('feed_id', '=', PARAM)
        .where('chain_seq', '<=', PARAM)
        .orderBy('feed_seq', 'desc')
        .limit(ONE),
    );
  }

  byFactId(id: string): CheckedRow | undefined {
    return this.#check(this.#byId.get(id));
  }

  bySeq(seq: number): CheckedRow | undefined {
    return this.#check(this.#bySeq.get(seq));
  }

  /**
   * Entries of a feed behind `after`, with their proof against the tree of `treeSize` leaves. Undefined when there is no
   * such feed.
   *
   * @throws CorruptRowError when a stored row is not what was appended: nothing of the range is served then
   */
  feedRange(request: RangeRequest): FeedRange | undefined {
    const feedId = this.#feedId.get(request.feed);
    if (feedId === undefined) return undefined;
    const entries: RangeEntry[] = [];
    let bytes = 0;
    for (const row of this.#range.iterate(feedId, request.after, request.treeSize, request.maxEntries)) {
      const checked = this.#checkStored(row);
      if (!checked.ok && checked.kind === 'corrupt') throw new CorruptRowError(checked.corrupt);
      const text = checked.ok ? Buffer.from(checked.text, 'utf8') : this.#standIn(row, request.treeSize);
      if (text === undefined) break;
      bytes += text.length;
      if (entries.length > 0 && bytes > request.maxBytes) break;
      const { leaf_hash: leafHash } = row;
      const salt = checked.ok ? row.salt : leafHash;
      entries.push({ index: row.chain_seq - 1, salt, bytes: text, leafHash, entry: checked.ok ? checked.entry : null });
    }
    const head = this.#feedHead(request.feed, feedId, request.treeSize);
    // To say that there is nothing would deny what the feed head states.
    if (entries.length === 0 && head.feedLength > request.after) throw new UncoveredTombstoneError();
    const proof =
      entries.length === 0
        ? new Uint8Array(0)
        : provePage(
            entries.map(({ index }) => index),
            request.treeSize,
            this.#tiles,
          );
    return { entries, proof, ...head };
  }

  /** In a feed that is relayed any entry may be withheld; in one of our own a hole has to prove itself. */
  #standIn(row: EntryRow, treeSize: number): Uint8Array | undefined {
    return row.origin_node_id === null ? this.#whyErased(row.chain_seq, treeSize) : new Uint8Array(0);
  }

  /**
   * What a page says in place of an entry without a body: its tombstone, proved in the tree of `treeSize` leaves. Undefined
   * when that tree does not hold it yet: then a page ends before the entry.
   */
  #whyErased(seq: number, treeSize: number): Uint8Array | undefined {
    const tombstoneSeq = this.#erasures.ofTarget(seq)?.tombstone_seq ?? null;
    const row = tombstoneSeq === null || tombstoneSeq > treeSize ? undefined : this.#bySeq.get(tombstoneSeq);
    const checked = row === undefined ? undefined : this.#checkStored(row);
    if (row === undefined || checked?.ok !== true || checked.entry.origin !== null) return undefined;
    const path = proveInclusion(row.chain_seq - 1, treeSize, this.#tiles).map(encodeBase64);
    return encodeErasedEntry({ path, salt: encodeBase64(row.salt), tombstone: checked.text });
  }

  /** The last entries of a feed of `length` entries, newest first, at most `limit`. */
  newest(feed: string, length: number, limit: number): readonly CheckedRow[] {
    const feedId = this.#feedId.get(feed);
    if (feedId === undefined || limit <= 0) return [];
    const rows = this.#range.all(feedId, Math.max(0, length - limit), Number.MAX_SAFE_INTEGER, limit);
    return rows.map((row) => this.#checkStored(row)).reverse();
  }

  /** RFC 9162 inclusion paths, leaf to root. */
  inclusion(indexes: readonly number[], size: number): Uint8Array[][] {
    return indexes.map((index) => proveInclusion(index, size, this.#tiles));
  }

  consistency(from: number, to: number): Uint8Array[] {
    return proveConsistency(from, to, this.#tiles);
  }

  tile(level: number, index: number, width: number): Uint8Array {
    return this.#tiles.tile(level, index, width).subarray(0, width * 32);
  }

  #check(row: EntryRow | undefined): CheckedRow | undefined {
    return row === undefined ? undefined : this.#checkStored(row);
  }

  #checkStored(row: EntryRow): CheckedRow {
    return checkRow(row, {
      treeLeaf: this.#tiles.fullTileLeaf(row.chain_seq),
      feed: this.#feedName.get(row.feed_id),
    });
  }

  #feedHead(feed: string, feedId: number, size: number): { feedHead: string; feedLength: number } {
    const last = this.#feedEnd.get(feedId, size);
    const length = last?.feed_seq ?? 0;
    const head = { origin: this.#signer.name, feed, length, size, lastLeaf: last?.leaf_hash ?? null };
    return { feedHead: signFeedHead(head, this.#signer), feedLength: length };
  }
}
