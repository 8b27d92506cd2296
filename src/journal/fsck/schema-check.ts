import Database from 'better-sqlite3';
import type { Db } from '../database.ts';
import { MIGRATIONS, RECALL_SHADOWS } from '../schema.ts';
import type { FsckContext } from './context.ts';

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string;
}

/** A damaged file has more to say than anybody reads. */
const MAX_MESSAGES = 20;

/** Every table, view, index and guard has exactly the SQL that this program gave it, and there is none besides. */
export function checkSchema({ db, findings }: FsckContext): void {
  const found = objectsOf(db);
  for (const [name, { type, sql }] of expectedObjects(db)) {
    const object = found.get(name);
    found.delete(name);
    if (object === undefined) {
      report(name, `${type}_missing`, `the ${type} is gone${type === 'trigger' ? ': its table is not guarded' : ''}`);
    } else if (object.sql !== sql && !RECALL_SHADOWS.includes(name)) {
      report(name, `${type}_changed`, `the ${type} is not the one that this program made`);
    }
  }
  for (const { type, name } of found.values()) {
    report(name, `${type}_unexpected`, `this program made no such ${type}`);
  }

  function report(row: string, code: string, detail: string): void {
    findings.problem({ table: 'sqlite_schema', row, field: 'sql', code, detail });
  }
}

/** What SQLite itself has to say about the file: pages, indexes against tables, column types. */
export function checkFile({ db, findings, step }: FsckContext): void {
  step('sqlite', 0, 1);
  const messages = db.pragma(`integrity_check(${MAX_MESSAGES})`) as { integrity_check: string }[];
  for (const { integrity_check: message } of messages) {
    if (message !== 'ok') {
      findings.problem({ table: 'sqlite', row: null, field: null, code: 'sqlite_corrupt', detail: message });
    }
  }
}

/** By version: what the migrations give is the same each time, and running them is most of what a check of a small journal costs. */
const expected = new Map<number, ReadonlyMap<string, SchemaObject>>();

function expectedObjects(db: Db): ReadonlyMap<string, SchemaObject> {
  const version = Number(db.pragma('user_version', { simple: true }));
  const objects = expected.get(version) ?? migratedTo(version);
  expected.set(version, objects);
  return objects;
}

function migratedTo(version: number): ReadonlyMap<string, SchemaObject> {
  const model = new Database(':memory:');
  try {
    for (const sql of MIGRATIONS.slice(0, version)) model.exec(sql);
    return objectsOf(model);
  } finally {
    model.close();
  }
}

function objectsOf(db: Db): Map<string, SchemaObject> {
  const rows = db
    .prepare<[], SchemaObject>(
      "SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY rowid",
    )
    .all();
  return new Map(rows.map((row) => [row.name, row]));
}
