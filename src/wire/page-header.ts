import { MAX_FEED_NAME_BYTES, MAX_FRAME_BYTES, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES } from '../core/limits.ts';
import { err, type Result } from '../core/result.ts';
import { MAX_ANCHOR_RECEIPT_CHARS } from '../merkle/anchor-receipt.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { base64, integer, list, literal, type Malformed, nullable, object, oneOf, type Shape, text } from './shape.ts';

/** One signed note in a header: a checkpoint with some twenty cosignatures is below 4 KB. */
const MAX_NOTE_CHARS = 16_384;
const MAX_CONSISTENCY_HASHES = 64;
const HASH_BYTES = 32;
/** What fits into one frame; a page of adjacent entries needs some tens. */
const MAX_PROOF_HASHES = MAX_FRAME_BYTES / HASH_BYTES;
/** Two notes, a consistency proof, an anchor and two numbers per entry, each of 17 characters at most. */
const MAX_HEADER_BYTES = 393_216;

/** `base64(salt) SP` before and `LF` after the bytes of each entry in the entries frame. */
export const ENTRY_LINE_OVERHEAD_BYTES = 46;

/** First frame of a page: which entries of which feed follow, and what they are proven against. */
export interface PageHeader {
  /** Feed sequence of the entry before the first one of this page. */
  readonly after: number;
  /** Canonical JSON of the newest anchor receipt, on the first page of an answer; null where there is none. */
  readonly anchor: string | null;
  /** Signed note. */
  readonly checkpoint: string;
  /** From the puller's known size to this checkpoint; on the first page of an answer only. */
  readonly consistency: readonly string[] | null;
  readonly encoding: PageEncoding;
  /** Length of the entries frame before compression. */
  readonly entries_bytes: number;
  readonly feed: string;
  /** Signed note. */
  readonly feed_head: string;
  /** 0-based leaf indexes, strictly increasing. */
  readonly indexes: readonly number[];
  /** Bytes of each entry, in the same order. */
  readonly lengths: readonly number[];
  readonly proof_hashes: number;
  readonly v: 1;
}

export type PageEncoding = 'zstd' | 'identity';

const PAGE_HEADER: Shape<PageHeader> = object<PageHeader>({
  after: integer(),
  anchor: nullable(text(MAX_ANCHOR_RECEIPT_CHARS)),
  checkpoint: text(MAX_NOTE_CHARS),
  consistency: nullable(list(base64(HASH_BYTES), MAX_CONSISTENCY_HASHES)),
  encoding: oneOf('zstd', 'identity'),
  entries_bytes: integer(MAX_PAGE_BYTES),
  feed: text(MAX_FEED_NAME_BYTES),
  feed_head: text(MAX_NOTE_CHARS),
  indexes: list(integer(), MAX_PAGE_ENTRIES),
  lengths: list(integer(MAX_PAGE_BYTES), MAX_PAGE_ENTRIES),
  proof_hashes: integer(MAX_PROOF_HASHES),
  v: literal(1),
});

/** @throws TypeError when the header is not one that {@link decodePageHeader} takes */
export function encodePageHeader(header: PageHeader): Uint8Array {
  const bad = checkCounts(header);
  if (bad !== null) throw new TypeError(`own page header, at "${bad.at}": expected ${bad.expected}, got ${bad.got}`);
  return encodeMessage(PAGE_HEADER, header);
}

/** Pure and total. The members agree with each other; whether they agree with the frames, the page decoder says. */
export function decodePageHeader(bytes: Uint8Array): Result<PageHeader, Malformed> {
  const decoded = decodeMessage(bytes, PAGE_HEADER, MAX_HEADER_BYTES);
  if (!decoded.ok) return decoded;
  const bad = checkCounts(decoded.value);
  return bad === null ? decoded : err(bad);
}

function checkCounts(header: PageHeader): Malformed | null {
  const { indexes, lengths } = header;
  if (lengths.length !== indexes.length) return counts('lengths', `${indexes.length} lengths`, lengths.length);

  let total = ENTRY_LINE_OVERHEAD_BYTES * lengths.length;
  for (const length of lengths) total += length;
  if (total !== header.entries_bytes) return counts('entries_bytes', `${total}`, header.entries_bytes);

  for (let i = 1, before = indexes[0] ?? 0; i < indexes.length; i++) {
    const index = indexes[i] ?? 0;
    if (index <= before) return counts(`indexes[${i}]`, `more than ${before}`, index);
    before = index;
  }

  // An empty page has one form only: nothing to prove, nothing to decompress.
  if (indexes.length === 0 && header.proof_hashes !== 0) return counts('proof_hashes', '0', header.proof_hashes);
  if (indexes.length === 0 && header.encoding !== 'identity') return counts('encoding', 'identity', header.encoding);
  return null;
}

function counts(at: string, expected: string, got: number | string): Malformed {
  return { at, expected, got: String(got) };
}
