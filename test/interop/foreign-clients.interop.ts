/** The guards of the journal against other programs than ours: the `sqlite3` shell and Python. Needs both installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import { runFsck } from '../../src/journal/fsck/run-fsck.ts';
import { attemptsAfter, contents, foreignWrites } from '../support/foreign-writes.ts';
import {
  fillErasures,
  fillJournal,
  LOG_KEY,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../support/journal-fixture.ts';
import { fillRelayedErasure } from '../support/relayed-erasure.ts';

/** Autocommit, as the shell has it; Python's own default opens a transaction and loses the record with the rollback. */
const PYTHON = `
import json, sqlite3, sys
order = json.load(sys.stdin)
db = sqlite3.connect(order['file'], isolation_level=None)
errors = []
for sql in order['statements']:
    try:
        db.execute(sql)
        errors.append(None)
    except sqlite3.Error as error:
        errors.append(str(error))
print(json.dumps(errors))
`;

function shell(file: string, statements: readonly string[]): (string | null)[] {
  return statements.map((sql) => {
    const { status, stderr } = spawnSync('sqlite3', [file, sql], { encoding: 'utf8' });
    return status === 0 ? null : stderr;
  });
}

function python(file: string, statements: readonly string[]): (string | null)[] {
  const input = JSON.stringify({ file, statements });
  const { status, stdout, stderr } = spawnSync('python3', ['-c', PYTHON], { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** Erasures of the fixture: writes that the guards take, and record. */
const LET_THROUGH = 4;

for (const [name, client] of Object.entries({ 'sqlite3 shell': shell, python })) {
  test(`${name}: every write to every guarded table and view is refused and recorded`, async (t) => {
    const folder = temporaryFolder(t);
    const journal = newJournal(folder);
    fillJournal(journal, 300, 5);
    fillErasures(journal);
    await fillRelayedErasure(journal);
    const db = openRaw(folder);
    const before = contents(db);
    const writes = foreignWrites(db);
    const errors = client(
      join(folder, JOURNAL_FILE),
      writes.map(({ sql }) => sql),
    );
    const recorded = attemptsAfter(db, LET_THROUGH);
    writes.forEach(({ sql, target, operation }, i) => {
      assert.match(
        errors[i] ?? 'it was taken',
        new RegExp(`${target} is append-only: this ${operation} was refused`),
        sql,
      );
      assert.deepEqual(recorded[i], { attempt_id: i + LET_THROUGH + 1, operation, target }, sql);
    });
    assert.equal(contents(db), before);
    db.close();
    journal.close();
    const again = openJournal(folder);
    while (again.chainMutationAttempts(Date.now()).length > 0);
    again.close();
    const report = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual([report.problems, report.checked.mutation_attempts], [[], writes.length + LET_THROUGH]);
  });
}

test('the shell reads the views: facts, chain, both audit tables', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal, 10, 5);
  const { size, auditSize } = journal;
  journal.close();
  const counts = ['facts', 'fact_chain', 'federation_audit'].map((view) => {
    const sql = `SELECT count(*) FROM (SELECT * FROM ${view})`;
    return Number(spawnSync('sqlite3', [join(folder, JOURNAL_FILE), sql], { encoding: 'utf8' }).stdout);
  });
  assert.deepEqual(counts, [size, size, auditSize]);
});
