/** What stands in a page, or in a stored one, where an entry was: its leaf hash in the place of the salt, and this. */
import { MAX_TREE_SIZE } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { base64, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

/** A tombstone has short names and a value of fixed form. */
const MAX_TOMBSTONE_CHARS = 8_192;
const MAX_PATH_HASHES = Math.ceil(Math.log2(MAX_TREE_SIZE));
const MAX_BYTES = 16_384;
/** No entry begins like this: its first member is `attestation`. */
const BEGIN: Buffer = Buffer.from('{"path":');
const SPACE = 0x20;

/** Why an entry of a page has no body: the tombstone that names it, proved under the page's own checkpoint. */
export interface ErasedEntry {
  /** Inclusion path of the tombstone, leaf to root, base64. */
  readonly path: readonly string[];
  /** Of the tombstone, base64. */
  readonly salt: string;
  /** Canonical text of the tombstone's entry. */
  readonly tombstone: string;
  readonly v: 1;
}

const ERASED_ENTRY: Shape<ErasedEntry> = object<ErasedEntry>({
  path: list(base64(HASH_BYTES), MAX_PATH_HASHES),
  salt: base64(HASH_BYTES),
  tombstone: text(MAX_TOMBSTONE_CHARS),
  v: literal(1),
});

/** @throws TypeError when it is not one that {@link decodeErasedEntry} takes */
export function encodeErasedEntry(erased: Omit<ErasedEntry, 'v'>): Uint8Array {
  return encodeMessage(ERASED_ENTRY, { ...erased, v: 1 });
}

/** Pure and total. */
export function decodeErasedEntry(bytes: Uint8Array): Result<ErasedEntry, Malformed> {
  return decodeMessage(bytes, ERASED_ENTRY, MAX_BYTES);
}

/** True for bytes that want to be an {@link ErasedEntry}. */
export function isErasedEntry(bytes: Uint8Array): boolean {
  return bytes.length >= BEGIN.length && BEGIN.equals(bytes.subarray(0, BEGIN.length));
}

/** True for an entry whose bytes were erased where the page is stored. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((byte) => byte === SPACE);
}
