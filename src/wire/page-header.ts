import { MAX_FEED_NAME_BYTES, MAX_FRAME_BYTES, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { MAX_ANCHOR_RECEIPT_CHARS } from '../merkle/anchor-receipt.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { ORIGINS, type Origins } from './origins.ts';
import { base64, integer, list, literal, type Malformed, nullable, object, oneOf, type Shape, text } from './shape.ts';

/** One signed note in a header: a checkpoint with some twenty cosignatures is below 4 KB. */
const MAX_NOTE_CHARS = 16_384;
const MAX_CONSISTENCY_HASHES = 64;
const HASH_BYTES = 32;
/** What fits into one frame; a page of adjacent entries needs some tens. */
const MAX_PROOF_HASHES = MAX_FRAME_BYTES / HASH_BYTES;
/** Two notes, a consistency proof, an anchor and two numbers per entry, each of 17 characters at most. */
const MAX_HEADER_BYTES = 393_216;
/** And of a relay's page: 256 entries with a checkpoint and a path of their own each. */
const MAX_RELAY_HEADER_BYTES = 2_097_152;

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
  /** Of a feed that was received from another node, what that node has signed; null, and not written, for any other. */
  readonly origins: Origins | null;
  readonly proof_hashes: number;
}

type OwnHeader = Omit<PageHeader, 'origins'> & { readonly v: 1 };
type RelayHeader = Omit<PageHeader, 'origins'> & { readonly origins: Origins; readonly v: 2 };

export type PageEncoding = 'zstd' | 'identity';

const BEFORE = {
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
};
const OWN_HEADER: Shape<OwnHeader> = object<OwnHeader>({
  ...BEFORE,
  proof_hashes: integer(MAX_PROOF_HASHES),
  v: literal(1),
});
const RELAY_HEADER: Shape<RelayHeader> = object<RelayHeader>({
  ...BEFORE,
  origins: ORIGINS,
  proof_hashes: integer(MAX_PROOF_HASHES),
  v: literal(2),
});

/** True for a header of version 2, before anything of it is read: the encoding has one place for its last member. */
const RELAY_END: Buffer = Buffer.from(',"v":2}');

/** @throws TypeError when the header is not one that {@link decodePageHeader} takes */
export function encodePageHeader({ origins, ...header }: PageHeader): Uint8Array {
  const bad = checkCounts({ ...header, origins });
  if (bad !== null) throw new TypeError(`own page header, at "${bad.at}": expected ${bad.expected}, got ${bad.got}`);
  if (origins === null) return encodeMessage(OWN_HEADER, { ...header, v: 1 });
  return encodeMessage(RELAY_HEADER, { ...header, origins, v: 2 });
}

/** Pure and total. The members agree with each other; whether they agree with the frames, the page decoder says. */
export function decodePageHeader(bytes: Uint8Array): Result<PageHeader, Malformed> {
  const decoded = readHeader(bytes);
  if (!decoded.ok) return decoded;
  const bad = checkCounts(decoded.value);
  return bad === null ? decoded : err(bad);
}

function readHeader(bytes: Uint8Array): Result<PageHeader, Malformed> {
  if (RELAY_END.equals(bytes.subarray(-RELAY_END.length))) {
    const relayed = decodeMessage(bytes, RELAY_HEADER, MAX_RELAY_HEADER_BYTES);
    if (relayed.ok) {
      const { v: _, ...header } = relayed.value;
      return ok(header);
    }
    // Without its members it is a header of version 1 that says another number.
    if (relayed.error.at !== '') return relayed;
  }
  const own = decodeMessage(bytes, OWN_HEADER, MAX_HEADER_BYTES);
  if (!own.ok) return own;
  const { v: _, ...header } = own.value;
  return ok({ ...header, origins: null });
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

  const { origins } = header;
  if ((origins !== null) !== header.feed.startsWith('from/'))
    return counts('origins', origins === null ? 'what the origin has signed' : 'none', header.feed);
  const toldTwice = origins === null ? null : checkOrigins(origins, lengths);
  if (toldTwice !== null) return toldTwice;

  // An empty page has one form only: nothing to prove, nothing to decompress.
  if (indexes.length === 0 && header.proof_hashes !== 0) return counts('proof_hashes', '0', header.proof_hashes);
  if (indexes.length === 0 && header.encoding !== 'identity') return counts('encoding', 'identity', header.encoding);
  return null;
}

/** Which of two batches an entry stands under, and what its origin wrote of one that is withheld, readers could see differently. */
function checkOrigins({ batches, entries }: Origins, lengths: readonly number[]): Malformed | null {
  if (entries.length !== lengths.length) return counts('origins.entries', `${lengths.length}`, entries.length);
  const told = entries.findIndex((entry, place) => entry !== null && lengths[place] === 0);
  if (told >= 0) return counts(`origins.entries[${told}]`, 'null for an entry that is withheld', 'an item');
  const seen = new Set<number>();
  for (const [i, { places }] of batches.entries()) {
    for (const place of places) {
      if (seen.has(place)) return counts(`origins.batches[${i}].places`, 'each place once', place);
      seen.add(place);
    }
  }
  return null;
}

function counts(at: string, expected: string, got: number | string): Malformed {
  return { at, expected, got: String(got) };
}
