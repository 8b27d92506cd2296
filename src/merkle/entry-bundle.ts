import { err, ok, type Result } from '../core/result.ts';
import { asBuffer } from './hash.ts';
import { TILE_HASHES } from './tiles.ts';

const MAX_LEAF_BYTES = 0xffff;

/**
 * The leaf data of up to 256 leaves, each after its length in two bytes, big-endian.
 *
 * @throws RangeError for more leaves, or one that is longer than 65,535 bytes
 * @see C2SP tlog-tiles, entry bundles
 */
export function encodeEntryBundle(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length > TILE_HASHES) throw new RangeError('a bundle holds at most 256 leaves');
  const parts = leaves.flatMap((leaf) => {
    if (leaf.length > MAX_LEAF_BYTES) throw new RangeError('leaf data is at most 65,535 bytes');
    return [Buffer.from([leaf.length >> 8, leaf.length & 0xff]), leaf];
  });
  return Buffer.concat(parts);
}

/** Views of the leaf data in a bundle. Total: bytes that are cut or left over, or a 257th leaf, are refused. */
export function decodeEntryBundle(bundle: Uint8Array): Result<Buffer[], 'bundle_malformed'> {
  const bytes = asBuffer(bundle);
  const leaves: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length || leaves.length === TILE_HASHES) return err('bundle_malformed');
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return err('bundle_malformed');
    leaves.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return ok(leaves);
}
