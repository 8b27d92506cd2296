/**
 * The Stigmem reference verifies our journal with its own code, unmodified: `verify_fact_chain` of the `stigmem-node`
 * package, installed from PyPI.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import { fillJournal, newJournal, temporaryFolder } from '../support/journal-fixture.ts';
import { tamper } from '../support/tampering.ts';
import { pythonWithPackages } from './programs/python.ts';

const PYTHON = await pythonWithPackages();

const VERIFY = `
import dataclasses, importlib.metadata, json, sqlite3, sys
from stigmem_node.fact_chain import verify_fact_chain
db = sqlite3.connect(sys.argv[1])
db.row_factory = sqlite3.Row
result = verify_fact_chain(db)
fields = dataclasses.asdict(result) if dataclasses.is_dataclass(result) else dict(result)
print(json.dumps({'version': importlib.metadata.version('stigmem-node'), **fields}))
`;

interface Verdict {
  readonly version: string;
  readonly valid: boolean;
  readonly checked_entries: number;
  readonly mismatch_reason: string | null;
  readonly chain_seq: number | null;
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

function verify(folder: string): Verdict {
  return JSON.parse(run(PYTHON, ['-c', VERIFY, join(folder, JOURNAL_FILE)]));
}

test('the reference finds our chain valid, own and received facts alike', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal, 300, 5);
  const { size } = journal;
  journal.close();
  const verdict = verify(folder);
  t.diagnostic(`stigmem-node ${verdict.version}: ${JSON.stringify(verdict)}`);
  assert.deepEqual([verdict.valid, verdict.checked_entries, verdict.mismatch_reason], [true, size, null]);
});

test('and it finds what was changed, where and why', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal, 20, 5);
  journal.close();
  const changes = [
    ["UPDATE entries SET value_v = 'x' WHERE chain_seq = 9", 'event_hash_mismatch'],
    ['UPDATE entries SET created_us = created_us + 1 WHERE chain_seq = 8', 'chain_hash_mismatch'],
    ['UPDATE entries SET previous_hash = zeroblob(32) WHERE chain_seq = 7', 'previous_hash_mismatch'],
    ['DELETE FROM entries WHERE chain_seq = 5', 'chain_seq_gap'],
  ] as const;
  for (const [sql, reason] of changes) {
    tamper(folder, (db) => db.exec(sql));
    const { valid, mismatch_reason, chain_seq } = verify(folder);
    const seq = Number(sql.at(-1)) + (reason === 'chain_seq_gap' ? 1 : 0);
    assert.deepEqual([valid, mismatch_reason, chain_seq], [false, reason, seq]);
  }
});
