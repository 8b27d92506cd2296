import { asBuffer, completeRoot, EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';
import { isPowerOfTwo, isTreeSize, splitPoint } from './tree-size.ts';

/** Hashes in a full tile; each tile level stands for 8 levels of the tree. @see C2SP tlog-tiles */
export const TILE_HASHES = 256;

/** Where the hashes of a tree are kept. */
export interface TileSource {
  /**
   * The first `width` hashes of one tile, 32 * width bytes: hash i is the root over the 256^level leaves from
   * (index * 256 + i) * 256^level on. A stored tile that is wider serves as well.
   *
   * @throws if the tile is not there: that is damage of our own storage
   */
  tile(level: number, index: number, width: number): Uint8Array;
}

/** How many hashes tile (level, index) has in a tree of `size` leaves; 0 if there is no such tile. */
export function tileWidth(level: number, index: number, size: number): number {
  const complete = Math.floor(size / TILE_HASHES ** level);
  return Math.min(Math.max(complete - index * TILE_HASHES, 0), TILE_HASHES);
}

/**
 * Path of a tile below the log's prefix: `tile/0/x001/067`, partial ones `tile/0/x001/067.p/44`.
 *
 * @param level `entries` for a bundle of leaf data
 * @see C2SP tlog-tiles
 */
export function tilePath(level: number | 'entries', index: number, width: number = TILE_HASHES): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${name}${width < TILE_HASHES ? `.p/${width}` : ''}`;
}

/** What a path below the log's prefix names. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 256 */
  readonly width: number;
}

const MAX_TILE_LEVEL = 63;
/** Longest is `tile/entries/` with six groups and a width. */
const MAX_TILE_PATH_CHARS = 64;
const TILE_PATH = /^tile\/(0|[1-9]\d?|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Reads what {@link tilePath} writes; undefined for anything else. Total. */
export function parseTilePath(path: string): TileName | undefined {
  const [, levelText, digits, widthText] = (path.length > MAX_TILE_PATH_CHARS ? null : TILE_PATH.exec(path)) ?? [];
  if (levelText === undefined || digits === undefined) return undefined;
  const level = levelText === 'entries' ? levelText : Number(levelText);
  const index = Number(digits.replace(/[x/]/g, ''));
  const width = widthText === undefined ? TILE_HASHES : Number(widthText);
  if (level !== 'entries' && level > MAX_TILE_LEVEL) return undefined;
  // one path per tile: leading groups of zeros and a width of 256 would be others
  return isTreeSize(index) && tilePath(level, index, width) === path ? { level, index, width } : undefined;
}

/**
 * The root hash over the first `size` leaves. O(log size) tiles.
 *
 * @throws RangeError if `size` is no tree size; whatever the source throws
 */
export function rootAt(size: number, source: TileSource): Buffer {
  demand(isTreeSize(size), 'no such tree size');
  return size === 0 ? Buffer.from(EMPTY_ROOT) : new TileTree(size, source).root(0, size);
}

/**
 * The inclusion path of a leaf in the tree of `size` leaves, leaf to root. O(log size) tiles.
 *
 * @throws RangeError if `index` is not below `size`; whatever the source throws
 * @see RFC 9162 §2.1.3.1
 */
export function proveInclusion(index: number, size: number, source: TileSource): Buffer[] {
  demand(isTreeSize(size) && isTreeSize(index) && index < size, 'the leaf is not in a tree of that size');
  const tree = new TileTree(size, source);
  const path: Buffer[] = [];
  let lo = 0;
  let hi = size;
  while (hi - lo > 1) {
    const middle = lo + splitPoint(hi - lo);
    path.push(index < middle ? tree.root(middle, hi) : tree.root(lo, middle));
    if (index < middle) hi = middle;
    else lo = middle;
  }
  return path.reverse();
}

/**
 * The proof that the tree of `newSize` leaves extends the one of `oldSize`. O(log newSize) tiles. Empty for an
 * `oldSize` of 0 and for equal sizes.
 *
 * @throws RangeError if `oldSize` is above `newSize`; whatever the source throws
 * @see RFC 9162 §2.1.4.1
 */
export function proveConsistency(oldSize: number, newSize: number, source: TileSource): Buffer[] {
  demand(isTreeSize(oldSize) && isTreeSize(newSize) && oldSize <= newSize, 'no proof from a larger to a smaller tree');
  if (oldSize === 0 || oldSize === newSize) return [];
  const tree = new TileTree(newSize, source);
  const path: Buffer[] = [];
  let lo = 0;
  let hi = newSize;
  while (hi !== oldSize) {
    const middle = lo + splitPoint(hi - lo);
    path.push(oldSize <= middle ? tree.root(middle, hi) : tree.root(lo, middle));
    if (oldSize <= middle) hi = middle;
    else lo = middle;
  }
  // from leaf 0 on, what is left over is the old tree itself: the verifier has that hash
  if (lo > 0) path.push(tree.root(lo, hi));
  return path.reverse();
}

/**
 * The page proof of some leaves in the tree of `size` leaves: packed hashes of the maximal subtrees without a listed
 * leaf, left to right. Tiles: O(log size) for adjacent leaves, at most O(indexes) more for scattered ones; each read once.
 *
 * @param indexes strictly increasing leaf positions below `size`
 * @throws RangeError if they are not; whatever the source throws
 * @see docs/journal-format.md, page proof
 */
export function provePage(indexes: readonly number[], size: number, source: TileSource): Buffer {
  const isOrdered = indexes.every((index, at) => isTreeSize(index) && index > (indexes[at - 1] ?? -1) && index < size);
  demand(isTreeSize(size) && isOrdered, 'the leaves are not in a tree of that size, in order');
  const tree = new TileTree(size, source);
  const proof: Buffer[] = [];
  let next = 0;

  // left to right, so `next` is always the first listed leaf that is not below `lo`
  const prove = (lo: number, hi: number): void => {
    const listed = indexes[next];
    if (listed === undefined || listed >= hi) {
      proof.push(tree.root(lo, hi));
    } else if (indexes[next + (hi - lo) - 1] === hi - 1) {
      next += hi - lo; // every leaf of it is listed
    } else {
      const middle = lo + splitPoint(hi - lo);
      prove(lo, middle);
      prove(middle, hi);
    }
  };
  if (size > 0) prove(0, size);
  return Buffer.concat(proof);
}

/** Hashes of subtrees, read from tiles. Keeps the last tile of each level: proofs are made in the order of leaves. */
class TileTree {
  readonly #size: number;
  readonly #source: TileSource;
  readonly #last: { readonly index: number; readonly bytes: Buffer }[] = [];

  constructor(size: number, source: TileSource) {
    this.#size = size;
    this.#source = source;
  }

  /** The root of the subtree over leaves [lo, hi), as RFC 9162 splits a tree: `lo` is a multiple of its left half. */
  root(lo: number, hi: number): Buffer {
    if (isPowerOfTwo(hi - lo)) return this.#complete(lo, hi - lo);
    const middle = lo + splitPoint(hi - lo);
    return nodeHash(this.#complete(lo, middle - lo), this.root(middle, hi));
  }

  /** The root of 2^n leaves, hashed from the widest tile level that divides them. */
  #complete(lo: number, count: number): Buffer {
    let level = 0;
    let leavesPerHash = 1;
    while (leavesPerHash * TILE_HASHES <= count) {
      level++;
      leavesPerHash *= TILE_HASHES;
    }
    const first = lo / leavesPerHash;
    const index = Math.floor(first / TILE_HASHES);
    return completeRoot(this.#tile(level, index), first - index * TILE_HASHES, count / leavesPerHash);
  }

  #tile(level: number, index: number): Buffer {
    const last = this.#last[level];
    if (last?.index === index) return last.bytes;
    const width = tileWidth(level, index, this.#size);
    const bytes = asBuffer(this.#source.tile(level, index, width));
    if (bytes.length < width * HASH_BYTES) {
      throw new RangeError(`${tilePath(level, index, width)} has ${bytes.length} bytes`);
    }
    this.#last[level] = { index, bytes };
    return bytes;
  }
}

function demand(condition: boolean, message: string): void {
  if (!condition) throw new RangeError(message);
}
