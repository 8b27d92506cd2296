import { allHashes, asBuffer, HASH_BYTES, nodeScratch, sameHash, sha256 } from './hash.ts';
import { isTreeSize } from './tree-size.ts';

export type InclusionCheck = 'ok' | 'index_out_of_range' | 'wrong_length' | 'root_mismatch';

const NODE = nodeScratch();

/**
 * Checks that a leaf is in the tree that a root hash commits to.
 * Pure and total: peer data never makes it throw. O(log size), whatever the length of the path.
 * Root and size must come from one checkpoint: a path alone fits some other sizes too.
 *
 * @param leaf  leaf hash, 32 bytes
 * @param index 0-based leaf position
 * @param path  sibling hashes from leaf to root, 32 bytes each
 * @param root  root hash, 32 bytes
 * @param size  leaves in the tree, up to 2^53 - 1
 * @returns `index_out_of_range` also for numbers that are no position or size; `wrong_length` if the path has not the
 *   length that index and size demand, or a hash is not 32 bytes
 * @see RFC 9162 §2.1.3.2
 */
export function checkInclusion(
  leaf: Uint8Array,
  index: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
  size: number,
): InclusionCheck {
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size) return 'index_out_of_range';
  if (path.length !== inclusionLength(index, size)) return 'wrong_length';
  if (leaf.length !== HASH_BYTES || root.length !== HASH_BYTES || !allHashes(path)) return 'wrong_length';
  return sameHash(climb(leaf, index, path, size), root) ? 'ok' : 'root_mismatch';
}

/** How many hashes the path of a leaf has. `index` < `size`, both valid. */
export function inclusionLength(index: number, size: number): number {
  let length = 0;
  // not `>> 1`: bitwise operators cut to 32 bits
  for (let at = index, last = size - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at % 2 === 1 || at < last) length++;
  }
  return length;
}

function climb(leaf: Uint8Array, index: number, path: readonly Uint8Array[], size: number): Buffer {
  let hash = asBuffer(leaf);
  let at = index;
  let last = size - 1;
  for (const sibling of path) {
    while (at % 2 === 0 && at === last) {
      at /= 2;
      last /= 2;
    }
    const isRight = at % 2 === 1;
    NODE.set(isRight ? sibling : hash, 1);
    NODE.set(isRight ? hash : sibling, 1 + HASH_BYTES);
    hash = sha256(NODE);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return hash;
}
