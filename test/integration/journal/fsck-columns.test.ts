/** Any change of any column of any table is found, with table, row and column. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FsckReport } from '../../../src/journal/fsck/report.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { fillJournal, LOG_KEY, newJournal, openRaw } from '../../support/journal-fixture.ts';
import { type Cell, changeColumn, copyJournal, storedColumns, tamper } from '../../support/tampering.ts';

const KEYS = {
  meta: 'key',
  feeds: 'feed_id',
  entries: 'chain_seq',
  audit: 'seq',
  tiles: 'tile_id',
  tile_edges: 'tile_id',
  checkpoints: 'checkpoint_id',
  evidence: 'evidence_id',
  pages: 'page_id',
  peer_checkpoints: 'checkpoint_id',
  peer_feed_heads: 'head_id',
  peer_declarations: 'declaration_id',
  grant_texts: 'grant_id',
  disclosures: 'disclosure_id',
  page_refusals: 'refusal_id',
  page_retries: 'retry_id',
  quarantine: 'chain_seq',
} as const;

/** Enough entries for a tile; and enough refusals for one too, which takes longer to check. */
let plain: string;
let origin: string;
before(() => {
  plain = filled(5);
  origin = filled(285);
});
after(() => {
  for (const folder of [plain, origin]) rmSync(folder, { recursive: true, force: true });
});

function filled(refused: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-fsck-'));
  const journal = newJournal(folder);
  fillJournal(journal, 300, refused);
  journal.close();
  return folder;
}

let copies = 0;

function check(from: string, change: Parameters<typeof tamper>[1]): FsckReport {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(from, base, String(copies++));
    tamper(folder, change);
    return runFsck(folder, { logKey: LOG_KEY });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function namesChange(report: FsckReport, table: string, rows: readonly (number | string)[], field: string): void {
  const found = report.problems.some((p) => p.table === table && p.field === field && rows.includes(p.row ?? ''));
  assert.ok(found, `${table} ${rows.join('/')} ${field}: ${JSON.stringify(report.problems, null, 1)}`);
  // One changed column is one finding, not a cascade; a changed key leaves a gap besides, and rows that named it.
  const most = rows.length > 1 ? 4 : 1;
  assert.ok(report.problemCount <= most, JSON.stringify(report.problems, null, 1));
}

test('the journal that is changed below is whole', () => {
  const report = runFsck(origin, { logKey: LOG_KEY });
  assert.deepEqual(report.problems, []);
  assert.equal(report.ok, true);
  assert.deepEqual(
    Object.entries(report.checked).filter(([, rows]) => rows === 0),
    [
      // Rows of erasures: erasures.test.ts.
      ['erasure_steps', 0],
      ['erasure_acks', 0],
      ['body_copies', 0],
      ['relayed_acks', 0],
      ['mutation_attempts', 0],
      ['anchors', 0],
      ['verified_receipts', 0],
    ],
  );
});

for (const [table, key] of Object.entries(KEYS)) {
  describe(table, () => {
    test('every column of rows at the start, in the middle and at the end', () => {
      const from = table === 'audit' || table === 'evidence' || table === 'tiles' ? origin : plain;
      const db = openRaw(from);
      const columns = storedColumns(db, table);
      const keys = db.prepare<[], number | string>(`SELECT ${key} FROM ${table} ORDER BY ${key}`).pluck().all();
      db.close();
      const rows = new Set([keys[0], keys[Math.floor(keys.length / 2)], keys.at(-1)]);
      for (const row of rows as Set<number | string>) {
        for (const column of columns) {
          const changed: Cell[] = [];
          const report = check(from, (raw) => {
            // A key that is another row's cannot be given: beyond the last one there is room.
            const isKey = column.name === key && typeof row === 'number';
            const to = isKey ? Number(keys.at(-1)) + 5 : undefined;
            changed.push(changeColumn(raw, table, key, row, column, to));
          });
          assert.equal(report.ok, false, `${table} ${row} ${column.name}`);
          const moved = column.name === key ? [row, changed[0] as number | string] : [row];
          namesChange(report, table, moved, column.name);
        }
      }
    });
  });
}

test('changed derived rows: look-ups, state', () => {
  const changes: readonly (readonly [string, string, string])[] = [
    ['DELETE FROM lookup WHERE seq = 7 AND key = (SELECT max(key) FROM lookup WHERE seq = 7)', 'lookup', 'key'],
    ['INSERT INTO lookup VALUES (5, 8)', 'lookup', 'seq'],
    ['INSERT INTO lookup VALUES (5, 100000)', 'lookup', 'seq'],
    ["UPDATE state SET value = value - 1000000 WHERE name = 'hlc'", 'state', 'value'],
    ["UPDATE state SET value = 100000 WHERE name = 'projected'", 'state', 'value'],
  ];
  for (const [sql, table, field] of changes) {
    const report = check(plain, (db) => db.exec(sql));
    const [first] = report.problems;
    assert.deepEqual([first?.table, first?.field, report.problemCount], [table, field, 1], sql);
  }
});
