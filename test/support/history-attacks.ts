/**
 * The administrator of a node as the attacker: root, the stopped node's files, its keys and this program's own code. Each
 * attack leaves a folder in which nothing local is wrong any more: guards are back, sums, chain, feeds, leaves, tiles,
 * checkpoints and the file of signed heads all agree with the new history. Whoever finds it has to stand outside.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { chainHash, eventHash } from '../../src/core/chain.ts';
import { computeCid } from '../../src/core/cid.ts';
import { type Entry, encodeEntry } from '../../src/core/entry.ts';
import { feedNameOf } from '../../src/core/feed-name.ts';
import { prepareSummedInsert } from '../../src/journal/database.ts';
import { ENTRY_COLUMNS, entryCells, entryOf } from '../../src/journal/entry-row.ts';
import { SIGNED_HEADS_FILE } from '../../src/journal/files.ts';
import { readIdentity } from '../../src/journal/identity.ts';
import { StoredTiles, TileWriter, tileId } from '../../src/journal/stored-tiles.ts';
import { LOGS } from '../../src/journal/tables.ts';
import type { EntryRow } from '../../src/journal/tables-logs.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { signCheckpoint } from '../../src/merkle/checkpoint.ts';
import { entryLeafHash } from '../../src/merkle/commitment.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { rootAt } from '../../src/merkle/tiles.ts';
import { TreeBuilder } from '../../src/merkle/tree-builder.ts';
import { RecallIndex } from '../../src/projections/recall-index.ts';
import { tamper } from './tampering.ts';

/** One entry as the attacker has it on the table: what it says, when it was written, and the salt that peers know. */
export interface Record {
  entry: Entry;
  readonly createdUs: number;
  readonly salt: Uint8Array;
}

export type Rewrite = (records: Record[]) => readonly Record[];

/** Rewrites the history of a stopped node: `change` gets all entries in order and returns what is to have been. */
export function rewriteHistory(folder: string, logSeed: Uint8Array, change: Rewrite): void {
  tamper(folder, (db) => {
    dropVouchers(db);
    const rows = db.prepare<[], EntryRow>('SELECT * FROM entries ORDER BY chain_seq').all();
    const records = rows.map((row) => ({ entry: entryOf(row), createdUs: row.created_us, salt: row.salt }));
    const size = replaceEntries(db, change(records));
    resignCheckpoints(db, folder, logSeed, size);
  });
}

/** A fact that says something else, with everything that is computed from it. */
export function changed(record: Record, change: Partial<Entry>): Record {
  const body = { ...record.entry, ...change };
  const cid = computeCid({ ...body, confidence: Number(body.confidence) });
  return { ...record, entry: { ...body, cid } };
}

/**
 * What speaks of the old history goes: receipts of transparency logs, cosignatures, the ledger of what was given and the notes
 * that are kept for peers, whose positions the new feeds may not have.
 */
function dropVouchers(db: Database.Database): void {
  for (const table of [
    'anchor_attempts',
    'anchor_receipts',
    'anchor_checkpoints',
    'cosignatures',
    'disclosures',
    'kept_notes',
    'grant_texts',
    'erasure_steps',
    'erasure_acks',
    'body_copies',
    'relayed_acks',
  ])
    db.exec(`DELETE FROM ${table}`);
}

function replaceEntries(db: Database.Database, records: readonly Record[]): number {
  const [first, last] = [tileId('journal', 0, 0), tileId('audit', 0, 0)];
  db.exec(`DELETE FROM entries; DELETE FROM feeds; DELETE FROM lookup; DELETE FROM tile_edges;
    DELETE FROM tiles WHERE tile_id >= ${first} AND tile_id < ${last}; DELETE FROM state`);
  new RecallIndex(db).rebuild();
  const holes = ENTRY_COLUMNS.map(() => '?').join(', ');
  const insert = db.prepare(`INSERT INTO entries (${ENTRY_COLUMNS.join(', ')}) VALUES (${holes})`);
  const insertFeed = prepareSummedInsert(db, 'feeds');
  const tree = new TreeBuilder();
  const tiles = new TileWriter(db, 'journal');
  const feeds = new Map<string, { id: number; length: number }>();
  let previous: string | null = null;
  records.forEach(({ entry, createdUs, salt }, index) => {
    const name = feedNameOf(entry);
    if (!name.ok) throw new Error(name.error);
    const feed = feeds.get(name.value) ?? { id: feeds.size + 1, length: 0 };
    if (feed.length === 0) insertFeed({ feed_id: feed.id, name: name.value });
    feeds.set(name.value, feed);
    feed.length++;
    const event_hash = eventHash({ ...entry, confidence: Number(entry.confidence) });
    const placed = { ...entry, event_hash, chain_seq: index + 1, feed_seq: feed.length, previous_hash: previous };
    const whole: Entry = { ...placed, chain_hash: chainHash(placed) };
    previous = whole.chain_hash;
    const leafHash = entryLeafHash(salt, encodeEntry(whole));
    insert.run(entryCells(whole, { feedId: feed.id, createdUs, salt, leafHash }));
    tiles.write(tree.append(leafHash), () => tree.partialTiles());
  });
  return tree.size;
}

/** Every checkpoint that was signed over a size that the new history has is signed anew; larger ones never were. */
function resignCheckpoints(db: Database.Database, folder: string, logSeed: Uint8Array, size: number): void {
  const { journalOrigin, auditOrigin } = readIdentity(db);
  type Row = { log: number; tree_size: number; root: Uint8Array; note: string };
  const rows = db.prepare<[], Row>('SELECT * FROM checkpoints ORDER BY checkpoint_id').all();
  const sizes = rows.flatMap(({ log, tree_size }) => (log === LOGS.journal ? [tree_size] : []));
  const kept = rows.filter(({ log, tree_size }) => log !== LOGS.journal || tree_size <= size);
  if (!sizes.includes(size)) kept.push({ log: LOGS.journal, tree_size: size, root: new Uint8Array(0), note: '' });
  db.exec('DELETE FROM checkpoints');
  const insert = prepareSummedInsert(db, 'checkpoints');
  const tree = new StoredTiles(db, 'journal');
  const heads = new Map<number, { size: number; root: string; note: string }>();
  kept.forEach((row, i) => {
    const origin = row.log === LOGS.journal ? journalOrigin : auditOrigin;
    if (row.log === LOGS.journal) row.root = rootAt(row.tree_size, tree);
    // The audit log stays what it was; with another key it is signed anew too.
    row.note = signCheckpoint(origin, row.tree_size, row.root, createLogSigner(origin, logSeed));
    insert({ checkpoint_id: i + 1, ...pick(row) });
    heads.set(row.log, { size: row.tree_size, root: encodeBase64(row.root), note: row.note });
  });
  const file = { v: 1, journal: heads.get(LOGS.journal) ?? null, audit: heads.get(LOGS.audit) ?? null };
  writeFileSync(join(folder, SIGNED_HEADS_FILE), `${JSON.stringify(file)}\n`, { mode: 0o600 });
}

function pick({ log, tree_size, root, note }: { log: number; tree_size: number; root: Uint8Array; note: string }) {
  return { log, tree_size, root, note };
}
