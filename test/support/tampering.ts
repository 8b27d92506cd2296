/** Changes stored rows as somebody with the file in hand can: guards off, then any column to any other value. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { dropGuards, openRaw } from './journal-fixture.ts';

export type Cell = string | number | Uint8Array | null;

export interface Column {
  readonly name: string;
  readonly type: string;
}

/** Copies the journal at `from` into a new folder below `into`. */
export function copyJournal(from: string, into: string, name: string): string {
  const folder = join(into, name);
  cpSync(from, folder, { recursive: true });
  return folder;
}

/** Runs SQL on a journal without its guards. They stay off: their absence is a finding of its own. */
export function tamper(folder: string, work: (db: Database.Database) => void): void {
  const db = openRaw(folder);
  try {
    const guards = db.prepare<[], { sql: string }>("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").all();
    dropGuards(db);
    work(db);
    // Put back as they were: what is left to find is the changed row alone.
    for (const { sql } of guards) db.exec(sql);
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

/** Columns that are stored, in their order. */
export function storedColumns(db: Database.Database, table: string): Column[] {
  return db
    .prepare<[], Column & { hidden: number }>(`PRAGMA table_xinfo(${table})`)
    .all()
    .filter(({ hidden }) => hidden === 0)
    .map(({ name, type }) => ({ name, type }));
}

/** Another value of the same type. */
export function otherValue(value: Cell, type: string): Cell {
  if (value === null) return type === 'INTEGER' ? 7 : type === 'BLOB' ? Buffer.alloc(32, 7) : 'x';
  if (typeof value === 'number') return type === 'REAL' ? value / 2 + 1e-12 : value + 1;
  // SQLite itself refuses a body that is no JSON: an index reads it.
  if (typeof value === 'string' && value.endsWith('"v":1}')) return value.replace('"v":1}', '"v":2}');
  if (typeof value === 'string') return value.startsWith('x') ? `y${value.slice(1)}` : `x${value.slice(1)}`;
  const bytes = Buffer.from(value);
  if (bytes.length === 0) return Buffer.alloc(1);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return bytes;
}

/** Sets one column of one row to another value. Returns the new value. */
export function changeColumn(
  db: Database.Database,
  table: string,
  key: string,
  row: number | string,
  column: Column,
  to?: Cell,
): Cell {
  const select = db.prepare<[number | string], Cell>(`SELECT ${column.name} FROM ${table} WHERE ${key} = ?`).pluck();
  const changed = to === undefined ? otherValue(select.get(row) ?? null, column.type) : to;
  db.prepare(`UPDATE ${table} SET ${column.name} = ? WHERE ${key} = ?`).run(changed, row);
  return changed;
}
