import { asBuffer, EMPTY_ROOT, nodeHash } from './hash.ts';

/** A leaf whose path is kept: its hashes from the leaf up to the root of the complete subtree that it is in. */
export interface KeptLeaf {
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

/** What a compact range needs to go on. */
export interface CompactState {
  readonly size: number;
  /** Roots of the complete subtrees that the size is made of, the largest first. */
  readonly peaks: readonly Uint8Array[];
  readonly kept: readonly KeptLeaf[];
}

/**
 * The tree over leaves that nobody stores: 32 bytes for each set bit of its size. The paths of a few leaves are kept as it
 * grows, so that these can be shown to be in it; of the others only the root speaks.
 *
 * @see RFC 9162 §2.1
 */
export class CompactRange {
  #size: number;
  readonly #peaks: Buffer[];
  readonly #kept = new Map<number, Buffer[]>();

  constructor(state: CompactState = { size: 0, peaks: [], kept: [] }) {
    this.#size = state.size;
    this.#peaks = state.peaks.map(asBuffer);
    for (const { index, path } of state.kept) this.#kept.set(index, path.map(asBuffer));
  }

  get size(): number {
    return this.#size;
  }

  /** @param leaf leaf hash, 32 bytes; its path is kept until it is forgotten. O(1) in the mean, beside the kept leaves */
  append(leaf: Uint8Array): void {
    const end = this.#size + 1;
    this.#kept.set(this.#size, []);
    let node = asBuffer(leaf);
    let width = 1;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2, width *= 2) {
      const left = this.#peaks.pop();
      if (left === undefined) throw new RangeError('a compact range has a root for each set bit of its size');
      this.#join(end - 2 * width, end - width, left, node);
      node = nodeHash(left, node);
    }
    this.#peaks.push(node);
    this.#size = end;
  }

  /** Keeps the path of a leaf no longer. */
  forget(index: number): void {
    this.#kept.delete(index);
  }

  root(): Buffer {
    return this.#peaks.length === 0 ? EMPTY_ROOT : foldPeaks(this.#peaks);
  }

  /** Inclusion path of a kept leaf in the tree as it is; undefined if it is not kept. */
  path(index: number): readonly Buffer[] | undefined {
    const inner = this.#kept.get(index);
    if (inner === undefined) return undefined;
    const at = this.#peakOf(index);
    const right = this.#peaks.slice(at + 1);
    return [...inner, ...(right.length === 0 ? [] : [foldPeaks(right)]), ...this.#peaks.slice(0, at).reverse()];
  }

  state(): CompactState {
    const kept = [...this.#kept].map(([index, path]) => ({ index, path }));
    return { size: this.#size, peaks: [...this.#peaks], kept };
  }

  #join(from: number, middle: number, left: Buffer, right: Buffer): void {
    for (const [index, path] of this.#kept) {
      if (index >= from) path.push(index < middle ? right : left);
    }
  }

  #peakOf(index: number): number {
    let from = 0;
    for (const [at, width] of peakWidths(this.#size).entries()) {
      from += width;
      if (index < from) return at;
    }
    throw new RangeError('no such leaf');
  }
}

/** Leaves below each peak, the largest first. */
function peakWidths(size: number): number[] {
  const widths: number[] = [];
  for (let rest = size, width = 1; rest > 0; rest = Math.floor(rest / 2), width *= 2)
    if (rest % 2 === 1) widths.unshift(width);
  return widths;
}

function foldPeaks(peaks: readonly Buffer[]): Buffer {
  return peaks.reduceRight((right, left) => nodeHash(left, right));
}
