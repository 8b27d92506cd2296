/**
 * The restore note: what a node that took a page needs to write the very same entries again from the same page. It is
 * sealed under a key of its own and left with the page's sender, who can read nothing of it and can only keep or withhold it.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { MAX_PAGE_ENTRIES } from '../core/limits.ts';
import { SALT_BYTES } from '../merkle/commitment.ts';
import { HASH_BYTES } from '../merkle/hash.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 1;
/** Version, three numbers of eight bytes, two hashes, a count. */
const HEAD_BYTES: number = 1 + 3 * 8 + 2 * HASH_BYTES + 2;
/** Two bytes for the place in the page, and the salt. */
const ENTRY_BYTES: number = 2 + SALT_BYTES;
const NO_HASH: Buffer = Buffer.alloc(HASH_BYTES);

export interface RestoreNote {
  /** `chain_seq` of the first entry taken from the page; the others follow without a gap. */
  readonly firstSeq: number;
  /** Its `feed_seq`; those of the others follow too. */
  readonly firstFeedSeq: number;
  /** Of all of them: microseconds since 1970. */
  readonly createdUs: number;
  /** Chain hash of the entry before the first; null at the beginning of the log. */
  readonly previousHash: Uint8Array | null;
  /** SHA-256 of their leaf hashes, one after the other: what is written again is what was there, or nothing. */
  readonly digest: Uint8Array;
  /** In order. `place`: in the page, from 0; others of the page were refused, or held already. */
  readonly entries: readonly { readonly place: number; readonly salt: Uint8Array }[];
}

/** The page that a note is about: associated data, so that a note opens for no other. */
export interface NotedRange {
  /** Node id of who took the page. */
  readonly receiver: string;
  /** Node id of who gave it. */
  readonly sender: string;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
}

/** Length of a sealed note about so many entries, in bytes. */
export function sealedBytes(entries: number): number {
  return NONCE_BYTES + HEAD_BYTES + entries * ENTRY_BYTES + TAG_BYTES;
}

export const MIN_SEALED_BYTES: number = sealedBytes(1);
export const MAX_SEALED_BYTES: number = sealedBytes(MAX_PAGE_ENTRIES);

/** @param seed 32 bytes, of the restore key file */
export function restoreNoteKey(seed: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', seed, NO_HASH, 'stigmem-restore-note/v1', KEY_BYTES));
}

/** @param nonce 12 random bytes: one of two notes with the same nonce could be read, and forged */
export function sealRestoreNote(note: RestoreNote, range: NotedRange, key: Uint8Array, nonce: Uint8Array): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(rangeText(range));
  const sealed = cipher.update(encodeRestoreNote(note));
  return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]);
}

/** Total; null unless the note was sealed under this key for this very range. */
export function openRestoreNote(sealed: Uint8Array, range: NotedRange, key: Uint8Array): RestoreNote | null {
  if (sealed.length < MIN_SEALED_BYTES || sealed.length > MAX_SEALED_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(rangeText(range));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return null;
  }
  const note = decodeRestoreNote(plain);
  return note !== null && (note.entries.at(-1)?.place ?? 0) < range.to - range.after ? note : null;
}

/** @throws RangeError if {@link decodeRestoreNote} would refuse it */
export function encodeRestoreNote(note: RestoreNote): Buffer {
  const { firstSeq, firstFeedSeq, createdUs, previousHash, digest, entries } = note;
  const bytes = Buffer.alloc(HEAD_BYTES + entries.length * ENTRY_BYTES);
  let at = bytes.writeUInt8(VERSION);
  for (const number of [firstSeq, firstFeedSeq, createdUs]) at = bytes.writeBigUInt64BE(BigInt(number), at);
  for (const hash of [previousHash ?? NO_HASH, digest]) {
    bytes.set(hash, at);
    at += HASH_BYTES;
  }
  at = bytes.writeUInt16BE(entries.length, at);
  for (const { place, salt } of entries) {
    at = bytes.writeUInt16BE(place, at);
    bytes.set(salt, at);
    at += SALT_BYTES;
  }
  if (decodeRestoreNote(bytes) === null) throw new RangeError('not a restore note');
  return bytes;
}

/** Pure and total; one encoding per note. */
export function decodeRestoreNote(bytes: Uint8Array): RestoreNote | null {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (from.length < HEAD_BYTES || from[0] !== VERSION) return null;
  const count = from.readUInt16BE(HEAD_BYTES - 2);
  if (count === 0 || count > MAX_PAGE_ENTRIES || from.length !== HEAD_BYTES + count * ENTRY_BYTES) return null;
  const [firstSeq, firstFeedSeq, createdUs] = [1, 9, 17].map((at) => Number(from.readBigUInt64BE(at)));
  if (!isPosition(firstSeq) || !isPosition(firstFeedSeq) || !isPosition(createdUs)) return null;
  const previous = from.subarray(25, 25 + HASH_BYTES);
  const isFirst = previous.equals(NO_HASH);
  if (isFirst !== (firstSeq === 1)) return null;
  const entries = Array.from({ length: count }, (_, i) => {
    const at = HEAD_BYTES + i * ENTRY_BYTES;
    return { place: from.readUInt16BE(at), salt: from.subarray(at + 2, at + ENTRY_BYTES) };
  });
  if (entries.some(({ place }, i) => place >= MAX_PAGE_ENTRIES || (i > 0 && place <= (entries[i - 1]?.place ?? 0))))
    return null;
  const digest = from.subarray(25 + HASH_BYTES, 25 + 2 * HASH_BYTES);
  return { firstSeq, firstFeedSeq, createdUs, previousHash: isFirst ? null : previous, digest, entries };
}

function isPosition(value: number | undefined): value is number {
  return value !== undefined && value > 0 && Number.isSafeInteger(value);
}

/** One text per range: no node id, and no feed name, holds a line feed. */
function rangeText({ receiver, sender, feed, after, to }: NotedRange): Buffer {
  return Buffer.from(`${['stigmem-restore-note/v1', receiver, sender, feed, after, to].join('\n')}\n`);
}
