import { asBuffer, completeRoot, EMPTY_ROOT, HASH_BYTES, nodeHash, nodeScratch, sha256Latin1 } from './hash.ts';
import { TILE_HASHES, type TileSource } from './tiles.ts';
import { isTreeSize } from './tree-size.ts';

/** A full tile: 256 hashes, 8 KiB. It never changes again. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly bytes: Buffer;
}

/** The growing tile of a level: 1 to 255 hashes. */
export interface PartialTile extends FullTile {
  readonly width: number;
}

/** State to go back to when a transaction fails. */
export interface TreeSnapshot {
  readonly levels: readonly { readonly index: number; readonly width: number; readonly hashes: Buffer }[];
  readonly frontier: Buffer;
}

const TILE_HEIGHT = 8;
/** 256^7 leaves is more than 2^53. */
const LEVELS = 7;
const NODE_BYTES = nodeScratch().length;

interface Level {
  index: number;
  width: number;
  hashes: Buffer;
}

/**
 * Grows the tree of one log: leaf hashes in, full tiles out, the root at any time in O(log size).
 *
 * Beside the growing tile of each level it keeps the frontier, the root of each complete subtree that the size is made
 * of: one node hash per leaf in the mean, and none to find the hash of a tile that has become full. 8 KiB per level.
 */
export class TreeBuilder {
  #levels: Level[] = Array.from({ length: LEVELS }, () => ({ index: 0, width: 0, hashes: newTile() }));
  /** Node buffers by height, over one block of memory: the left half of node h is the frontier hash of 2^h leaves. */
  readonly #frontier: Buffer = Buffer.concat(Array.from({ length: LEVELS * TILE_HEIGHT }, nodeScratch));
  readonly #nodes: readonly Buffer[] = Array.from({ length: LEVELS * TILE_HEIGHT }, (_, height) =>
    this.#frontier.subarray(height * NODE_BYTES, (height + 1) * NODE_BYTES),
  );

  /**
   * A builder for a tree that is there: reads the partial tile of each level.
   *
   * @throws RangeError if `size` is no tree size or a tile is too short; whatever the source throws
   */
  static open(size: number, source: TileSource): TreeBuilder {
    if (!isTreeSize(size)) throw new RangeError('no such tree size');
    const builder = new TreeBuilder();
    builder.#levels.forEach((level, at) => {
      const hashes = Math.floor(size / TILE_HASHES ** at);
      level.index = Math.floor(hashes / TILE_HASHES);
      level.width = hashes % TILE_HASHES;
      if (level.width === 0) return;
      const stored = asBuffer(source.tile(at, level.index, level.width));
      if (stored.length < level.width * HASH_BYTES) throw new RangeError(`partial tile of level ${at} is too short`);
      stored.copy(level.hashes, 0, 0, level.width * HASH_BYTES);
      builder.#restoreFrontier(at, level);
    });
    return builder;
  }

  /** Leaves in the tree. */
  get size(): number {
    const lowest = this.#level(0);
    return lowest.index * TILE_HASHES + lowest.width;
  }

  /**
   * Appends leaf hashes.
   *
   * @param leaves packed leaf hashes
   * @returns the tiles that became full, in the order in which they did; they belong to the caller
   * @throws RangeError if the length is no multiple of 32
   */
  append(leaves: Uint8Array): FullTile[] {
    if (leaves.length % HASH_BYTES !== 0) throw new RangeError('packed hashes are 32 bytes each');
    const full: FullTile[] = [];
    const bytes = asBuffer(leaves);
    for (let at = 0; at < bytes.length; at += HASH_BYTES) {
      this.#push(bytes.toString('latin1', at, at + HASH_BYTES), 0, full);
    }
    return full;
  }

  /** The root hash over all leaves. */
  root(): Buffer {
    let root: Buffer | undefined;
    this.#levels.forEach(({ width }, level) => {
      for (let bit = 0; bit < TILE_HEIGHT; bit++) {
        if (((width >> bit) & 1) === 0) continue;
        const left = this.#node(level * TILE_HEIGHT + bit).subarray(1, 1 + HASH_BYTES);
        root = root === undefined ? Buffer.from(left) : nodeHash(left, root);
      }
    });
    return root ?? Buffer.from(EMPTY_ROOT);
  }

  /** Copies of the growing tiles, lowest level first; what a later {@link TreeBuilder.open} needs beside the size. */
  partialTiles(): PartialTile[] {
    return this.#levels.flatMap(({ index, width, hashes }, level) =>
      width === 0 ? [] : [{ level, index, width, bytes: Buffer.from(hashes.subarray(0, width * HASH_BYTES)) }],
    );
  }

  snapshot(): TreeSnapshot {
    const levels = this.#levels.map(({ index, width, hashes }) => ({
      index,
      width,
      hashes: Buffer.from(hashes.subarray(0, width * HASH_BYTES)),
    }));
    return { levels, frontier: Buffer.from(this.#frontier) };
  }

  /** Goes back to a snapshot of this builder, or of another one. The snapshot can be used again. */
  restore(snapshot: TreeSnapshot): void {
    this.#levels = snapshot.levels.map(({ index, width, hashes }) => {
      const tile = newTile();
      hashes.copy(tile);
      return { index, width, hashes: tile };
    });
    snapshot.frontier.copy(this.#frontier);
  }

  /** Adds one hash, as latin1 text, to a tile level; a tile that gets full adds its root to the level above. */
  #push(hash: string, at: number, full: FullTile[]): void {
    const level = this.#level(at);
    level.hashes.write(hash, level.width * HASH_BYTES, HASH_BYTES, 'latin1');
    let carried = hash;
    let height = at * TILE_HEIGHT;
    for (let rest = level.width; rest % 2 === 1; rest >>= 1, height++) {
      const node = this.#node(height);
      node.write(carried, 1 + HASH_BYTES, HASH_BYTES, 'latin1');
      carried = sha256Latin1(node);
    }
    level.width++;
    if (level.width < TILE_HASHES) {
      this.#node(height).write(carried, 1, HASH_BYTES, 'latin1');
      return;
    }
    full.push({ level: at, index: level.index, bytes: level.hashes });
    level.index++;
    level.width = 0;
    level.hashes = newTile();
    this.#push(carried, at + 1, full);
  }

  #restoreFrontier(at: number, level: Level): void {
    let first = 0;
    for (let bit = TILE_HEIGHT - 1; bit >= 0; bit--) {
      if (((level.width >> bit) & 1) === 0) continue;
      completeRoot(level.hashes, first, 2 ** bit).copy(this.#node(at * TILE_HEIGHT + bit), 1);
      first += 2 ** bit;
    }
  }

  #level(at: number): Level {
    const level = this.#levels[at];
    if (level === undefined) throw new RangeError('the tree is full');
    return level;
  }

  #node(height: number): Buffer {
    const node = this.#nodes[height];
    if (node === undefined) throw new RangeError('the tree is full');
    return node;
  }
}

function newTile(): Buffer {
  return Buffer.allocUnsafeSlow(TILE_HASHES * HASH_BYTES);
}
