import { err, ok, type Result } from '../core/result.ts';
import { asBuffer, EMPTY_ROOT, HASH_BYTES, nodeScratch, sha256Latin1 } from './hash.ts';
import { isTreeSize, splitPoint } from './tree-size.ts';

export type PageProofError = 'size_out_of_range' | 'indexes_invalid' | 'wrong_length';

const MAX_DEPTH = 54;
/** One node per depth of the recursion: children write their hash straight into their parent. */
const NODES: readonly Buffer[] = Array.from({ length: MAX_DEPTH }, nodeScratch);

/**
 * Folds the leaves of a page and its proof into the root hash that they belong to. The caller compares it with the root
 * of the checkpoint that the size is from: leaves and proof alone fit some other sizes too.
 * Pure and total: peer data never makes it throw. About one hash per leaf, for adjacent leaves.
 *
 * @param size    leaves in the tree, up to 2^53 - 1
 * @param indexes strictly increasing leaf positions below `size`
 * @param leaves  their leaf hashes, packed in the same order
 * @param proof   packed hashes of the maximal subtrees without a listed leaf, left to right
 * @returns `wrong_length` if there are not exactly as many leaves and proof hashes as size and indexes demand
 * @see docs/journal-format.md, page proof
 */
export function foldPage(
  size: number,
  indexes: readonly number[],
  leaves: Uint8Array,
  proof: Uint8Array,
): Result<Buffer, PageProofError> {
  if (!isTreeSize(size)) return err('size_out_of_range');
  if (!areIndexes(indexes, size)) return err('indexes_invalid');
  if (leaves.length !== indexes.length * HASH_BYTES) return err('wrong_length');
  if (size === 0) return proof.length === 0 ? ok(Buffer.from(EMPTY_ROOT)) : err('wrong_length');

  const page = new PageFold(indexes, leaves, proof);
  const root = Buffer.alloc(HASH_BYTES);
  page.fold(0, size, 0, indexes.length, root, 0, 0);
  return page.isUsedUp() ? ok(root) : err('wrong_length');
}

/**
 * The single inclusion path of one leaf of a page, made of the page's own data, leaf to root. O(leaves of the page).
 *
 * @param position which of the listed leaves, from 0
 * @throws RangeError for a page that {@link foldPage} refuses, or a position that is not in it: fold and compare first
 */
export function inclusionFromPage(
  size: number,
  indexes: readonly number[],
  leaves: Uint8Array,
  proof: Uint8Array,
  position: number,
): Uint8Array[] {
  const isListed = Number.isSafeInteger(position) && position >= 0 && position < indexes.length;
  if (!isListed || !isTreeSize(size) || !areIndexes(indexes, size) || leaves.length !== indexes.length * HASH_BYTES) {
    throw new RangeError('no page with a leaf at that position');
  }
  const page = new PageFold(indexes, leaves, proof);
  const path: Uint8Array[] = [];
  page.collectPath(0, size, 0, indexes.length, position, path);
  if (!page.isUsedUp()) throw new RangeError('the page proof is of the wrong length');
  return path;
}

/**
 * The page proof of some of a page's leaves, made of the page's own data. O(leaves of the page).
 *
 * @param keep which of the listed leaves, from 0, strictly increasing; at least one
 * @returns packed hashes
 * @throws RangeError for a page that {@link foldPage} refuses, or a position that is not in it: fold and compare first
 */
export function narrowPage(
  size: number,
  indexes: readonly number[],
  leaves: Uint8Array,
  proof: Uint8Array,
  keep: readonly number[],
): Uint8Array {
  const isOfPage = isTreeSize(size) && areIndexes(indexes, size) && leaves.length === indexes.length * HASH_BYTES;
  if (!isOfPage || keep.length === 0 || !areIndexes(keep, indexes.length)) throw new RangeError('no such leaves');
  const page = new PageFold(indexes, leaves, proof);
  const kept: Buffer[] = [];
  page.narrow({ lo: 0, hi: size }, 0, indexes.length, keep, kept);
  if (!page.isUsedUp()) throw new RangeError('the page proof is of the wrong length');
  return Buffer.concat(kept);
}

function areIndexes(indexes: readonly number[], size: number): boolean {
  let previous = -1;
  for (const index of indexes) {
    if (!Number.isSafeInteger(index) || index <= previous) return false;
    previous = index;
  }
  return previous < size;
}

/**
 * The recursion of the format, over leaf indexes [lo, hi) of which [from, to) are the listed ones. Depth is at most
 * log2 of the size, and each listed leaf costs at most that many steps: an absurd size cannot make it slow.
 */
class PageFold {
  readonly #indexes: readonly number[];
  readonly #leaves: Buffer;
  readonly #proof: Buffer;
  #used = 0;
  #isShort = false;

  constructor(indexes: readonly number[], leaves: Uint8Array, proof: Uint8Array) {
    this.#indexes = indexes;
    this.#leaves = asBuffer(leaves);
    this.#proof = asBuffer(proof);
  }

  /** True if the proof had every hash that was asked for, and no byte more. */
  isUsedUp(): boolean {
    return !this.#isShort && this.#used === this.#proof.length;
  }

  /** Writes the hash of the subtree into `target` at byte `at`. */
  fold(lo: number, hi: number, from: number, to: number, target: Buffer, at: number, depth: number): void {
    if (from === to) {
      this.#takeProofHash(target, at);
    } else if (hi - lo === 1) {
      this.#leaves.copy(target, at, from * HASH_BYTES, to * HASH_BYTES);
    } else {
      const middle = lo + splitPoint(hi - lo);
      const cut = this.#firstListed(middle, lo, hi, from, to);
      const node = NODES[depth] ?? nodeScratch();
      this.fold(lo, middle, from, cut, node, 1, depth + 1);
      this.fold(middle, hi, cut, to, node, 1 + HASH_BYTES, depth + 1);
      target.write(sha256Latin1(node), at, HASH_BYTES, 'latin1');
    }
  }

  /** Walks down to one listed leaf; left subtrees are folded before right ones, as the proof is consumed. */
  collectPath(lo: number, hi: number, from: number, to: number, position: number, path: Uint8Array[]): void {
    if (hi - lo === 1) return;
    const middle = lo + splitPoint(hi - lo);
    const cut = this.#firstListed(middle, lo, hi, from, to);
    const sibling = Buffer.alloc(HASH_BYTES);
    if (position < cut) {
      this.collectPath(lo, middle, from, cut, position, path);
      this.fold(middle, hi, cut, to, sibling, 0, 0);
    } else {
      this.fold(lo, middle, from, cut, sibling, 0, 0);
      this.collectPath(middle, hi, cut, to, position, path);
    }
    path.push(sibling);
  }

  /** Puts the hashes of the maximal subtrees without a leaf of `keep` into `kept`; proof hashes are consumed in order. */
  narrow(
    { lo, hi }: { readonly lo: number; readonly hi: number },
    from: number,
    to: number,
    keep: readonly number[],
    kept: Buffer[],
  ): void {
    if (keep.length === 0) {
      const hash = Buffer.alloc(HASH_BYTES);
      this.fold(lo, hi, from, to, hash, 0, 0);
      kept.push(hash);
      return;
    }
    if (hi - lo === 1) return;
    const middle = lo + splitPoint(hi - lo);
    const cut = this.#firstListed(middle, lo, hi, from, to);
    const left = keep.filter((position) => position < cut);
    this.narrow({ lo, hi: middle }, from, cut, left, kept);
    this.narrow({ lo: middle, hi }, cut, to, keep.slice(left.length), kept);
  }

  #takeProofHash(target: Buffer, at: number): void {
    const end = this.#used + HASH_BYTES;
    if (end > this.#proof.length) {
      this.#isShort = true;
      return;
    }
    this.#proof.copy(target, at, this.#used, end);
    this.#used = end;
  }

  /** The first of [from, to) whose index is not below `middle`. */
  #firstListed(middle: number, lo: number, hi: number, from: number, to: number): number {
    if (to - from === hi - lo) return from + (middle - lo);
    let low = from;
    let high = to;
    while (low < high) {
      const probe = Math.floor((low + high) / 2);
      if ((this.#indexes[probe] ?? 0) < middle) low = probe + 1;
      else high = probe;
    }
    return low;
  }
}
