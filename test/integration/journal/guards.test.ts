/** What another program may not do to a running node's journal, and what is left of the attempt. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { JOURNAL_FILE } from '../../../src/journal/files.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { attemptsAfter, contents, foreignWrites } from '../../support/foreign-writes.ts';
import {
  appendOwn,
  fillErasures,
  fillJournal,
  LOG_KEY,
  NOW_MS,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { fillRelayedErasure } from '../../support/relayed-erasure.ts';

/** Runs statements, one after the other, and prints the error of each. */
const PROGRAM = `
  const Database = require('better-sqlite3');
  const { file, pragmas, statements } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const db = new Database(file);
  for (const pragma of pragmas) db.pragma(pragma);
  console.log(JSON.stringify(statements.map((sql) => {
    try { db.exec(sql); return null; } catch (error) { return error.message; }
  })));`;

function runElsewhere(
  folder: string,
  statements: readonly string[],
  pragmas: readonly string[] = [],
): (string | null)[] {
  const input = JSON.stringify({ file: join(folder, JOURNAL_FILE), pragmas, statements });
  const child = spawnSync(process.execPath, ['--input-type=commonjs', '-e', PROGRAM], { input, encoding: 'utf8' });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout);
}

for (const pragmas of [[], ['recursive_triggers = ON', 'foreign_keys = ON', 'trusted_schema = OFF']]) {
  test(`every write to every guarded table and view is refused and recorded ${pragmas.join(', ')}`, async (t) => {
    const folder = temporaryFolder(t);
    const journal = newJournal(folder);
    fillJournal(journal, 300, 5);
    fillErasures(journal);
    await fillRelayedErasure(journal);
    const db = openRaw(folder);
    const before = contents(db);
    const writes = foreignWrites(db);
    assert.ok(writes.length > 200);

    const errors = runElsewhere(
      folder,
      writes.map(({ sql }) => sql),
      pragmas,
    );
    // The first four are the erasures that were let through.
    const recorded = attemptsAfter(db, 4);
    writes.forEach(({ sql, target, operation }, i) => {
      assert.match(
        errors[i] ?? 'it was taken',
        new RegExp(`^${target} is append-only: this ${operation} was refused`),
        sql,
      );
      assert.deepEqual(recorded[i], { attempt_id: i + 5, operation, target }, sql);
    });
    assert.equal(recorded.length, writes.length);
    assert.equal(contents(db), before);

    const auditSize = journal.auditSize;
    let chained = 0;
    for (let now = NOW_MS; ; now++) {
      const seqs = journal.chainMutationAttempts(now);
      if (seqs.length === 0) break;
      chained += seqs.length;
    }
    // One more: they are one case, which the first of them opens.
    assert.deepEqual([chained, journal.auditSize], [writes.length, auditSize + writes.length + 1]);
    const audit = new AuditReader(journal.db);
    const first = audit.detail(auditSize + 1);
    assert.equal(first?.record.event, 'fact_mutation_attempted');
    assert.deepEqual([first?.record.detail['table'], first?.record.detail['operation']], ['facts', 'UPDATE']);
    const seen = db.prepare("SELECT count(*) FROM fact_audit_log WHERE event_type = 'fact_mutation_attempted'").pluck();
    assert.equal(seen.get(), writes.length);

    appendOwn(journal, 3);
    journal.head(0);
    journal.close();
    db.close();
    assert.deepEqual(runFsck(folder, { logKey: LOG_KEY }).problems, []);
  });
}

test('a client that rolls its own transaction back takes the record with it; one that commits leaves it', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 3);
  journal.close();
  runElsewhere(folder, ['BEGIN', 'DELETE FROM entries', 'ROLLBACK']);
  const db = openRaw(folder);
  assert.deepEqual(attemptsAfter(db, 0), []);
  runElsewhere(folder, ['BEGIN', 'DELETE FROM entries', 'COMMIT']);
  assert.equal(attemptsAfter(db, 0).length, 1);
  db.close();
});

test('attempts made while no daemon ran are chained once, also if the first try fails', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  appendOwn(journal, 3);
  runElsewhere(folder, ['DELETE FROM entries', "UPDATE facts SET value_v = 'x'"]);
  journal.db.exec("CREATE TEMP TRIGGER fail BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk'); END");
  assert.throws(() => journal.chainMutationAttempts(NOW_MS));
  journal.db.exec('DROP TRIGGER fail');
  // The second record opens their case.
  assert.deepEqual(journal.chainMutationAttempts(NOW_MS), [1, 3]);
  assert.deepEqual(journal.chainMutationAttempts(NOW_MS), []);
  journal.close();
  journal = openJournal(folder);
  assert.deepEqual(journal.chainMutationAttempts(NOW_MS), []);
  runElsewhere(folder, ['DELETE FROM audit']);
  assert.deepEqual(journal.chainMutationAttempts(NOW_MS), [4]);
  journal.close();
});
