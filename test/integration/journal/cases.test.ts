/** Cases over real journals: each refusal counted once, what people decide on record, made again from the log, checked by fsck. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingOf } from '../../../src/core/case-finding.ts';
import type { Case } from '../../../src/core/case-fold.ts';
import { type CaseChange, NO_CHANGE } from '../../../src/core/case-state.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { CaseBook } from '../../../src/journal/case-book.ts';
import { caseLines, takeLine } from '../../../src/journal/case-filling.ts';
import { CaseReader } from '../../../src/journal/case-reader.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { CASES_SCHEMA } from '../../../src/journal/schema-cases.ts';
import { INDEXES_15 } from '../../../src/journal/schema-later.ts';
import { caseMethods } from '../../../src/threads/case-methods.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  fillJournal,
  LOG_KEY,
  NOW_MS,
  newJournal,
  openJournal,
  openRaw,
  pullPage,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

const STOLEN = { source: 'stigmem://hooli.example/agent/stolen' };
const ANN = { actor: 'agent:ann#00000001', reason: '', approves: null };
const BOB = { actor: 'agent:bob#00000002', reason: 'compared', approves: null };
const HOUR_MS = 3_600_000;

const problems = (folder: string) => runFsck(folder, { logKey: LOG_KEY }).problems;
const rowsOf = (journal: Journal) =>
  ['cases', 'case_records'].map((table) => journal.db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all());

function pullAll(journal: Journal, peer: HonestPeer, nowMs = NOW_MS): void {
  while (journal.peers.cursor(peer.nodeId, 'public') < peer.size) pullPage(journal, peer, 70, { nowMs });
}

function only(journal: Journal, reason = 'source_not_owned'): Case {
  const { cases } = new CaseReader(journal.db).list({ reason, order: 'newest', cursor: null, limit: 10 });
  assert.equal(cases.length, 1);
  return cases[0] as Case;
}

function change(move: CaseChange['move'], said: Partial<CaseChange> = {}): CaseChange {
  return { ...NO_CHANGE, move, why: 'looked at it', ...said };
}

test('300 refusals of one kind are one case, each counted once; over a restart and made again from the log it is the same', (t) => {
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  pullAll(
    journal,
    new HonestPeer().appendMany(5).appendMany(300, () => STOLEN),
  );
  journal.summarizeRefusals(NOW_MS + HOUR_MS);
  const held = only(journal);
  assert.deepEqual([held.seen, held.state, held.severity, held.feed], [300, 'new', 'high', 'public']);
  assert.match(held.key_id, /^[0-9a-f]{8}$/);
  assert.match(held.uid, /^[0-9a-f]{32}$/);
  assert.equal(held.samples.length, 3);
  const before = rowsOf(journal);
  journal.close();
  assert.deepEqual(problems(folder), []);

  const raw = openRaw(folder);
  raw.exec('DELETE FROM cases; DELETE FROM case_records');
  raw.close();
  assert.ok(problems(folder).some(({ table, code }) => table === 'cases' && code === 'row_missing'));
  journal = openJournal(folder);
  assert.deepEqual(rowsOf(journal), before);
  journal.close();
});

test('what is resolved is opened again by the next lie at once, also in the middle of a flood; every count stays right', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const methods = caseMethods(journal);
  const peer = new HonestPeer().appendMany(5).appendMany(100, () => STOLEN);
  pullAll(journal, peer);
  const { id, version, seen } = only(journal);
  assert.ok(seen < 100, 'some wait for their summary');
  const resolved = methods.changeCase({ id, version, change: change('resolve', { verdict: 'peer_bug' }) }, ANN, NOW_MS);
  assert.equal(resolved.kind, 'done');
  const closed = only(journal);
  assert.deepEqual([closed.state, closed.verdict, closed.seen], ['resolved', 'peer_bug', 100]);
  peer.appendMany(1, () => STOLEN);
  pullAll(journal, peer);
  const again = only(journal);
  assert.deepEqual([again.id, again.state, again.verdict, again.seen], [id, 'reopened', null, 101]);
  const steps = new AuditReader(journal.db)
    .page({ order: 'asc', limit: 500 })
    .records.filter(({ event }) => event === 'case_opened' || event === 'case_changed');
  // What the log says of the case is the case, a summary that its end has made included.
  assert.deepEqual(
    steps.map(({ event, reason, detail }) => [event, reason, (detail['finding'] as Case).seen, detail['case']]),
    [
      ['case_opened', 'new', 1, id],
      ['case_changed', 'resolved', 100, id],
      ['case_opened', 'reopened', 101, id],
    ],
  );
  assert.deepEqual(steps[1]?.detail['finding'], findingOf(closed));
  const stale = methods.changeCase({ id, version: closed.version, change: change('reopen') }, ANN, NOW_MS);
  assert.deepEqual([stale.kind, stale.kind === 'stale' ? stale.since[0]?.move : null], ['stale', 'seen']);
  journal.close();
  assert.deepEqual(problems(folder), []);
});

test('a suppressed case absorbs repeats until its time is over; another reason is never suppressed', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const methods = caseMethods(journal);
  const peer = new HonestPeer().appendMany(5).appendMany(3, () => STOLEN);
  pullAll(journal, peer);
  const { id, version } = only(journal);
  const until = new Date(NOW_MS + HOUR_MS).toISOString().replace('Z', '000+00:00');
  const suppress = change('suppress', { owner: 'ann', until });
  assert.deepEqual(
    methods.changeCase({ id, version, change: { ...suppress, owner: null } }, ANN, NOW_MS).kind,
    'impossible',
  );
  assert.equal(methods.changeCase({ id, version, change: suppress }, ANN, NOW_MS).kind, 'done');
  peer.appendMany(2, () => STOLEN).appendMany(1, () => ({ hlc: '9999999999999.000' }));
  pullAll(journal, peer);
  const held = only(journal);
  assert.deepEqual([held.state, held.seen, held.absorbed, held.owner], ['suppressed', 5, 2, 'ann']);
  assert.equal(only(journal, 'hlc_future').state, 'new');
  peer.appendMany(1, () => STOLEN);
  pullAll(journal, peer, NOW_MS + HOUR_MS + 1);
  assert.deepEqual([only(journal).state, only(journal).owner, only(journal).seen], ['reopened', null, 6]);
  journal.close();
  assert.deepEqual(problems(folder), []);
});

test('two persons resolve a case where the configuration says so', (t) => {
  const folder = temporaryFolder(t);
  newJournal(folder).close();
  const strict = openJournal(folder, false, { actions: ['case.resolve'], proposalMs: HOUR_MS, namedPersons: false });
  const methods = caseMethods(strict);
  pullAll(
    strict,
    new HonestPeer().appendMany(5).appendMany(3, () => STOLEN),
  );
  const { id, version } = only(strict);
  const order = { id, version, change: change('resolve', { verdict: 'malicious' }) };
  const proposed = methods.changeCase(order, ANN, NOW_MS);
  assert.equal(proposed.kind, 'proposed');
  assert.equal(only(strict).state, 'new');
  const approves = proposed.kind === 'proposed' ? proposed.proposal.id : 0;
  assert.equal(methods.changeCase(order, { ...ANN, reason: 'me', approves }, NOW_MS).kind, 'refused');
  assert.equal(methods.changeCase({ ...order, version: null }, { ...BOB, approves }, NOW_MS).kind, 'done');
  assert.deepEqual([only(strict).state, only(strict).verdict], ['resolved', 'malicious']);
  strict.close();
  assert.deepEqual(problems(folder), []);
});

test('a change of many is done as it was looked at, or not at all', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const methods = caseMethods(journal);
  fillJournal(journal);
  const selection = { filter: { topic: 'refusal', states: ['new'] } } as const;
  const order = { selection, change: change('acknowledge'), token: null };
  const preview = methods.changeCases(order, ANN, NOW_MS);
  assert.ok(preview.kind === 'previewed' && preview.preview.would_change.length > 3);
  const [first] = preview.preview.would_change;
  const { token } = preview.preview;
  methods.changeCase({ id: Number(first?.id), version: null, change: change('note') }, BOB, NOW_MS);
  const stale = methods.changeCases({ ...order, token }, ANN, NOW_MS);
  assert.ok(stale.kind === 'set_changed' && stale.preview.would_change.length === preview.preview.would_change.length);
  const done = methods.changeCases({ ...order, token: stale.preview.token }, ANN, NOW_MS);
  assert.ok(done.kind === 'applied' && done.changed.length === stale.preview.would_change.length);
  journal.close();
  assert.deepEqual(problems(folder), []);
});

test('a journal of before gets its cases when it is opened, also when that was cut short; fsck finds what was changed by hand', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal);
  const before = rowsOf(journal);
  journal.close();
  const raw = openRaw(folder);
  for (const [, index] of INDEXES_15.matchAll(/CREATE INDEX (\w+)/g)) raw.exec(`DROP INDEX ${index}`);
  raw.exec(`DROP TABLE cases; DROP TABLE case_records; DROP TABLE sinks; PRAGMA user_version = ${CASES_SCHEMA - 1}`);
  raw.close();
  const migrated = openJournal(folder);
  assert.deepEqual(rowsOf(migrated), before);
  migrated.close();
  assert.deepEqual(problems(folder), []);

  const cut = openRaw(folder);
  cut.exec("DELETE FROM cases; DELETE FROM case_records; INSERT INTO state VALUES ('cases_made_to', 10)");
  const book = new CaseBook(cut);
  for (const line of caseLines(cut).all()) if (line.seq <= 10) takeLine(book, line);
  cut.close();
  assert.deepEqual(
    runFsck(folder, { logKey: LOG_KEY }).notices.map(({ code }) => code),
    ['cases_behind'],
  );
  const whole = openJournal(folder);
  assert.deepEqual(rowsOf(whole), before);
  whole.close();

  const forged = openRaw(folder);
  forged.exec("UPDATE cases SET state = 'resolved' WHERE id = (SELECT min(id) FROM cases)");
  forged.close();
  const [found, ...rest] = problems(folder).filter(({ table }) => table === 'cases');
  assert.deepEqual([found?.code, found?.field, rest.length], ['column_changed', 'state', 0]);
});

test('rows that somebody has put into the tables of cases keep no record from the audit log, and are gone when it is opened', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  const peer = new HonestPeer().appendMany(5).appendMany(3, () => STOLEN);
  pullAll(journal, peer);
  const { id } = only(journal);
  journal.close();
  const whole = openJournal(folder);
  const forge = (sql: string): void => void whole.db.exec(sql);
  for (const samples of ['{', '5', '[[1,2],null]', '{"length":1}']) {
    forge(`UPDATE cases SET samples = '${samples}'`);
    pullAll(
      whole,
      peer.appendMany(1, () => STOLEN),
    );
  }
  forge('UPDATE cases SET id = 9223372036854775807, seen = 9223372036854775807, version = -9223372036854775807');
  const size = Number(whole.db.prepare('SELECT max(seq) FROM audit').pluck().get());
  forge(`INSERT INTO case_records VALUES (${size + 1}, 7, 0), (${size + 1_000}, 7, 0)`);
  pullAll(
    whole,
    peer.appendMany(40, () => STOLEN),
  );
  whole.summarizeRefusals(NOW_MS + HOUR_MS);
  assert.ok(Number(whole.db.prepare('SELECT max(seq) FROM audit').pluck().get()) > size);
  whole.close();
  assert.ok(problems(folder).some(({ table }) => table === 'case_records'));
  const again = openJournal(folder);
  assert.deepEqual([only(again).id, only(again).seen], [id, 47]);
  again.close();
  assert.deepEqual(problems(folder), []);
});
