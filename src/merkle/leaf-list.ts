/**
 * Trees over a plain list of leaf hashes: for whoever checks or teaches the format and keeps no tiles. A journal proves
 * from its stored tiles instead, see `tiles.ts`.
 */
import { err, type Result } from '../core/result.ts';
import { allHashes, packHashes, unpackHashes } from './hash.ts';
import { foldPage, type PageProofError } from './page-proof.ts';
import { proveConsistency, proveInclusion, provePage, rootAt, type TileSource } from './tiles.ts';
import { TreeBuilder } from './tree-builder.ts';

/**
 * All tiles of a tree, made of its leaf hashes. One pass over the list: make it once to prove many things.
 *
 * @param leaves leaf hashes in order, 32 bytes each
 * @throws RangeError if one of them is of another length; `tile()` throws for a tile that the tree does not have
 */
export function tilesOf(leaves: readonly Uint8Array[]): TileSource {
  const builder = new TreeBuilder();
  const tiles = new Map<string, Uint8Array>();
  for (const { level, index, bytes } of builder.append(packHashes(leaves))) tiles.set(`${level}/${index}`, bytes);
  for (const { level, index, bytes } of builder.partialTiles()) tiles.set(`${level}/${index}`, bytes);
  return {
    tile: (level, index) => {
      const tile = tiles.get(`${level}/${index}`);
      if (tile === undefined) throw new RangeError(`no tile ${index} on level ${level} of ${leaves.length} leaves`);
      return tile;
    },
  };
}

/**
 * The root hash over the first `size` leaves, by default over all of them.
 *
 * @throws RangeError if there are not that many leaves, or a hash is not 32 bytes
 * @see RFC 9162 §2.1.1
 */
export function rootOf(leaves: readonly Uint8Array[], size: number = leaves.length): Buffer {
  return rootAt(size, tilesOf(leaves));
}

/**
 * The inclusion path of one leaf in the tree of the first `size` leaves, leaf to root.
 *
 * @throws RangeError if `index` is not below `size`, or as {@link rootOf}
 * @see RFC 9162 §2.1.3.1
 */
export function inclusionProof(leaves: readonly Uint8Array[], index: number, size: number = leaves.length): Buffer[] {
  return proveInclusion(index, size, tilesOf(leaves));
}

/**
 * The proof that the tree of the first `newSize` leaves extends that of the first `oldSize`.
 *
 * @throws RangeError if `oldSize` is above `newSize`, or as {@link rootOf}
 * @see RFC 9162 §2.1.4.1
 */
export function consistencyProof(
  leaves: readonly Uint8Array[],
  oldSize: number,
  newSize: number = leaves.length,
): Buffer[] {
  return proveConsistency(oldSize, newSize, tilesOf(leaves));
}

/**
 * The page proof of some leaves in the tree of the first `size` leaves: one hash for each maximal subtree without a
 * listed leaf, left to right.
 *
 * @param indexes strictly increasing leaf positions below `size`
 * @throws RangeError if they are not, or as {@link rootOf}
 * @see docs/journal-format.md, page proof
 */
export function pageProof(
  leaves: readonly Uint8Array[],
  indexes: readonly number[],
  size: number = leaves.length,
): Buffer[] {
  return unpackHashes(provePage(indexes, size, tilesOf(leaves)));
}

/**
 * The root that listed leaves and their page proof lead to; equal to the tree's root if and only if the page is right.
 * Total: hashes of another length are `wrong_length`.
 *
 * @param size   leaves in the tree
 * @param listed the leaf hashes at `indexes`, in the same order
 */
export function rootOfPage(
  size: number,
  indexes: readonly number[],
  listed: readonly Uint8Array[],
  proof: readonly Uint8Array[],
): Result<Buffer, PageProofError> {
  if (!allHashes(listed) || !allHashes(proof)) return err('wrong_length');
  return foldPage(size, indexes, packHashes(listed), packHashes(proof));
}
