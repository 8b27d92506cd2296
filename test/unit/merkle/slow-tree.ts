import { createHash } from 'node:crypto';
import type { TileSource } from '../../../src/merkle/tiles.ts';

/** SHA-256 of the parts, by another interface than the code under test. */
export function sha(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** A leaf hash that nobody else has. */
export function leafOf(index: number): Buffer {
  return sha(`leaf ${index}`);
}

/** Deterministic numbers 0 <= x < 1: a failing run can be repeated. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Strictly increasing positions below `size`, about `count` of them, adjacent or scattered. */
export function pickIndexes(size: number, count: number, random: () => number): number[] {
  const isAdjacent = random() < 0.5;
  const start = Math.floor(random() * size);
  const picked = Array.from({ length: count }, (_, i) => (isAdjacent ? start + i : Math.floor(random() * size)));
  return [...new Set(picked.filter((index) => index < size))].sort((a, b) => a - b);
}

function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/**
 * The definitions of RFC 9162 and of the page proof as recursions, word by word. Leaves that are not given are all
 * the same filler, so that trees of 2^53 leaves can be written down.
 */
export class SlowTree {
  readonly filler: Buffer = sha('filler');
  readonly #given: readonly number[];
  readonly #leaves: ReadonlyMap<number, Buffer>;
  readonly #roots = new Map<string, Buffer>();

  constructor(given: readonly number[]) {
    this.#given = [...given].sort((a, b) => a - b);
    this.#leaves = new Map(given.map((index) => [index, leafOf(index)]));
  }

  static dense(size: number): SlowTree {
    return new SlowTree(Array.from({ length: size }, (_, i) => i));
  }

  leaf(index: number): Buffer {
    return this.#leaves.get(index) ?? this.filler;
  }

  root(lo: number, hi: number): Buffer {
    if (hi === lo) return sha();
    if (hi - lo === 1) return this.leaf(lo);
    const key = this.#hasGiven(lo, hi) ? `${lo}:${hi}` : `${hi - lo}`;
    const known = this.#roots.get(key);
    if (known !== undefined) return known;
    const k = split(hi - lo);
    const root = sha(Buffer.of(1), this.root(lo, lo + k), this.root(lo + k, hi));
    this.#roots.set(key, root);
    return root;
  }

  inclusion(index: number, lo: number, hi: number): Buffer[] {
    if (hi - lo === 1) return [];
    const k = split(hi - lo);
    return index < lo + k
      ? [...this.inclusion(index, lo, lo + k), this.root(lo + k, hi)]
      : [...this.inclusion(index, lo + k, hi), this.root(lo, lo + k)];
  }

  consistency(oldSize: number, newSize: number): Buffer[] {
    return oldSize === 0 ? [] : this.#subproof(oldSize, 0, newSize, true);
  }

  page(indexes: readonly number[], lo: number, hi: number): Buffer[] {
    if (!indexes.some((index) => index >= lo && index < hi)) return hi > lo ? [this.root(lo, hi)] : [];
    if (hi - lo === 1) return [];
    const k = split(hi - lo);
    return [...this.page(indexes, lo, lo + k), ...this.page(indexes, lo + k, hi)];
  }

  /** Packed leaf hashes of the listed positions. */
  leaves(indexes: readonly number[]): Buffer {
    return Buffer.concat(indexes.map((index) => this.leaf(index)));
  }

  tiles(): TileSource {
    return {
      tile: (level, index, width) => {
        const leaves = 256 ** level;
        const first = index * 256;
        const hashes = Array.from({ length: width }, (_, i) =>
          this.root((first + i) * leaves, (first + i + 1) * leaves),
        );
        return Buffer.concat(hashes);
      },
    };
  }

  #subproof(oldSize: number, lo: number, hi: number, isOldTree: boolean): Buffer[] {
    if (oldSize === hi) return isOldTree ? [] : [this.root(lo, hi)];
    const k = split(hi - lo);
    return oldSize <= lo + k
      ? [...this.#subproof(oldSize, lo, lo + k, isOldTree), this.root(lo + k, hi)]
      : [...this.#subproof(oldSize, lo + k, hi, false), this.root(lo, lo + k)];
  }

  #hasGiven(lo: number, hi: number): boolean {
    let low = 0;
    let high = this.#given.length;
    while (low < high) {
      const probe = (low + high) >> 1;
      if ((this.#given[probe] as number) < lo) low = probe + 1;
      else high = probe;
    }
    return (this.#given[low] ?? Number.POSITIVE_INFINITY) < hi;
  }
}

/** What an inclusion path leads to, by recursion from the root down; undefined if its length is wrong. */
export function foldInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  const rest = [...path];
  const fold = (at: number, width: number): Uint8Array | undefined => {
    if (width === 1) return leaf;
    const k = split(width);
    const below = at < k ? fold(at, k) : fold(at - k, width - k);
    const sibling = rest.shift();
    if (below === undefined || sibling === undefined) return undefined;
    return at < k ? sha(Buffer.of(1), below, sibling) : sha(Buffer.of(1), sibling, below);
  };
  const root = fold(index, size);
  return rest.length === 0 ? root : undefined;
}

type Roots = { old: Uint8Array; new: Uint8Array } | undefined;

/** The two roots that a consistency path leads to; undefined if its length is wrong. */
export function foldConsistency(
  oldRoot: Uint8Array,
  oldSize: number,
  newSize: number,
  path: readonly Uint8Array[],
): Roots {
  const rest = [...path];
  const fold = (lo: number, hi: number, isOldTree: boolean): Roots => {
    if (oldSize === hi) {
      const hash = isOldTree ? oldRoot : rest.shift();
      return hash && { old: hash, new: hash };
    }
    const k = split(hi - lo);
    const isLeft = oldSize <= lo + k;
    const below = isLeft ? fold(lo, lo + k, isOldTree) : fold(lo + k, hi, false);
    const sibling = rest.shift();
    if (below === undefined || sibling === undefined) return undefined;
    const one = Buffer.of(1);
    return isLeft
      ? { old: below.old, new: sha(one, below.new, sibling) }
      : { old: sha(one, sibling, below.old), new: sha(one, sibling, below.new) };
  };
  const roots = fold(0, newSize, true);
  return rest.length === 0 ? roots : undefined;
}

/** The root that a page leads to, by the recursion of the format; undefined if hashes are missing or left over. */
export function foldPageSlowly(
  size: number,
  indexes: readonly number[],
  leaves: Buffer[],
  proof: Buffer[],
): Buffer | undefined {
  const restLeaves = [...leaves];
  const restProof = [...proof];
  const fold = (lo: number, hi: number): Buffer | undefined => {
    if (!indexes.some((index) => index >= lo && index < hi)) return restProof.shift();
    if (hi - lo === 1) return restLeaves.shift();
    const k = split(hi - lo);
    const left = fold(lo, lo + k);
    const right = fold(lo + k, hi);
    return left && right && sha(Buffer.of(1), left, right);
  };
  const root = fold(0, size);
  return restProof.length === 0 && restLeaves.length === 0 ? root : undefined;
}

/** Copies of a list of hashes, each with one bit of one hash turned. */
export function* withOneBitTurned(hashes: readonly Uint8Array[]): Generator<Buffer[]> {
  for (let at = 0; at < hashes.length; at++) {
    const copy = hashes.map((one) => Buffer.from(one));
    const hash = copy[at] as Buffer;
    const bit = (at * 37) % (hash.length * 8);
    hash[bit >> 3] = (hash[bit >> 3] as number) ^ (1 << (bit & 7));
    yield copy;
  }
}

/** One bit turned. */
export function turned(bytes: Uint8Array, bit = 77): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}
