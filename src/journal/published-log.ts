/**
 * One log as anybody may have it: its newest signed checkpoint, hash tiles and leaf data, in the layout of C2SP tlog-tiles.
 * Leaf data are salted commitments, so that nothing of this tells a fact. Nothing beyond the checkpoint is given out.
 */
import { encodeEntry } from '../core/entry.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { commitment, leafData, SALT_BYTES } from '../merkle/commitment.ts';
import { encodeEntryBundle } from '../merkle/entry-bundle.ts';
import { HASH_BYTES, leafHash, sameHash } from '../merkle/hash.ts';
import { formatSignatureLine, type NoteSignature, parseNote, parseSignatureLine } from '../merkle/note.ts';
import { parseTilePath, rootAt, TILE_HASHES, type TileName, tileWidth } from '../merkle/tiles.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { entryOf } from './entry-row.ts';
import { erasedLeafData, isErased } from './erased-row.ts';
import { StoredTiles } from './stored-tiles.ts';
import { LOGS, type LogName } from './tables.ts';
import type { EntryRow } from './tables-logs.ts';

/** The newest signed checkpoint, with the anchor's and the witnesses' lines that are held for it. */
export interface PublishedHead {
  readonly size: number;
  /** 32 bytes */
  readonly root: Uint8Array;
  /** Signed note. */
  readonly note: string;
}

/** What a path of the published log names. */
export type Published =
  | { readonly kind: 'checkpoint'; readonly note: string }
  | { readonly kind: 'tile'; readonly bytes: Uint8Array; readonly isFull: boolean }
  | { readonly kind: 'not_found' };

/** A leaf that a stored row gives is not the one in the tree: the bundle around it is not handed out. */
export class LeafMismatchError extends Error {
  override readonly name = 'LeafMismatchError';
  readonly code = 'leaf_mismatch';
  readonly seq: number;

  constructor(log: LogName, seq: number) {
    super(`row ${seq} of the ${log} does not give the leaf that is in the tree: run \`stigmem-peerd fsck\``);
    this.seq = seq;
  }
}

interface LeafRow {
  readonly seq: number;
  readonly salt: Uint8Array;
  readonly text: string;
  readonly leaf: Uint8Array;
  /** Leaf data of an entry without a body. */
  readonly data?: Buffer | undefined;
}

const MAX_LINES = 48;

export class PublishedLog {
  readonly #log: LogName;
  readonly #tiles: StoredTiles;
  readonly #rows: (first: number, last: number) => Iterable<LeafRow>;
  readonly #newest: Statement<[number], { tree_size: number; root: Uint8Array; note: string }>;
  readonly #anchored: Statement<[number, number], string>;
  readonly #cosigned: Statement<[number, number], string>;

  constructor(db: Db, log: LogName) {
    this.#log = log;
    this.#tiles = new StoredTiles(db, log);
    this.#rows = log === 'journal' ? entryRows(db) : auditRows(db);
    this.#newest = prepare(
      db,
      sqlBuilder
        .selectFrom('checkpoints')
        .select(['tree_size', 'root', 'note'])
        .where('log', '=', PARAM)
        .orderBy('tree_size', 'desc')
        .orderBy('checkpoint_id', 'desc')
        .limit(ONE),
    );
    this.#anchored = notesAt(db, 'anchor_checkpoints', 'note');
    this.#cosigned = notesAt(db, 'cosignatures', 'line');
  }

  /** Undefined as long as nothing was signed. */
  head(): PublishedHead | undefined {
    const newest = this.#newest.get(LOGS[this.#log]);
    if (newest === undefined) return undefined;
    return { size: newest.tree_size, root: newest.root, note: this.#withLines(newest.note, newest.tree_size) };
  }

  /** What `path` below the log's prefix names. @throws LeafMismatchError; JournalError `broken` if a tile is missing */
  at(path: string): Published {
    const head = this.head();
    if (head === undefined) return { kind: 'not_found' };
    if (path === 'checkpoint') return { kind: 'checkpoint', note: head.note };
    const name = parseTilePath(path);
    if (name === undefined || name.width > availableWidth(name, head.size)) return { kind: 'not_found' };
    return { kind: 'tile', bytes: this.bytes(name), isFull: name.width === TILE_HASHES };
  }

  /**
   * Hash tile or entry bundle. The caller has made sure that the tree is that large.
   *
   * @throws LeafMismatchError; JournalError `broken` if a tile is missing
   */
  bytes({ level, index, width }: TileName): Uint8Array {
    if (level === 'entries') return this.#bundle(index, width);
    return this.#tiles.tile(level, index, width).subarray(0, width * HASH_BYTES);
  }

  /** Root over the first `size` leaves. @throws JournalError `broken` */
  rootAt(size: number): Buffer {
    return rootAt(size, this.#tiles);
  }

  #bundle(index: number, width: number): Buffer {
    const first = index * TILE_HASHES + 1;
    const leaves: Buffer[] = [];
    for (const { seq, salt, text, leaf, data: left } of this.#rows(first, first + width - 1)) {
      const data = left ?? (salt.length === SALT_BYTES ? leafData(commitment(salt, text)) : undefined);
      const hash = data === undefined ? undefined : leafHash(data);
      const inTree = this.#tiles.fullTileLeaf(seq) ?? leaf;
      if (data === undefined || hash === undefined || !sameHash(hash, leaf) || !sameHash(hash, inTree)) {
        throw new LeafMismatchError(this.#log, seq);
      }
      leaves.push(data);
    }
    if (leaves.length !== width) throw new LeafMismatchError(this.#log, first + leaves.length);
    return encodeEntryBundle(leaves);
  }

  /** Lines that others, and our anchor key, gave to exactly this checkpoint; each once. */
  #withLines(note: string, size: number): string {
    const own = parseNote(note);
    if (!own.ok || !parseCheckpoint(own.value.text).ok) return note;
    const lines = [...own.value.signatures];
    for (const anchored of this.#anchored.all(LOGS[this.#log], size)) {
      const parsed = parseNote(anchored);
      if (parsed.ok && parsed.value.text === own.value.text) lines.push(...parsed.value.signatures);
    }
    for (const line of this.#cosigned.all(LOGS[this.#log], size)) {
      const parsed = parseSignatureLine(line.replace(/\n$/, ''));
      if (parsed !== undefined) lines.push(parsed);
    }
    return `${own.value.text}\n${onePerKey(lines).slice(0, MAX_LINES).map(formatSignatureLine).join('')}`;
  }
}

/** How wide a tile or bundle is in a tree of `size` leaves. */
export function availableWidth({ level, index }: Pick<TileName, 'level' | 'index'>, size: number): number {
  return tileWidth(level === 'entries' ? 0 : level, index, size);
}

function onePerKey(lines: readonly NoteSignature[]): readonly NoteSignature[] {
  const byKey = new Map<string, NoteSignature>();
  for (const line of lines) {
    const key = `${line.name} ${line.keyId}`;
    if (!byKey.has(key)) byKey.set(key, line);
  }
  return [...byKey.values()];
}

function notesAt(
  db: Db,
  table: 'anchor_checkpoints' | 'cosignatures',
  column: string,
): Statement<[number, number], string> {
  const query = sqlBuilder
    .selectFrom(table as 'cosignatures')
    .select(column as 'line')
    .where('log', '=', PARAM)
    .where('tree_size', '=', PARAM);
  return prepare<[number, number]>(db, query).pluck() as Statement<[number, number], string>;
}

function* entryLeaves(rows: Iterable<EntryRow>): Iterable<LeafRow> {
  for (const row of rows) {
    const data = isErased(row) ? erasedLeafData(row) : undefined;
    yield { seq: row.chain_seq, salt: row.salt, text: encodeEntry(entryOf(row)), leaf: row.leaf_hash, data };
  }
}

/** Entries from one chain sequence to another, both included. */
export function prepareEntries(db: Db): Statement<[number, number], EntryRow> {
  return prepare(
    db,
    sqlBuilder
      .selectFrom('entries')
      .selectAll()
      .where('chain_seq', '>=', PARAM)
      .where('chain_seq', '<=', PARAM)
      .orderBy('chain_seq'),
  );
}

function entryRows(db: Db): (first: number, last: number) => Iterable<LeafRow> {
  const rows = prepareEntries(db);
  return (first, last) => entryLeaves(rows.all(first, last));
}

function auditRows(db: Db): (first: number, last: number) => Iterable<LeafRow> {
  const rows = prepare<[number, number], LeafRow>(
    db,
    sqlBuilder
      .selectFrom('audit')
      .select(['seq', 'salt', 'body as text', 'leaf_hash as leaf'])
      .where('seq', '>=', PARAM)
      .where('seq', '<=', PARAM)
      .orderBy('seq'),
  );
  return (first, last) => rows.all(first, last);
}
