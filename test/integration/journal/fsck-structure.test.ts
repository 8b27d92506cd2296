/** Rows gone, swapped, slipped in or rewritten with all their hashes; tiles, guards, signed heads; aborting, the worker. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chainHash, eventHashOfText } from '../../../src/core/chain.ts';
import { cidOfText } from '../../../src/core/cid.ts';
import { encodeEntry } from '../../../src/core/entry.ts';
import type { Db } from '../../../src/journal/database.ts';
import { entryOf, hashBytes } from '../../../src/journal/entry-row.ts';
import { JournalError } from '../../../src/journal/errors.ts';
import { JOURNAL_FILE, SIGNED_HEADS_FILE } from '../../../src/journal/files.ts';
import type { FsckProblem, FsckReport } from '../../../src/journal/fsck/report.ts';
import { filesOf, runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { runFsckInWorker } from '../../../src/journal/fsck/worker-run.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { locatorSums } from '../../../src/journal/locator.ts';
import { MIGRATIONS } from '../../../src/journal/schema.ts';
import type { EntryRow } from '../../../src/journal/tables-logs.ts';
import type { PageRow } from '../../../src/journal/tables-peers.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';
import {
  appendOwn,
  fillJournal,
  LOG_KEY,
  LOG_SEED,
  NOW_MS,
  newJournal,
  openJournal,
  openRaw,
  ownFact,
} from '../../support/journal-fixture.ts';
import { copyJournal, tamper } from '../../support/tampering.ts';

let origin: string;
let size: number;
before(() => {
  origin = mkdtempSync(join(tmpdir(), 'peerd-fsck-'));
  const journal = newJournal(origin);
  fillJournal(journal);
  ({ size } = journal);
  journal.close();
});
after(() => rmSync(origin, { recursive: true, force: true }));

let copies = 0;

function check(change: (db: Db, folder: string) => void): FsckReport {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, String(copies++));
    tamper(folder, (db) => change(db, folder));
    return runFsck(folder, { logKey: LOG_KEY });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const told = ({ problems }: FsckReport) => problems.map(({ table, row, field, code }) => [table, row, field, code]);

/** Writes a row with every hash and sum made again, as somebody does who knows the format but not the key. */
function rewrite(db: Db, seq: number, change: Partial<EntryRow>): void {
  const row = db.prepare<[number], EntryRow>('SELECT * FROM entries WHERE chain_seq = ?').get(seq) as EntryRow;
  const next = { ...row, ...change };
  const draft = entryOf(next);
  const cid = cidOfText(draft.confidence, draft);
  const event_hash = eventHashOfText(draft.confidence, { ...draft, cid });
  const entry = { ...draft, cid, event_hash, chain_hash: chainHash({ ...draft, event_hash }) };
  const hashed = {
    ...next,
    cid: hashBytes(cid),
    event_hash: hashBytes(event_hash),
    chain_hash: hashBytes(entry.chain_hash),
    leaf_hash: entryLeafHash(row.salt, encodeEntry(entry)),
  };
  const whole: EntryRow = { ...hashed, ...locatorSums('entries', hashed) };
  const columns = Object.keys(whole) as (keyof EntryRow)[];
  db.prepare(
    `UPDATE entries SET ${columns.map((name) => `${name} = @${name}`).join(', ')} WHERE chain_seq = @chain_seq`,
  ).run(whole);
}

test('an entry that was deleted', () => {
  const report = check((db) => db.exec('DELETE FROM entries WHERE chain_seq = 20'));
  assert.deepEqual(told(report)[0], ['entries', 20, 'chain_seq', 'chain_seq_gap']);
  assert.equal(report.problemCount, 1, JSON.stringify(report.problems));
});

test('an entry that was deleted where no tile is full yet', () => {
  const report = check((db) => db.exec(`DELETE FROM entries WHERE chain_seq = ${size - 5}`));
  assert.deepEqual(told(report)[0], ['entries', size - 5, 'chain_seq', 'chain_seq_gap']);
  assert.equal(report.notices[0]?.code, 'tree_not_derived');
});

test('two entries that were swapped', () => {
  const report = check((db) =>
    db.exec(`UPDATE entries SET chain_seq = 9999 WHERE chain_seq = 10;
      UPDATE entries SET chain_seq = 10 WHERE chain_seq = 11; UPDATE entries SET chain_seq = 11 WHERE chain_seq = 9999`),
  );
  assert.deepEqual(
    told(report).map(([table, row, field]) => [table, row, field]),
    [
      ['entries', 10, 'chain_seq'],
      ['entries', 11, 'chain_seq'],
      ['entries', 10, 'chain_seq'],
    ],
  );
});

test('the contents of two entries that were swapped', () => {
  const report = check((db) =>
    db.exec(`CREATE TEMP TABLE swapped AS SELECT chain_seq, value_v FROM entries WHERE chain_seq IN (11, 12);
      UPDATE entries SET value_v = (SELECT value_v FROM swapped s WHERE s.chain_seq = 23 - entries.chain_seq)
      WHERE chain_seq IN (11, 12); DROP TABLE swapped`),
  );
  assert.deepEqual(told(report), [
    ['entries', 11, 'value_v', 'cid_mismatch'],
    ['entries', 12, 'value_v', 'cid_mismatch'],
  ]);
});

test('an entry that was slipped in at the end', () => {
  const report = check((db) =>
    db.exec(`CREATE TEMP TABLE slipped AS SELECT * FROM entries WHERE chain_seq = 7;
      UPDATE slipped SET chain_seq = ${size + 1}; INSERT INTO entries SELECT * FROM slipped; DROP TABLE slipped`),
  );
  assert.equal(report.ok, false);
  assert.ok(report.problems.every(({ row }) => row === size + 1));
});

test('a tail that was cut off, below and above a full tile', () => {
  for (const cut of [size - 3, 200]) {
    const report = check((db) => db.exec(`DELETE FROM entries WHERE chain_seq > ${cut}`));
    const truncated = report.problems.find(({ code }) => code === 'truncated');
    assert.deepEqual([truncated?.table, truncated?.row, truncated?.field], ['entries', cut + 1, 'chain_seq']);
  }
});

test('an audit tail that was cut off', () => {
  const report = check((db) => db.exec('DELETE FROM audit WHERE seq > 280'));
  assert.deepEqual(told(report)[0], ['audit', 281, 'seq', 'truncated']);
});

test('an entry that was rewritten with all its hashes, under a full tile', () => {
  const report = check((db) => rewrite(db, 30, { value_v: 'never said' }));
  assert.deepEqual(told(report)[0], ['entries', 30, 'leaf_hash', 'leaf_mismatch']);
  assert.deepEqual(told(report)[1], ['entries', 31, 'previous_hash', 'previous_hash_mismatch']);
  assert.equal(report.problemCount, 2);
});

test('the last signed entry, rewritten with all its hashes: only the signature knows', () => {
  const report = check((db) => rewrite(db, size, { value_v: 'never said' }));
  assert.equal(report.problems[0]?.code, 'checkpoint_root_mismatch');
  assert.match(report.problems[0]?.detail ?? '', new RegExp(`to ${size} are not those`));
  assert.deepEqual(report.problems.map(({ table }) => table).slice(0, 2), ['signed-heads.json', 'checkpoints']);
});

test('a tile and the entry under it, both rewritten: the tile above knows', () => {
  const report = check((db) => {
    rewrite(db, 30, { timestamp: '2020-01-01T00:00:00Z' });
    const leaf = db.prepare<[], Buffer>('SELECT leaf_hash FROM entries WHERE chain_seq = 30').pluck().get() as Buffer;
    const tile = db.prepare<[], { tile_id: number; hashes: Buffer }>('SELECT * FROM tiles ORDER BY tile_id').get();
    leaf.copy(tile?.hashes as Buffer, 29 * 32);
    db.prepare('UPDATE tiles SET hashes = ? WHERE tile_id = ?').run(tile?.hashes, tile?.tile_id);
  });
  assert.equal(report.ok, false);
  assert.ok(report.problems.some(({ code }) => code === 'tile_mismatch' || code === 'checkpoint_root_mismatch'));
});

test('a tile that was deleted, and one that stands for nothing', () => {
  const gone = check((db) => db.exec('DELETE FROM tiles WHERE tile_id = (SELECT min(tile_id) FROM tiles)'));
  assert.deepEqual(
    told(gone)
      .at(0)
      ?.slice(0, 1)
      .concat(told(gone)[0]?.[3] ?? null),
    ['tiles', 'tile_missing'],
  );
  const stray = check((db) => db.exec('INSERT INTO tiles SELECT tile_id + 3, hashes FROM tiles LIMIT 1'));
  assert.deepEqual(told(stray)[0]?.[3], 'tile_unexpected');
});

test('rows that were deleted from every counted table', () => {
  const tables = {
    audit: 'seq',
    checkpoints: 'checkpoint_id',
    evidence: 'evidence_id',
    pages: 'page_id',
    peer_checkpoints: 'checkpoint_id',
    peer_feed_heads: 'head_id',
  };
  for (const [table, key] of Object.entries(tables)) {
    const report = check((db) => db.exec(`DELETE FROM ${table} WHERE ${key} = 2`));
    const first = report.problems.find((problem) => problem.table === table);
    assert.deepEqual([first?.row, first?.field, first?.code], [2, key, 'row_missing'], table);
  }
});

test('a page that says, sums and all, that nothing of it was refused: then a fact is lost behind the cursor', () => {
  const report = check((db) => {
    const row = db.prepare<[], PageRow>('SELECT * FROM pages WHERE refused > 1').get() as PageRow;
    const sums = locatorSums('pages', { ...row, refused: 0 });
    db.prepare('UPDATE pages SET refused = 0, sum1 = ?, sum2 = ? WHERE page_id = ?').run(
      sums.sum1,
      sums.sum2,
      row.page_id,
    );
  });
  assert.deepEqual([report.problemCount, report.problems[0]?.code], [1, 'page_entry_lost']);
});

test('a page that says, sums and all, that one fact more was accepted; and one that counts a refusal too many', () => {
  for (const [column, code] of [
    ['accepted', 'accepted_mismatch'],
    ['refused', 'refused_mismatch'],
  ] as const) {
    const report = check((db) => {
      const row = db.prepare<[], PageRow>('SELECT * FROM pages WHERE page_id = 1').get() as PageRow;
      const changed = { ...row, [column]: row[column] + 1 };
      const { sum1, sum2 } = locatorSums('pages', changed);
      db.prepare(`UPDATE pages SET ${column} = ?, sum1 = ?, sum2 = ? WHERE page_id = 1`).run(
        changed[column],
        sum1,
        sum2,
      );
    });
    assert.deepEqual([report.problemCount, report.problems[0]?.code], [1, code]);
  }
});

test('one fact id twice', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    const journal = Journal.open(folder, { logSeed: LOG_SEED, cacheMiB: 4, random: (bytes) => bytes.fill(1) });
    journal.appendOwn([ownFact(1), ownFact(2)], NOW_MS);
    journal.close();
    const report = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual(told(report), [['entries', size + 2, 'fact_id', 'fact_twice']]);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test('every guard, view and index that was dropped or changed, and a trigger that was added', () => {
  const db = openRaw(origin);
  const objects = db.prepare<[], { type: string; name: string }>(
    "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view', 'index') AND sql IS NOT NULL",
  );
  const all = objects.all();
  db.close();
  assert.ok(all.length > 60);
  const report = checkUnguarded((raw) => {
    for (const { type, name } of all.filter(({ type }) => type === 'trigger')) raw.exec(`DROP ${type} ${name}`);
  });
  assert.equal(
    report.problems.filter(({ code }) => code === 'trigger_missing').length,
    all.filter((o) => o.type === 'trigger').length,
  );
  const weakened = checkUnguarded((raw) => {
    raw.exec(`DROP TRIGGER entries_no_update;
      CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT 1; END;
      CREATE TRIGGER helper AFTER INSERT ON entries BEGIN SELECT 1; END; DROP INDEX entries_by_fact`);
  });
  assert.deepEqual(
    told(weakened).map(([, row, , code]) => [row, code]),
    [
      ['entries_by_fact', 'index_missing'],
      ['entries_no_update', 'trigger_changed'],
      ['helper', 'trigger_unexpected'],
    ],
  );
});

function checkUnguarded(change: (db: Db) => void): FsckReport {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    const db = openRaw(folder);
    change(db);
    db.close();
    return runFsck(folder, { logKey: LOG_KEY });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

test('signed-heads.json: missing, damaged, older, of another root', () => {
  const file = (folder: string): string => join(folder, SIGNED_HEADS_FILE);
  const heads = JSON.parse(readFileSync(file(origin), 'utf8'));
  const with_ = (change: object) =>
    check((_, folder) => writeFileSync(file(folder), JSON.stringify({ ...heads, ...change })));
  const first = (report: FsckReport): FsckProblem | undefined => report.problems[0];
  assert.equal(first(check((_, folder) => rmSync(file(folder))))?.code, 'unreadable');
  assert.equal(first(check((_, folder) => writeFileSync(file(folder), '{}')))?.code, 'unreadable');
  assert.equal(first(with_({ journal: null }))?.code, 'signed_head_behind');
  assert.equal(first(with_({ journal: { ...heads.journal, size: 3 } }))?.field, 'size');
  assert.equal(first(with_({ audit: { ...heads.audit, root: heads.journal.root } }))?.field, 'root');
  assert.equal(first(with_({ audit: { ...heads.audit, note: heads.journal.note } }))?.field, 'note');
});

test('an older copy of the journal beside the newest signed heads', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    const journal = openJournal(folder);
    appendOwn(journal, 5);
    journal.head(0);
    journal.close();
    copyFileSync(join(origin, JOURNAL_FILE), join(folder, JOURNAL_FILE));
    const report = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual(told(report), [['entries', size + 1, 'chain_seq', 'truncated']]);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test('a refused write is no damage; one that was taken out of the record is', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    const raw = openRaw(folder);
    assert.throws(() => raw.exec('DELETE FROM entries'), /append-only/);
    assert.throws(() => raw.exec("UPDATE facts SET value_v = 'x'"), /append-only/);
    raw.close();
    const waiting = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual([waiting.ok, waiting.notices.map(({ code }) => code)], [true, ['attempts_not_chained']]);
    const journal = openJournal(folder);
    assert.equal(journal.chainMutationAttempts(Date.now()).length, 2);
    journal.close();
    const chained = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual([chained.problems, chained.checked.mutation_attempts], [[], 2]);
    for (const column of ['at', 'operation', 'target', 'row_key']) {
      const other = copyJournal(folder, base, column);
      tamper(other, (db) => db.exec(`UPDATE mutation_attempts SET ${column} = 'x' WHERE attempt_id = 1`));
      const report = runFsck(other, { logKey: LOG_KEY });
      assert.deepEqual(told(report), [['mutation_attempts', 1, column, 'column_changed']]);
    }
    tamper(folder, (db) => db.exec('DELETE FROM mutation_attempts WHERE attempt_id = 1'));
    assert.deepEqual(told(runFsck(folder, { logKey: LOG_KEY })), [
      ['mutation_attempts', 1, 'attempt_id', 'row_missing'],
    ]);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test('damage to the file itself is a finding, not a crash', () => {
  // The schema, of which nothing can be read then, and rows.
  for (const [first, last] of [
    [2, 4],
    [40, 60],
    [120, 160],
  ] as const) {
    const report = checkFileBytes((bytes) => bytes.fill(0x5a, first * 4096, last * 4096));
    assert.equal(report.ok, false);
    assert.ok(report.problems.some(({ table }) => table === 'sqlite'));
  }
});

function checkFileBytes(change: (bytes: Buffer) => void): FsckReport {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    const bytes = readFileSync(join(folder, JOURNAL_FILE));
    change(bytes);
    writeFileSync(join(folder, JOURNAL_FILE), bytes);
    return runFsck(folder, { logKey: LOG_KEY });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

test('the list of problems is bounded, their number is not', () => {
  const report = check((db) => db.exec("UPDATE entries SET value_v = 'x'"));
  assert.equal(report.problems.length, 200);
  assert.ok(report.problemCount >= size, String(report.problemCount));
});

test('without the log key everything but our signatures is checked', () => {
  const report = runFsck(origin, { logKey: null });
  assert.deepEqual([report.ok, report.notices.map(({ code }) => code)], [true, ['log_key_unknown']]);
  const wrongKey = runFsck(origin, { logKey: Buffer.alloc(32, 9) });
  assert.equal(wrongKey.problems[0]?.code, 'checkpoint_signature_invalid');
});

test('in a worker: the same report, progress, errors with their code, abort', async () => {
  const phases = new Set<string>();
  const report = await runFsckInWorker(filesOf(origin), {
    logKey: LOG_KEY,
    onProgress: ({ phase }) => phases.add(phase),
  });
  assert.equal(report.ok, true);
  assert.equal(report.checked.entries, size);
  assert.ok(['entries', 'audit', 'pages', 'lookup'].every((phase) => phases.has(phase)));
  const empty = mkdtempSync(join(tmpdir(), 'peerd-fsck-'));
  await assert.rejects(runFsckInWorker(filesOf(empty), { logKey: null }));
  rmSync(empty, { recursive: true });
  await assert.rejects(
    runFsckInWorker(filesOf(origin), { logKey: null, signal: AbortSignal.abort(new Error('enough')) }),
    /enough/,
  );
  const stop = new AbortController();
  const stopped = runFsckInWorker(filesOf(origin), {
    logKey: null,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await assert.rejects(stopped, /enough/);
});

test('a file of an unknown schema is refused in words', () => {
  const base = mkdtempSync(join(tmpdir(), 'peerd-fsck-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    const db = openRaw(folder);
    db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    assert.throws(
      () => runFsck(folder, { logKey: null }),
      (error) => error instanceof JournalError && error.code === 'schema_unknown',
    );
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
