/** The tree of one log as the database holds it: full tiles, growing tiles above level 0, leaf hashes in the rows. */
import { asBuffer, completeRoot, HASH_BYTES, packHashes } from '../merkle/hash.ts';
import { TILE_HASHES, type TileSource } from '../merkle/tiles.ts';
import type { FullTile, PartialTile } from '../merkle/tree-builder.ts';
import { type Db, PARAM, prepare, prepareInsert, type Statement, sqlBuilder } from './database.ts';
import { JournalError } from './errors.ts';
import { LOGS, type LogName } from './tables.ts';

const LEVELS_PER_LOG = 64;
const TILES_PER_LEVEL = 2 ** 40;

/** One integer key for (log, level, index): rows of one level lie together, and appends go to their end. */
export function tileId(log: LogName, level: number, index: number): number {
  return (LOGS[log] * LEVELS_PER_LOG + level) * TILES_PER_LEVEL + index;
}

/** Growing tile of a level above 0: rewritten when the level below fills a tile. Derived from full tiles. */
export function edgeId(log: LogName, level: number): number {
  return LOGS[log] * LEVELS_PER_LOG + level;
}

export class StoredTiles implements TileSource {
  #remembered: { readonly index: number; readonly hashes: Uint8Array } | undefined;
  readonly #log: LogName;
  readonly #full: Statement<[number], Uint8Array>;
  readonly #edge: Statement<[number], Uint8Array>;
  readonly #leaves: Statement<[number, number], Uint8Array>;

  constructor(db: Db, log: LogName) {
    this.#log = log;
    this.#full = hashesById(db, 'tiles');
    this.#edge = hashesById(db, 'tile_edges');
    this.#leaves = (log === 'journal' ? entryLeaves(db) : auditLeaves(db)).pluck() as Statement<
      [number, number],
      Uint8Array
    >;
  }

  tile(level: number, index: number, width: number): Uint8Array {
    const stored = this.#full.get(tileId(this.#log, level, index)) ?? this.#growing(level, index, width);
    if (stored === undefined || stored.length < width * 32) {
      throw new JournalError(
        'broken',
        `tile ${level}/${index} of the ${this.#log} tree is missing or short: run \`stigmem-peerd fsck\``,
      );
    }
    return stored;
  }

  /** Leaf hash of row `seq` (from 1) as its full tile has it; undefined while the tile is growing. */
  fullTileLeaf(seq: number): Uint8Array | undefined {
    const index = Math.floor((seq - 1) / TILE_HASHES);
    const at = ((seq - 1) % TILE_HASHES) * HASH_BYTES;
    return this.#leafTile(index)?.subarray(at, at + HASH_BYTES);
  }

  /** Rows are read in runs. A full tile never changes, so a remembered one can only be truer than the stored one. */
  #leafTile(index: number): Uint8Array | undefined {
    if (this.#remembered?.index === index) return this.#remembered.hashes;
    const hashes = this.#full.get(tileId(this.#log, 0, index));
    if (hashes !== undefined) this.#remembered = { index, hashes };
    return hashes;
  }

  /** A growing tile that was dropped follows from the full tiles below it. */
  #derived(level: number, index: number, width: number): Uint8Array | undefined {
    const roots: Uint8Array[] = [];
    for (let i = 0; i < width; i++) {
      const below = this.#full.get(tileId(this.#log, level - 1, index * TILE_HASHES + i));
      if (below === undefined) return undefined;
      roots.push(completeRoot(asBuffer(below), 0, TILE_HASHES));
    }
    return packHashes(roots);
  }

  #growing(level: number, index: number, width: number): Uint8Array | undefined {
    if (level > 0) return this.#edge.get(edgeId(this.#log, level)) ?? this.#derived(level, index, width);
    const first = index * TILE_HASHES + 1;
    return packHashes(this.#leaves.all(first, first + width - 1));
  }
}

/** Writes what an append added to the tree. */
export class TileWriter {
  readonly #log: LogName;
  readonly #insert: Statement<unknown[]>;
  readonly #edge: Statement<[number], Uint8Array>;
  readonly #saveEdge: Statement<unknown[]>;

  constructor(db: Db, log: LogName) {
    this.#log = log;
    this.#insert = prepareInsert(db, 'tiles', ['tile_id', 'hashes']);
    this.#edge = hashesById(db, 'tile_edges');
    this.#saveEdge = prepare(db, sqlBuilder.replaceInto('tile_edges').values({ tile_id: PARAM, hashes: PARAM }));
  }

  /** Growing tiles that were dropped get their rows back. */
  restore(growing: readonly PartialTile[]): void {
    for (const { level, bytes } of growing) {
      if (level > 0 && this.#edge.get(edgeId(this.#log, level)) === undefined)
        this.#saveEdge.run(edgeId(this.#log, level), bytes);
    }
  }

  /** Level 0 needs no row of its own while it grows: the rows of the log hold its hashes. */
  write(full: readonly FullTile[], growing: () => readonly PartialTile[]): void {
    if (full.length === 0) return;
    for (const { level, index, bytes } of full) this.#insert.run(tileId(this.#log, level, index), bytes);
    for (const { level, bytes } of growing()) if (level > 0) this.#saveEdge.run(edgeId(this.#log, level), bytes);
  }
}

function hashesById(db: Db, table: 'tiles' | 'tile_edges'): Statement<[number], Uint8Array> {
  const query = sqlBuilder.selectFrom(table).select('hashes').where('tile_id', '=', PARAM);
  return prepare<[number]>(db, query).pluck() as Statement<[number], Uint8Array>;
}

function entryLeaves(db: Db): Statement<[number, number]> {
  return prepare(
    db,
    sqlBuilder
      .selectFrom('entries')
      .select('leaf_hash')
      .where('chain_seq', '>=', PARAM)
      .where('chain_seq', '<=', PARAM)
      .orderBy('chain_seq'),
  );
}

function auditLeaves(db: Db): Statement<[number, number]> {
  return prepare(
    db,
    sqlBuilder
      .selectFrom('audit')
      .select('leaf_hash')
      .where('seq', '>=', PARAM)
      .where('seq', '<=', PARAM)
      .orderBy('seq'),
  );
}
