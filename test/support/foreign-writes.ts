/** What another program may try on a journal: every way of changing a guarded table or a view, as SQL. */
import type Database from 'better-sqlite3';
import { GUARDED, GUARDED_VIEWS } from '../../src/journal/schema.ts';

export interface ForeignWrite {
  readonly sql: string;
  /** As the guards record it. */
  readonly operation: 'UPDATE' | 'DELETE' | 'INSERT';
  readonly target: string;
}

/** One statement each; the journal has a row in every table. `mutation_attempts` comes last: the others fill it. */
export function foreignWrites(db: Database.Database): ForeignWrite[] {
  const tables = Object.entries(GUARDED).flatMap(([table, key]) => tableWrites(db, table, key));
  return [...GUARDED_VIEWS.flatMap((view) => viewWrites(db, view)), ...tables];
}

function columnsOf(db: Database.Database, table: string): string[] {
  return db
    .prepare<[], { name: string; hidden: number }>(`PRAGMA table_xinfo(${table})`)
    .all()
    .filter(({ hidden }) => hidden === 0)
    .map(({ name }) => name);
}

function tableWrites(db: Database.Database, table: string, key: string): ForeignWrite[] {
  const columns = columnsOf(db, table);
  const list = columns.join(', ');
  const first = `SELECT ${list} FROM ${table} ORDER BY ${key} LIMIT 1`;
  const last = `SELECT ${list} FROM ${table} ORDER BY ${key} DESC LIMIT 1`;
  const target = table;
  const writes: ForeignWrite[] = [
    ...columns.map(
      (column) => ({ sql: `UPDATE ${table} SET ${column} = ${column}`, operation: 'UPDATE', target }) as const,
    ),
    { sql: `UPDATE OR REPLACE ${table} SET ${key} = ${key}`, operation: 'UPDATE', target },
    { sql: `UPDATE OR IGNORE ${table} SET ${key} = ${key}`, operation: 'UPDATE', target },
    { sql: `DELETE FROM ${table}`, operation: 'DELETE', target },
    { sql: `DELETE FROM ${table} WHERE ${key} = (SELECT max(${key}) FROM ${table})`, operation: 'DELETE', target },
    { sql: `INSERT OR REPLACE INTO ${table} (${list}) ${first}`, operation: 'INSERT', target },
    { sql: `REPLACE INTO ${table} (${list}) ${last}`, operation: 'INSERT', target },
    { sql: `INSERT OR IGNORE INTO ${table} (${list}) ${first}`, operation: 'INSERT', target },
    { sql: `INSERT INTO ${table} (${list}) ${first}`, operation: 'INSERT', target },
    {
      sql: `INSERT INTO ${table} (${list}) SELECT * FROM (${first}) WHERE true ON CONFLICT DO UPDATE SET ${key} = ${key}`,
      operation: 'INSERT',
      target,
    },
  ];
  const isCounted = table !== 'meta' && table !== 'tiles';
  const beyond = columns.map((column) => (column === key ? `${key} + 1000000` : column)).join(', ');
  if (isCounted) {
    writes.push({
      sql: `INSERT INTO ${table} (${list}) SELECT ${beyond} FROM ${table} LIMIT 1`,
      operation: 'INSERT',
      target,
    });
  }
  return writes;
}

function viewWrites(db: Database.Database, view: string): ForeignWrite[] {
  const columns = columnsOf(db, view);
  const list = columns.join(', ');
  const target = view;
  return [
    ...columns.map((column) => ({ sql: `UPDATE ${view} SET ${column} = 'x'`, operation: 'UPDATE', target }) as const),
    { sql: `DELETE FROM ${view}`, operation: 'DELETE', target },
    {
      sql: `INSERT OR REPLACE INTO ${view} (${list}) SELECT ${list} FROM ${view} LIMIT 1`,
      operation: 'INSERT',
      target,
    },
    { sql: `INSERT INTO ${view} (${columns[0]}) VALUES ('new')`, operation: 'INSERT', target },
  ];
}

/** All rows of all guarded tables but the record of attempts, as one text. */
export function contents(db: Database.Database): string {
  return Object.entries(GUARDED)
    .filter(([table]) => table !== 'mutation_attempts')
    .map(([table, key]) => {
      const columns = columnsOf(db, table)
        .map((name) => `quote(${name})`)
        .join(" || ',' || ");
      return db.prepare<[], string>(`SELECT ${columns} FROM ${table} ORDER BY ${key}`).pluck().all().join('\n');
    })
    .join('\n\n');
}

export interface Recorded {
  readonly attempt_id: number;
  readonly operation: string;
  readonly target: string;
}

export function attemptsAfter(db: Database.Database, id: number): Recorded[] {
  return db
    .prepare<[number], Recorded>(
      'SELECT attempt_id, operation, target FROM mutation_attempts WHERE attempt_id > ? ORDER BY attempt_id',
    )
    .all(id);
}
