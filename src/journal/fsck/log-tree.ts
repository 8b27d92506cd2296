/** The tree of one log, grown again from its leaves and compared with every stored tile, edge and signed root. */
import { decodeBase64, encodeBase64 } from '../../merkle/base64.ts';
import { asBuffer, completeRoot, HASH_BYTES, sameHash } from '../../merkle/hash.ts';
import { TILE_HASHES } from '../../merkle/tiles.ts';
import { type FullTile, TreeBuilder } from '../../merkle/tree-builder.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import type { SignedHead } from '../signed-heads.ts';
import { edgeId, tileId } from '../stored-tiles.ts';
import { LOGS, type LogName } from '../tables.ts';
import { changedColumn, type FsckContext, type StoredRow } from './context.ts';

const TILE_BYTES = TILE_HASHES * HASH_BYTES;

interface LeafTile {
  readonly index: number;
  readonly bytes: Buffer | undefined;
  /** The tile above holds its root: then the tile is right and the rows are not. */
  readonly isVouchedFor: () => boolean;
}

type Root = Pick<StoredRow<'checkpoints'>, 'checkpoint_id' | 'tree_size' | 'root'>;

export class LogTree {
  readonly #ctx: FsckContext;
  readonly #log: LogName;
  readonly #head: SignedHead | null;
  readonly #tree = new TreeBuilder();
  readonly #full: Statement<[number], Uint8Array>;
  readonly #edge: Statement<[number], Uint8Array>;
  readonly #roots: IterableIterator<StoredRow<'checkpoints'>>;
  readonly #guilty = new Set<number>();
  #next: StoredRow<'checkpoints'> | undefined;
  #leafTile: LeafTile | undefined;
  #lastGoodSize = 0;
  /** A leaf is not known, or a signed root was not reached: what follows cannot be compared. */
  #isLost = false;

  constructor(ctx: FsckContext, log: LogName, head: SignedHead | null) {
    this.#ctx = ctx;
    this.#log = log;
    this.#head = head;
    this.#full = hashesOf(ctx, 'tiles');
    this.#edge = hashesOf(ctx, 'tile_edges');
    this.#roots = checkpointsBySize(ctx, log);
    this.#advance();
    this.#compareRoots();
  }

  /** The leaf of row `seq` as its tile has it; undefined if there is no tile, or none that the tile above vouches for. */
  vouchedLeaf(seq: number): Uint8Array | undefined {
    const tile = this.#tileOf(seq);
    return tile.isVouchedFor() ? this.#leafIn(tile, seq) : undefined;
  }

  /** True if the tile does not have `leaf` at row `seq`. */
  isElsewhere(seq: number, leaf: Uint8Array): boolean {
    const stored = this.#leafIn(this.#tileOf(seq), seq);
    return stored !== undefined && !sameHash(leaf, stored);
  }

  /** Takes the leaf of the next row. */
  add(leaf: Uint8Array): void {
    if (this.#isLost) return;
    for (const tile of this.#tree.append(leaf)) this.#compareTile(tile);
    this.#compareRoots();
  }

  /** Rows that are not there: their leaves come from tiles, as far as those go. */
  skip(first: number, last: number): void {
    for (let seq = first; seq <= last && !this.#isLost; seq++) {
      const leaf = this.vouchedLeaf(seq);
      if (leaf !== undefined) this.add(leaf);
      else this.#lose(`row ${seq} is missing and no tile holds its leaf`);
    }
  }

  /** After the last row: the growing edges, tiles and checkpoints beyond the end. */
  finish(rows: number): void {
    if (!this.#isLost) {
      for (const { level, bytes } of this.#tree.partialTiles()) if (level > 0) this.#compareEdge(level, bytes);
      const { size } = this.#tree;
      this.#ctx.findings.heads[this.#log] = { size, root: encodeBase64(this.#tree.root()) };
    }
    this.#findStrayTiles(rows);
    this.#findTruncation(rows);
  }

  /** Ends the reading of checkpoints, wherever it stands. */
  close(): void {
    this.#roots.return?.();
  }

  #lose(why: string): void {
    this.#isLost = true;
    this.#ctx.findings.notice(
      'tree_not_derived',
      `${this.#log}: ${why}; later tiles and roots of this log were not compared`,
    );
  }

  #tileOf(seq: number): LeafTile {
    const index = Math.floor((seq - 1) / TILE_HASHES);
    if (this.#leafTile?.index === index) return this.#leafTile;
    const stored = this.#full.get(tileId(this.#log, 0, index));
    const bytes = stored?.length === TILE_BYTES ? asBuffer(stored) : undefined;
    let isVouched: boolean | undefined;
    this.#leafTile = {
      index,
      bytes,
      isVouchedFor: () => {
        isVouched ??= bytes !== undefined && this.#parentHas(index, completeRoot(bytes, 0, TILE_HASHES));
        return isVouched;
      },
    };
    return this.#leafTile;
  }

  #leafIn({ bytes }: LeafTile, seq: number): Uint8Array | undefined {
    const at = ((seq - 1) % TILE_HASHES) * HASH_BYTES;
    return bytes?.subarray(at, at + HASH_BYTES);
  }

  #parentHas(index: number, root: Uint8Array): boolean {
    const parent =
      this.#full.get(tileId(this.#log, 1, Math.floor(index / TILE_HASHES))) ?? this.#edge.get(edgeId(this.#log, 1));
    const at = (index % TILE_HASHES) * HASH_BYTES;
    return parent !== undefined && sameHash(root, parent.subarray(at, at + HASH_BYTES));
  }

  #compareTile({ level, index, bytes }: FullTile): void {
    const id = tileId(this.#log, level, index);
    const stored = this.#full.get(id);
    this.#ctx.findings.checked.tiles++;
    if (stored !== undefined && bytes.equals(stored)) return;
    const name = `tile ${level}/${index} of the ${this.#log} tree`;
    if (stored === undefined) {
      this.#tileProblem(id, 'tile_id', 'tile_missing', `${name} is missing`);
      return;
    }
    const at = firstDifference(bytes, stored);
    this.#tileProblem(id, 'hashes', 'tile_mismatch', `${name} does not follow from what is below, from hash ${at} on`);
  }

  #compareEdge(level: number, bytes: Buffer): void {
    const id = edgeId(this.#log, level);
    const stored = this.#edge.get(id);
    if (stored !== undefined && bytes.equals(stored)) return;
    this.#ctx.findings.problem({
      table: 'tile_edges',
      row: id,
      field: stored === undefined ? 'tile_id' : 'hashes',
      code: stored === undefined ? 'tile_missing' : 'tile_mismatch',
      detail: `the growing tile of level ${level} of the ${this.#log} tree does not follow from the full ones`,
    });
  }

  #tileProblem(row: number, field: string, code: string, detail: string): void {
    if (this.#guilty.has(row)) return;
    this.#guilty.add(row);
    this.#ctx.findings.problem({ table: 'tiles', row, field, code, detail });
  }

  #advance(): void {
    const { value, done } = this.#roots.next();
    this.#next = done ? undefined : value;
  }

  /** Every checkpoint over exactly the rows so far. */
  #compareRoots(): void {
    const { size } = this.#tree;
    let root: Buffer | undefined;
    if (this.#head?.size === size) {
      root = this.#tree.root();
      this.#compareHead(this.#head, root);
    }
    while (this.#next !== undefined && this.#next.tree_size <= size && !this.#isLost) {
      root ??= this.#tree.root();
      // A row that its own sums accuse is told of where checkpoints are read.
      if (this.#next.tree_size === size && changedColumn('checkpoints', this.#next) === undefined) {
        this.#compareRoot(this.#next, root);
      }
      this.#advance();
    }
  }

  #compareRoot(stored: Root, root: Buffer): void {
    if (sameHash(root, stored.root)) {
      this.#lastGoodSize = stored.tree_size;
      return;
    }
    this.#ctx.findings.problem({
      table: 'checkpoints',
      row: stored.checkpoint_id,
      field: 'root',
      code: 'checkpoint_root_mismatch',
      detail: this.#otherTree(stored.tree_size, root),
    });
    this.#lose(`the signed root over ${stored.tree_size} rows was not reached`);
  }

  #compareHead(head: SignedHead, root: Buffer): void {
    const signed = decodeBase64(head.root);
    if (this.#isLost || (signed !== undefined && sameHash(root, signed))) return;
    this.#ctx.findings.problem({
      table: 'signed-heads.json',
      row: this.#log,
      field: 'root',
      code: 'checkpoint_root_mismatch',
      detail: this.#otherTree(head.size, root),
    });
  }

  #otherTree(size: number, root: Buffer): string {
    const rows = `rows ${this.#lastGoodSize + 1} to ${size}`;
    return `the first ${size} rows of the ${this.#log} have root ${encodeBase64(root)}, which is not the signed one: ${rows} are not those that were signed`;
  }

  #findStrayTiles(rows: number): void {
    const first = tileId(this.#log, 0, 0);
    const ids = prepare<[number, number], number>(
      this.#ctx.db,
      sqlBuilder.selectFrom('tiles').select('tile_id').where('tile_id', '>=', PARAM).where('tile_id', '<', PARAM),
    ).pluck();
    for (const id of ids.iterate(first, tileId(this.#log, LEVELS, 0))) {
      const level = Math.floor((Number(id) - first) / LEVEL_IDS);
      const index = (Number(id) - first) % LEVEL_IDS;
      if ((index + 1) * TILE_HASHES ** (level + 1) <= rows) continue;
      const detail = `tile ${level}/${index} of the ${this.#log} tree stands for rows that are not there`;
      this.#tileProblem(Number(id), 'tile_id', 'tile_unexpected', detail);
    }
  }

  #findTruncation(rows: number): void {
    let signed = this.#head?.size ?? 0;
    for (; this.#next !== undefined; this.#advance()) {
      if (changedColumn('checkpoints', this.#next) === undefined) signed = Math.max(signed, this.#next.tree_size);
    }
    if (signed <= rows) return;
    this.#ctx.findings.problem({
      table: this.#log === 'journal' ? 'entries' : 'audit',
      row: rows + 1,
      field: this.#log === 'journal' ? 'chain_seq' : 'seq',
      code: 'truncated',
      detail: `a checkpoint over ${signed} rows was signed, the ${this.#log} ends at row ${rows}`,
    });
  }
}

const LEVELS = 64;
const LEVEL_IDS: number = tileId('journal', 1, 0) - tileId('journal', 0, 0);

function hashesOf({ db }: FsckContext, table: 'tiles' | 'tile_edges'): Statement<[number], Uint8Array> {
  const query = sqlBuilder.selectFrom(table).select('hashes').where('tile_id', '=', PARAM);
  return prepare<[number]>(db, query).pluck() as Statement<[number], Uint8Array>;
}

function checkpointsBySize({ db }: FsckContext, log: LogName): IterableIterator<StoredRow<'checkpoints'>> {
  const query = sqlBuilder
    .selectFrom('checkpoints')
    .selectAll()
    .where('log', '=', PARAM)
    .orderBy('tree_size')
    .orderBy('checkpoint_id');
  return prepare<[number], StoredRow<'checkpoints'>>(db, query).iterate(LOGS[log]);
}

function firstDifference(bytes: Buffer, stored: Uint8Array): number {
  const at = bytes.findIndex((byte, i) => byte !== stored[i]);
  return Math.floor((at < 0 ? stored.length : at) / HASH_BYTES);
}
