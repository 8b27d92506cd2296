/** The two logs as they grow: entries, feeds, audit records, evidence, clock; what a failure leaves; what is never signed. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseStrictHlc } from '../../../src/core/hlc.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { lastKey, migrate } from '../../../src/journal/database.ts';
import { JournalError, type JournalErrorCode } from '../../../src/journal/errors.ts';
import { EvidenceStore } from '../../../src/journal/evidence-store.ts';
import { JOURNAL_FILE, SIGNED_HEADS_FILE } from '../../../src/journal/files.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { initJournal } from '../../../src/journal/init.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { takeLock } from '../../../src/journal/lock.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { openCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  appendOwn,
  IDENTITY,
  LOG_KEY,
  NOW_MS,
  newJournal,
  openJournal,
  openRaw,
  ownFact,
  pullPage,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { judged } from '../../support/judging.ts';

function throwsCode(code: JournalErrorCode, work: () => unknown): void {
  assert.throws(work, (error) => error instanceof JournalError && error.code === code);
}

const isWhole = (folder: string): void => assert.deepEqual(runFsck(folder, { logKey: LOG_KEY }).problems, []);

/** What is in the file and what the writer holds in memory. */
function state(journal: Journal): unknown {
  const tables = ['entries', 'feeds', 'audit', 'pages', 'evidence', 'tiles', 'peer_checkpoints'] as const;
  const rows = tables.map((table) => journal.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  return { rows, size: journal.size, auditSize: journal.auditSize, feeds: journal.feeds() };
}

test('init makes a journal once, and migrations run once', (t) => {
  const folder = temporaryFolder(t);
  throwsCode('schema_unknown', () => {
    openRaw(folder).exec('CREATE TABLE something (x)');
    return openJournal(folder);
  });
  const other = temporaryFolder(t);
  const journal = newJournal(other);
  throwsCode('already_initialised', () => initJournal(other, IDENTITY));
  assert.deepEqual(journal.identity, IDENTITY);
  const before = journal.db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  migrate(journal.db);
  assert.equal(journal.db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get(), before);
  journal.close();
});

test('entries are chained, numbered in their feeds, and go on after a restart', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  appendOwn(journal, 300);
  appendOwn(journal, 3, { scope: 'company', garden_id: 'incident-42' });
  const head = journal.head(0);
  journal.close();
  journal = openJournal(folder);
  assert.deepEqual(journal.head(0), head);
  const [entry] = journal.appendOwn([ownFact(1)], NOW_MS);
  assert.deepEqual([entry?.chain_seq, entry?.feed_seq, entry?.previous_hash], [304, 301, head.chainHash]);
  assert.deepEqual(journal.feeds(), [
    { feed: 'public', length: 301 },
    { feed: 'company/incident-42', length: 3 },
  ]);
  const { size, root, checkpoint } = journal.head(0);
  const opened = openCheckpoint(checkpoint, { origin: IDENTITY.journalOrigin, key: LOG_KEY });
  assert.ok(opened.ok);
  assert.deepEqual([opened.value.size, opened.value.root], [size, decodeBase64(root)]);
  journal.close();
  isWhole(folder);
});

test('time in the log never runs backwards, and the clock outlives a restart', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  const [first] = journal.appendOwn([ownFact(1)], NOW_MS);
  journal.close();
  journal = openJournal(folder);
  const [second] = journal.appendOwn([ownFact(2)], NOW_MS - 3_600_000);
  assert.ok((second?.hlc ?? '') > (first?.hlc ?? ''));
  assert.equal(second?.created_at, first?.created_at);
  const peer = new HonestPeer({ startMs: NOW_MS + 60_000 }).appendMany(3);
  pullPage(journal, peer, 5);
  journal.close();
  // Projections dropped: the entries themselves tell the clock.
  const raw = openRaw(folder);
  raw.exec('DELETE FROM state');
  raw.close();
  journal = openJournal(folder);
  const [third] = journal.appendOwn([ownFact(3)], NOW_MS - 3_600_000);
  const clock = parseStrictHlc(third?.hlc ?? '');
  assert.ok(clock.ok && clock.value.wall >= NOW_MS + 63_000);
  journal.close();
});

test('an append that fails leaves neither rows nor memory behind, and the next one goes on', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 254);
  const before = state(journal);
  const broken = { ...ownFact(9), body: { ...ownFact(9).body, scope: 'nobody' } };
  const good = ownFact(1, { scope: 'team' });
  // A new feed, a full tile and a row are written before the second fact fails.
  throwsCode('broken', () => journal.appendOwn([good, good, good, broken], NOW_MS));
  assert.deepEqual(state(journal), before);
  appendOwn(journal, 5, { scope: 'team' });
  journal.head(0);
  journal.close();
  isWhole(folder);
});

test('a page is taken whole or not at all', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const peer = new HonestPeer().appendMany(4);
  peer.append({ source: 'stigmem://hooli.example/a' });
  peer.append({ interpret_as: 'instruction' });
  const batch = judged(peer.page({ feed: 'public', after: 0, knownSize: 0 }), peer.context({ nowMs: NOW_MS }));
  const before = state(journal);
  // The page is the last thing that is written.
  journal.db.exec("CREATE TEMP TRIGGER fail BEFORE INSERT ON pages BEGIN SELECT RAISE(ABORT, 'disk'); END");
  assert.throws(() => journal.appendPage(batch, NOW_MS));
  assert.deepEqual(state(journal), before);
  journal.db.exec('DROP TRIGGER fail');
  const appended = journal.appendPage(batch, NOW_MS);
  assert.deepEqual(appended.appended, { first: 1, last: 5 });
  assert.deepEqual(
    appended.refused.map(({ reason }) => reason),
    ['source_not_owned'],
  );
  assert.equal(journal.peers.cursor(peer.nodeId, 'public'), 6);
  // The same page again: its cursor is not the stored one any more.
  throwsCode('foreign_write', () => journal.appendPage(batch, NOW_MS));
  journal.close();
  isWhole(folder);
});

test('rows that another program added are noticed, not overwritten', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 3);
  const raw = openRaw(folder);
  raw.exec('CREATE TEMP TABLE one AS SELECT * FROM entries WHERE chain_seq = 3; UPDATE one SET chain_seq = 4');
  raw.exec('INSERT INTO entries SELECT * FROM one');
  throwsCode('foreign_write', () => journal.appendOwn([ownFact(1)], NOW_MS));
  raw.exec('BEGIN IMMEDIATE');
  journal.db.pragma('busy_timeout = 1');
  throwsCode('busy', () => journal.appendOwn([ownFact(1)], NOW_MS));
  raw.exec('ROLLBACK');
  raw.close();
  journal.close();
});

test('audit records: one sequence, chained, with their evidence, bounded texts', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  for (let i = 0; i < 5; i++) journal.audit({ event: 'peer_approved', peer: 'stigmem://acme.example' }, NOW_MS + i);
  journal.audit(
    { event: 'odd', detail: { long: 'x'.repeat(2000), lone: '\ud800', real: 0.5, deep: [{ a: [1] }] } },
    NOW_MS,
  );
  const peer = new HonestPeer().appendMany(1);
  peer.append({ source: 'stigmem://hooli.example/a' });
  pullPage(journal, peer, 5);
  const audit = new AuditReader(journal.db);
  const { records } = audit.page({ order: 'asc', limit: 100 });
  assert.deepEqual(
    records.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  const odd = audit.detail(6);
  assert.equal(odd?.intact, true);
  assert.deepEqual(odd?.record.detail['real'], '0.5');
  assert.equal(String(odd?.record.detail['long']).length, 513);
  const refused = audit.detail(7);
  assert.equal(refused?.intact, true);
  assert.equal((refused?.evidence as { reason: string } | undefined)?.reason, 'source_not_owned');
  const [opened] = records.slice(7);
  assert.deepEqual([opened?.event, opened?.reason, opened?.detail['case']], ['case_opened', 'new', 7]);
  journal.close();
  isWhole(folder);
});

test('the same evidence is stored once, and given back only if it is what was saved', (t) => {
  const journal = newJournal(temporaryFolder(t));
  const store = new EvidenceStore(journal.db);
  const id = store.save('{"a":1}');
  assert.equal(store.save('{"a":1}'), id);
  assert.equal(lastKey(journal.db, 'evidence', 'evidence_id'), 1);
  assert.equal(store.read(id), '{"a":1}');
  journal.db.exec('DROP TRIGGER evidence_no_update; UPDATE evidence SET body = zeroblob(9)');
  assert.equal(store.read(id), undefined);
  assert.equal(store.read(`sha256:${'0'.repeat(64)}`), undefined);
  journal.close();
});

test('a restored old copy does not sign: it would be a second history', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, JOURNAL_FILE);
  let journal = newJournal(folder);
  appendOwn(journal, 300);
  journal.head(0);
  journal.close();
  copyFileSync(file, `${file}.old`);
  journal = openJournal(folder);
  appendOwn(journal, 1);
  journal.head(0);
  journal.close();
  copyFileSync(file, `${file}.new`);
  copyFileSync(`${file}.old`, file);
  throwsCode('history_rewritten', () => openJournal(folder));
  copyFileSync(`${file}.new`, file);
  openJournal(folder).close();
});

test('a copy of the same length with other entries does not sign either, nor a node without its signed heads', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  appendOwn(journal, 3);
  journal.close();
  const [file, heads] = [join(folder, JOURNAL_FILE), join(folder, SIGNED_HEADS_FILE)];
  copyFileSync(file, `${file}.old`);
  journal = openJournal(folder);
  journal.appendOwn([ownFact(1)], NOW_MS);
  journal.close();
  copyFileSync(file, `${file}.other`);
  copyFileSync(`${file}.old`, file);
  journal = openJournal(folder);
  journal.appendOwn([ownFact(2)], NOW_MS);
  journal.head(0);
  journal.close();
  copyFileSync(`${file}.other`, file);
  throwsCode('history_rewritten', () => openJournal(folder));
  copyFileSync(`${file}.old`, heads);
  throwsCode('history_rewritten', () => openJournal(folder));
});

test('two writers of one folder: the second signature is not given', (t) => {
  const folder = temporaryFolder(t);
  const one = newJournal(folder);
  appendOwn(one, 2);
  const two = openJournal(folder);
  one.head(0);
  throwsCode('foreign_write', () => two.head(0));
  one.close();
  two.close();
  const lock = takeLock(join(folder, 'lock.db'));
  throwsCode('locked', () => takeLock(join(folder, 'lock.db')));
  lock.release();
  takeLock(join(folder, 'lock.db')).release();
});
