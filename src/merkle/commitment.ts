import { HASH_BYTES, sha256, sha256Latin1 } from './hash.ts';

/** Bytes of the salt of one entry. */
export const SALT_BYTES = 32;

const DOMAIN = Buffer.from('stigmem-entry/v1\n');
const ENTRY_AT = DOMAIN.length + SALT_BYTES;
const KEPT_BYTES = 64 * 1024;
const KEPT: Buffer = Buffer.alloc(KEPT_BYTES);
DOMAIN.copy(KEPT);

const LEAF: Buffer = Buffer.alloc(2 + HASH_BYTES);
LEAF[1] = 1;

/**
 * What the tree commits to instead of the entry: SHA-256("stigmem-entry/v1\n" ‖ salt ‖ entry).
 *
 * @param salt  32 random bytes of this entry alone
 * @param entry canonical bytes as received, or well-formed text that is taken as UTF-8
 * @throws RangeError if the salt is not 32 bytes: with another length, bytes could move between salt and entry
 * @see docs/journal-format.md
 */
export function commitment(salt: Uint8Array, entry: Uint8Array | string): Buffer {
  return sha256(commitmentInput(salt, entry));
}

/** The 33 bytes that are the leaf of the tree and the content of entry bundles: 0x01 ‖ commitment. */
export function leafData(commitmentHash: Uint8Array): Buffer {
  const data = Buffer.alloc(1 + HASH_BYTES);
  data[0] = 1;
  data.set(commitmentHash, 1);
  return data;
}

/** The leaf hash of an entry, SHA-256(0x00 ‖ 0x01 ‖ commitment). Arguments and errors as {@link commitment}. */
export function entryLeafHash(salt: Uint8Array, entry: Uint8Array | string): Buffer {
  LEAF.write(sha256Latin1(commitmentInput(salt, entry)), 2, HASH_BYTES, 'latin1');
  return sha256(LEAF);
}

/** {@link entryLeafHash} written into a packed list of leaf hashes at a byte offset. */
export function entryLeafHashInto(salt: Uint8Array, entry: Uint8Array | string, into: Buffer, offset: number): void {
  LEAF.write(sha256Latin1(commitmentInput(salt, entry)), 2, HASH_BYTES, 'latin1');
  into.write(sha256Latin1(LEAF), offset, HASH_BYTES, 'latin1');
}

/** Joins the three parts in a buffer that is reused: one hash call over it beats three updates of a Hash object. */
function commitmentInput(salt: Uint8Array, entry: Uint8Array | string): Buffer {
  if (salt.length !== SALT_BYTES) throw new RangeError('a salt is 32 bytes');
  const most = ENTRY_AT + (typeof entry === 'string' ? 3 * entry.length : entry.length);
  const input = most <= KEPT_BYTES ? KEPT : Buffer.concat([DOMAIN], most);
  input.set(salt, DOMAIN.length);

  if (typeof entry === 'string') return input.subarray(0, ENTRY_AT + input.write(entry, ENTRY_AT, 'utf8'));
  input.set(entry, ENTRY_AT);
  return input.subarray(0, most);
}
