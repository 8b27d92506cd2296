import { hash } from 'node:crypto';

/** Bytes of one hash. Hashes in this station are SHA-256; lists of them travel packed, 32 bytes each. */
export const HASH_BYTES = 32;

/** The root over no leaves, SHA-256 of nothing. @see RFC 9162 §2.1.1 */
export const EMPTY_ROOT: Buffer = sha256('');

const MAX_TILE_HASHES = 256;
const NODE: Buffer = nodeScratch();
const LEVEL: Buffer = Buffer.alloc((MAX_TILE_HASHES / 2) * HASH_BYTES);
const LEAF: Buffer = Buffer.alloc(1024);

/** SHA-256; text is hashed as UTF-8. */
export function sha256(data: Uint8Array | string): Buffer {
  // a digest as latin1 text written back is twice as fast here as one asked for as a Buffer
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}

/** SHA-256 as latin1 text, one character a byte: what {@link Buffer.write} puts into a node without a copy between. */
export function sha256Latin1(data: Uint8Array): string {
  return hash('sha256', data, 'binary');
}

/** A 65-byte buffer `0x01 ‖ left ‖ right` to fill and hash again and again: left goes to offset 1, right to 33. */
export function nodeScratch(): Buffer {
  const node = Buffer.alloc(1 + 2 * HASH_BYTES);
  node[0] = 1;
  return node;
}

/** SHA-256(0x00 ‖ leaf data). @see RFC 9162 §2.1.1 */
export function leafHash(leafData: Uint8Array): Buffer {
  const end = leafData.length + 1;
  const input = end <= LEAF.length ? LEAF.subarray(0, end) : Buffer.alloc(end);
  input.set(leafData, 1);
  return sha256(input);
}

/**
 * SHA-256(0x01 ‖ left ‖ right).
 *
 * @throws RangeError if a child is not 32 bytes: a shorter one would be hashed with what the last call left behind
 * @see RFC 9162 §2.1.1
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError('a child hash is 32 bytes');
  NODE.set(left, 1);
  NODE.set(right, 1 + HASH_BYTES);
  return sha256(NODE);
}

/**
 * The root of a complete subtree whose hashes lie side by side.
 *
 * @param hashes packed hashes of one level
 * @param first  position of the first one, in hashes
 * @param count  how many; a power of two, at most 256
 */
export function completeRoot(hashes: Buffer, first: number, count: number): Buffer {
  if (count === 1) return Buffer.from(hashes.subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES));
  hashLevel(hashes, first * HASH_BYTES, count / 2);
  for (let width = count / 4; width >= 1; width /= 2) hashLevel(LEVEL, 0, width);
  return Buffer.from(LEVEL.subarray(0, HASH_BYTES));
}

/** True if both are the same 32 bytes. Roots and proofs are public: no constant time is needed. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === HASH_BYTES && Buffer.compare(a, b) === 0;
}

/** True if every hash of the list is 32 bytes long. */
export function allHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((one) => one.length === HASH_BYTES);
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One Buffer of 32 bytes per hash. @throws RangeError if one of them is of another length */
export function packHashes(hashes: readonly Uint8Array[]): Buffer {
  if (!allHashes(hashes)) throw new RangeError('a hash is 32 bytes');
  return Buffer.concat(hashes);
}

/** Views of the hashes in a packed list. @throws RangeError if the length is no multiple of 32 */
export function unpackHashes(packed: Uint8Array): Buffer[] {
  if (packed.length % HASH_BYTES !== 0) throw new RangeError('packed hashes are 32 bytes each');
  const bytes = asBuffer(packed);
  return Array.from({ length: packed.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

/** Hashes `pairs` neighbours of `from` into the front of LEVEL; `from` may be LEVEL: reading stays ahead of writing. */
function hashLevel(from: Buffer, at: number, pairs: number): void {
  for (let i = 0; i < pairs; i++) {
    const pair = at + i * 2 * HASH_BYTES;
    from.copy(NODE, 1, pair, pair + 2 * HASH_BYTES);
    LEVEL.write(sha256Latin1(NODE), i * HASH_BYTES, HASH_BYTES, 'latin1');
  }
}
