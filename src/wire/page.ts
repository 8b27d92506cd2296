import { MAX_FRAME_BYTES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { SALT_BYTES } from '../merkle/commitment.ts';
import type { Origins } from './origins.ts';
import { decodePageHeader, encodePageHeader, type PageEncoding, type PageHeader } from './page-header.ts';
import type { Malformed } from './shape.ts';
import { compressZstd, decompressZstd } from './zstd-frame.ts';

const HASH_BYTES = 32;
const SALT_CHARS = 44;
const SPACE = 0x20;
const LINE_FEED = 0x0a;
const EQUALS = 0x3d;

/** The frames of one page as they travel; a frame that would be empty is left out, as an empty frame ends the answer. */
export interface PageFrames {
  readonly header: Uint8Array;
  /** null when the page lists no entry */
  readonly entries: Uint8Array | null;
  /** null when the proof has no hash */
  readonly proof: Uint8Array | null;
}

/** A page as it travels: its frames, and behind them the note that its sender signed over them. */
export interface SignedPageFrames extends PageFrames {
  /** Signed note, see `page-note.ts`; null when nothing could be read behind the header. */
  readonly note: Uint8Array | null;
}

/** A page taken apart. The byte arrays are views, nothing in them has been judged. */
export interface DecodedPage {
  readonly header: PageHeader;
  /** 32 bytes each */
  readonly salts: readonly Uint8Array[];
  /** Bytes of each entry exactly as sent. */
  readonly entries: readonly Uint8Array[];
  /** `proof_hashes` × 32 bytes */
  readonly proof: Uint8Array;
}

/** What a server puts into a page. */
export interface PageContent {
  readonly feed: string;
  readonly after: number;
  /** Canonical JSON of an anchor receipt; null on later pages of an answer. */
  readonly anchor: string | null;
  readonly checkpoint: string;
  readonly feedHead: string;
  /** base64 hashes on the first page of an answer, null on later ones */
  readonly consistency: readonly string[] | null;
  readonly encoding: PageEncoding;
  readonly entries: readonly { readonly index: number; readonly salt: Uint8Array; readonly bytes: Uint8Array }[];
  /** For a feed that was received from another node; null for any other. */
  readonly origins: Origins | null;
  /** page proof, packed */
  readonly proof: Uint8Array;
}

/** Tells how many frames follow a header: the reader of a stream needs it before the page is decoded. */
export function framesAfterHeader(header: PageHeader): { readonly entries: boolean; readonly proof: boolean } {
  return { entries: header.indexes.length > 0, proof: header.proof_hashes > 0 };
}

/**
 * Writes one page.
 *
 * @throws TypeError when the content is not a page that {@link decodePage} takes
 */
export function encodePage(content: PageContent): PageFrames {
  const { entries, proof } = content;
  const lines = entryLines(entries);
  const encoding = entries.length === 0 ? 'identity' : content.encoding;
  const header = encodePageHeader({
    after: content.after,
    anchor: content.anchor,
    checkpoint: content.checkpoint,
    consistency: content.consistency,
    encoding,
    entries_bytes: lines.length,
    feed: content.feed,
    feed_head: content.feedHead,
    indexes: entries.map((entry) => entry.index),
    lengths: entries.map((entry) => entry.bytes.length),
    origins: content.origins,
    proof_hashes: proof.length / HASH_BYTES,
  });
  return {
    header,
    entries: entries.length === 0 ? null : packed(lines, encoding),
    proof: proof.length === 0 ? null : proof,
  };
}

/** The entries frame over lines that {@link decodePage} has taken apart. */
export function encodeEntries(
  entries: readonly Omit<PageContent['entries'][number], 'index'>[],
  encoding: PageEncoding,
): Uint8Array {
  return packed(entryLines(entries), encoding);
}

function packed(lines: Buffer, encoding: PageEncoding): Uint8Array {
  return encoding === 'zstd' ? compressZstd(lines) : lines;
}

function entryLines(entries: readonly Omit<PageContent['entries'][number], 'index'>[]): Buffer {
  let total = 0;
  for (const { bytes } of entries) total += SALT_CHARS + 2 + bytes.length;
  const lines = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { salt, bytes } of entries) {
    if (salt.length !== SALT_BYTES) throw new TypeError('a salt is 32 bytes');
    at += lines.write(Buffer.from(salt.buffer, salt.byteOffset, salt.length).toString('base64'), at, 'latin1');
    lines[at++] = SPACE;
    lines.set(bytes, at);
    at += bytes.length;
    lines[at++] = LINE_FEED;
  }
  return lines;
}

/** Takes one page apart. Pure and total; decompresses at most what the (bounded) header announces. */
export function decodePage(frames: PageFrames): Result<DecodedPage, Malformed> {
  const decoded = decodePageHeader(frames.header);
  if (!decoded.ok)
    return err({ ...decoded.error, at: decoded.error.at === '' ? 'header' : `header.${decoded.error.at}` });
  const header = decoded.value;

  const proof = frames.proof ?? new Uint8Array(0);
  if ((frames.proof === null) !== (header.proof_hashes === 0) || proof.length !== header.proof_hashes * HASH_BYTES)
    return malformed('proof', `${header.proof_hashes * HASH_BYTES} bytes`, `${proof.length} bytes`);

  if ((frames.entries === null) !== (header.indexes.length === 0))
    return malformed(
      'entries',
      header.indexes.length === 0 ? 'no frame' : 'a frame',
      frames.entries === null ? 'none' : 'one',
    );
  if (frames.entries === null) return ok({ header, salts: [], entries: [], proof });

  const lines = expand(frames.entries, header);
  if (lines === null)
    return malformed(
      'entries',
      `${header.encoding} of ${header.entries_bytes} bytes`,
      `${frames.entries.length} other bytes`,
    );
  return splitLines(lines, header, proof);
}

function expand(frame: Uint8Array, header: PageHeader): Buffer | null {
  if (frame.length > MAX_FRAME_BYTES) return null;
  if (header.encoding === 'zstd') return decompressZstd(frame, header.entries_bytes);
  return frame.length === header.entries_bytes ? Buffer.from(frame.buffer, frame.byteOffset, frame.length) : null;
}

/** The lengths in the header fix every offset: nothing is searched for, so no byte of an entry can move a border. */
function splitLines(lines: Buffer, header: PageHeader, proof: Uint8Array): Result<DecodedPage, Malformed> {
  const { lengths } = header;
  const packed = Buffer.allocUnsafe(lengths.length * SALT_BYTES);
  const salts: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i] ?? 0;
    const entryAt = at + SALT_CHARS + 1;
    if (!decodeSalt(lines, at, packed, i * SALT_BYTES))
      return malformed(`entries[${i}].salt`, 'base64 of 32 bytes', 'other text');
    if (lines[entryAt - 1] !== SPACE) return malformed(`entries[${i}]`, 'a space behind the salt', 'another byte');
    if (lines[entryAt + length] !== LINE_FEED)
      return malformed(`entries[${i}]`, 'a line feed behind the entry', 'another byte');
    salts.push(packed.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES));
    entries.push(lines.subarray(entryAt, entryAt + length));
    at = entryAt + length + 1;
  }
  return ok({ header, salts, entries, proof });
}

const SEXTET: Int8Array = new Int8Array(256).fill(-1);
for (const [i, char] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  SEXTET[char.charCodeAt(0)] = i;

/**
 * Decodes 43 base64 characters and one `=` into 32 bytes; only the one text that encodes them is taken. By table, as a
 * round trip through a string costs more than the hash of the entry.
 */
function decodeSalt(from: Uint8Array, at: number, into: Uint8Array, offset: number): boolean {
  let bits = 0;
  let held = 0;
  let out = offset;
  let bad = 0;
  for (let i = 0; i < SALT_CHARS - 1; i++) {
    const sextet = SEXTET[from[at + i] ?? 0] ?? -1;
    bad |= sextet;
    held = ((held << 6) | sextet) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      into[out++] = held >> bits;
    }
  }
  const hasSetTrailingBits = (held & 3) !== 0;
  return bad >= 0 && !hasSetTrailingBits && from[at + SALT_CHARS - 1] === EQUALS;
}

function malformed(at: string, expected: string, got: string): { readonly ok: false; readonly error: Malformed } {
  return err({ at, expected, got });
}
