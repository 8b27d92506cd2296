/** A journal of any earlier schema comes up to date, also when the process is killed in the middle of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { openDatabase } from '../../../src/journal/database.ts';
import { JournalError } from '../../../src/journal/errors.ts';
import { MIGRATIONS } from '../../../src/journal/schema.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';

const MIGRATE_AND_DIE = fileURLToPath(new URL('../../support/migrate-and-die.ts', import.meta.url));
const NEWEST = MIGRATIONS.length;

/** A file of schema 1 with records that indexes of later schemas are made over. */
function oldJournal(folder: string): string {
  const file = join(folder, 'journal.db');
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.exec(MIGRATIONS[0] ?? '');
  const insert = db.prepare('INSERT INTO audit (seq, body, salt, leaf_hash, sum1, sum2) VALUES (?, ?, ?, ?, 0, 0)');
  for (let seq = 1; seq <= 500; seq++) {
    const body = { event: 'fact_refused', peer: 'stigmem://globex.example', detail: { feed_seq: seq }, seq };
    insert.run(seq, JSON.stringify(body), Buffer.alloc(16), Buffer.alloc(32));
  }
  db.pragma('user_version = 1');
  db.close();
  return file;
}

function schemaOf(file: string): {
  readonly version: unknown;
  readonly sql: readonly unknown[];
  readonly rows: unknown;
} {
  const db = new Database(file, { readonly: true });
  try {
    const sql = db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
    const rows = db.prepare('SELECT count(*) FROM audit').pluck().get();
    return { version: db.pragma('user_version', { simple: true }), sql, rows };
  } finally {
    db.close();
  }
}

const fresh = (folder: string): readonly unknown[] => {
  const file = join(folder, 'fresh.db');
  const db = new Database(file);
  db.exec(MIGRATIONS.join('\n'));
  db.close();
  return schemaOf(file).sql;
};

for (const version of [3, NEWEST]) {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} the commit of migration ${version}, the next start goes on where it was`, (t) => {
      const folder = temporaryFolder(t);
      const file = oldJournal(folder);
      const died = spawnSync(process.execPath, [MIGRATE_AND_DIE, file, when, String(version)], { encoding: 'utf8' });
      assert.equal(died.signal, 'SIGKILL', died.stderr);
      assert.equal(schemaOf(file).version, when === 'before' ? version - 1 : version);

      const told: number[] = [];
      openDatabase(file, { readonly: false, cacheMiB: 1, onMigration: (next) => told.push(next) }).close();
      const first = when === 'before' ? version : version + 1;
      assert.deepEqual(
        told,
        Array.from({ length: NEWEST + 1 - first }, (_, i) => first + i),
      );
      assert.deepEqual(schemaOf(file), { version: NEWEST, sql: fresh(folder), rows: 500 });
    });
  }
}

test('a journal that a newer program has opened is refused, and the text says what to do', (t) => {
  const file = oldJournal(temporaryFolder(t));
  const db = new Database(file);
  db.pragma(`user_version = ${NEWEST + 1}`);
  db.close();
  assert.throws(
    () => openDatabase(file, { readonly: false, cacheMiB: 1 }),
    (error) =>
      error instanceof JournalError &&
      error.code === 'schema_unknown' &&
      /a newer stigmem-peerd has opened it\. Run that one, or restore the backup/.test(error.message),
  );
  assert.equal(schemaOf(file).version, NEWEST + 1, 'nothing is changed');
});
