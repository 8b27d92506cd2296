import { allHashes, EMPTY_ROOT, HASH_BYTES, nodeHash, sameHash } from './hash.ts';
import { isPowerOfTwo, isTreeSize } from './tree-size.ts';

export type ConsistencyCheck = 'ok' | 'size_out_of_range' | 'wrong_length' | 'new_root_mismatch' | 'old_root_mismatch';

/**
 * Checks that the tree of `newSize` leaves extends the tree of `oldSize` leaves.
 * Pure and total: peer data never makes it throw. O(log newSize), whatever the length of the path.
 *
 * @param oldSize leaves of the smaller tree, 0 to `newSize`; every tree extends the empty one, with an empty path
 * @param newSize leaves of the larger tree, up to 2^53 - 1
 * @param path    hashes as RFC 9162 §2.1.4.1 lists them, 32 bytes each; empty for equal sizes
 * @returns `new_root_mismatch`: the path does not lead to the new root, so it says nothing. `old_root_mismatch`: it does,
 *   and what it shows to be the first `oldSize` leaves is not the old tree. `wrong_length` also if a hash is not 32 bytes
 * @see RFC 9162 §2.1.4.2
 */
export function checkConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  path: readonly Uint8Array[],
): ConsistencyCheck {
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize) return 'size_out_of_range';
  if (oldRoot.length !== HASH_BYTES || newRoot.length !== HASH_BYTES || !allHashes(path)) return 'wrong_length';
  if (oldSize === 0 || oldSize === newSize) return checkWithoutPath(oldSize, oldRoot, newSize, newRoot, path);

  const roots = foldConsistency(oldSize, oldRoot, newSize, path);
  if (roots === undefined) return 'wrong_length';
  if (!sameHash(roots.new, newRoot)) return 'new_root_mismatch';
  return sameHash(roots.old, oldRoot) ? 'ok' : 'old_root_mismatch';
}

/**
 * As {@link checkConsistency}, for a path that is shown to convict: where the old size is a power of two, RFC 9162 leaves the
 * old root out, and the path of another tree leads nowhere. Such a path may start with the hash that the larger tree has in
 * that place.
 */
export function checkShownConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  path: readonly Uint8Array[],
): ConsistencyCheck {
  const plain = checkConsistency(oldSize, oldRoot, newSize, newRoot, path);
  const [inPlace, ...rest] = path;
  if (plain === 'ok' || inPlace === undefined || !isPowerOfTwo(oldSize)) return plain;
  if (checkConsistency(oldSize, inPlace, newSize, newRoot, rest) !== 'ok') return plain;
  return inPlace.length === HASH_BYTES && sameHash(inPlace, oldRoot) ? 'ok' : 'old_root_mismatch';
}

function checkWithoutPath(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  path: readonly Uint8Array[],
): ConsistencyCheck {
  if (path.length > 0) return 'wrong_length';
  if (newSize === 0 && !sameHash(newRoot, EMPTY_ROOT)) return 'new_root_mismatch';
  if (oldSize === 0) return sameHash(oldRoot, EMPTY_ROOT) ? 'ok' : 'old_root_mismatch';
  return sameHash(oldRoot, newRoot) ? 'ok' : 'old_root_mismatch';
}

/** Both roots as the path has them, or undefined if it has not the length that the sizes demand. */
function foldConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  path: readonly Uint8Array[],
): { readonly old: Uint8Array; readonly new: Uint8Array } | undefined {
  // a complete old tree is a node of the new one: the path leaves its hash out
  const [seed, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path;
  if (seed === undefined) return undefined;

  let at = oldSize - 1;
  let last = newSize - 1;
  const up = (): void => {
    // not `>> 1`: bitwise operators cut to 32 bits
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  };
  while (at % 2 === 1) up();

  let oldHash = seed;
  let newHash = seed;
  for (const sibling of rest) {
    if (last === 0) return undefined;
    if (at % 2 === 1 || at === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (at % 2 === 0 && at !== 0) up();
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    up();
  }
  return last === 0 ? { old: oldHash, new: newHash } : undefined;
}
