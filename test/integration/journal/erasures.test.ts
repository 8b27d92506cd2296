/** Erasures in a real file: what the guards let through, what every crash leaves, what comes of a partner's tombstones. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type Database from 'better-sqlite3';
import { factDigest } from '../../../src/core/tombstone.ts';
import type { StoredEntry } from '../../../src/drill/peer-log.ts';
import { Statement } from '../../../src/journal/database.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import type { EntryRow } from '../../../src/journal/tables-logs.ts';
import type { PageRow } from '../../../src/journal/tables-peers.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { Projector } from '../../../src/projections/projector.ts';
import { RecallIndex } from '../../../src/projections/recall-index.ts';
import { Erasing } from '../../../src/threads/erasing.ts';
import { decodePage } from '../../../src/wire/page.ts';
import { bury } from '../../support/buried.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  appendOwn,
  fillErasures,
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
import { changeColumn, copyJournal, storedColumns, tamper } from '../../support/tampering.ts';

const WINDOW_MS = 86_400_000;
const LATER_MS = NOW_MS + WINDOW_MS + 60_000;
const SECRET = 'Zebrafish quorum lantern';
const ORDER = { actor: 'agent:test', reason: null, approves: null };

interface Bench {
  readonly folder: string;
  readonly journal: Journal;
  readonly erasing: Erasing;
}

function bench(folder: string, journal: Journal): Bench {
  const projector = new Projector(journal.db);
  while (projector.advance() > 0);
  const words = new RecallIndex(journal.db);
  while (words.advance() > 0);
  return { folder, journal, erasing: new Erasing(journal, [projector, words]) };
}

function rowOf(journal: Journal, seq: number): EntryRow {
  const row = journal.erasures.bodies.row(seq);
  assert.ok(row !== undefined);
  return row;
}

/** Five facts, of which the third is the secret. */
function own(t: TestContext): Bench & { readonly id: string } {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.db.open && journal.close());
  appendOwn(journal, 2);
  journal.appendOwn([ownFact(2, { value: SECRET, entity: 'stigmem://globex.example/thing/zebrafish' })], NOW_MS);
  appendOwn(journal, 2);
  journal.head(0);
  return { ...bench(folder, journal), id: rowOf(journal, 3).fact_id };
}

function files(folder: string, text: string): string[] {
  const needles = [text, text.toLowerCase()].map((one) => Buffer.from(one));
  return readdirSync(folder).filter((name) => {
    const bytes = readFileSync(join(folder, name));
    return needles.some((needle) => bytes.includes(needle));
  });
}

function problems(folder: string): string[] {
  return runFsck(folder, { logKey: LOG_KEY }).problems.map(({ table, code, row }) => `${table} ${row} ${code}`);
}

/** Takes all steps that are due. */
function finish({ erasing, journal }: Bench, nowMs = LATER_MS): void {
  while (erasing.advance(nowMs).steps > 0);
  journal.head(0);
}

test('nothing is erased within the undo window, and what was undone leaves no trace in the log', (t) => {
  const one = own(t);
  const { erasing, journal, id } = one;
  assert.deepEqual(erasing.request({ fact: id, ...ORDER }, NOW_MS), { kind: 'done' });
  assert.deepEqual(erasing.advance(NOW_MS + WINDOW_MS - 1), { steps: 0, authors: [], faults: [] });
  assert.equal(journal.size, 5);
  assert.equal(rowOf(journal, 3).value_v, SECRET);
  assert.deepEqual(erasing.undo({ fact: id, ...ORDER }, NOW_MS), { kind: 'done' });
  assert.deepEqual(erasing.advance(LATER_MS), { steps: 0, authors: [], faults: [] });
  assert.deepEqual([journal.size, rowOf(journal, 3).value_v], [5, SECRET]);

  assert.deepEqual(erasing.request({ fact: id, ...ORDER }, NOW_MS), { kind: 'done' }, 'it may be asked for again');
  finish(one);
  const late = erasing.undo({ fact: id, ...ORDER }, LATER_MS);
  assert.deepEqual([late.kind, late.kind === 'refused' && late.code], ['refused', 'not_undoable']);
  assert.deepEqual(problems(one.folder), []);
});

test('the bytes of a body leave the file, its places in chain, feed and tree stay', (t) => {
  const one = own(t);
  const before = [1, 2, 3, 4, 5].map((seq) => rowOf(one.journal, seq));
  assert.notDeepEqual(files(one.folder, SECRET), []);
  one.erasing.request({ fact: one.id, ...ORDER }, NOW_MS);
  finish(one);
  for (const text of [SECRET, ...SECRET.split(' '), one.id]) assert.deepEqual(files(one.folder, text), [], text);
  for (const { chain_seq: seq, ...row } of before) {
    const now = rowOf(one.journal, seq);
    if (seq !== 3) assert.deepEqual(now, { chain_seq: seq, ...row });
    assert.deepEqual(
      [now.chain_hash, now.previous_hash, now.leaf_hash, now.feed_seq],
      [row.chain_hash, row.previous_hash, row.leaf_hash, row.feed_seq],
    );
  }
  const events = one.journal.db.prepare('SELECT operation, target, row_key FROM mutation_attempts').all();
  assert.deepEqual(events, [{ operation: 'ERASE', target: 'entries', row_key: '3' }]);
  one.journal.chainMutationAttempts(LATER_MS);
  const chained = one.journal.db.prepare("SELECT count(*) AS n FROM audit WHERE event = 'fact_erased'").get();
  assert.deepEqual(chained, { n: 1 });
  one.journal.head(0);
  assert.deepEqual(problems(one.folder), []);
});

/** A row as an erasure leaves it, in SQL. */
const EMPTY = `fact_id = 'erased:' || chain_seq, entity = '', relation = '', value_type = '', value_v = '', source = '',
  scope = '', confidence = 0.0, timestamp = '', valid_until = NULL, interpret_as = '', garden_id = NULL,
  derived_from = NULL, attestation_key_id = NULL, attestation_signature = NULL, cid = x'', event_hash = x'',
  salt = randomblob(32)`;

function attempt(raw: Database.Database, sql: string): string {
  try {
    raw.prepare(sql).run();
    return 'done';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('the guards refuse every other UPDATE, and record it: no tombstone, not that row, not all of it, not yet', (t) => {
  const one = own(t);
  const raw = openRaw(one.folder);
  t.after(() => raw.close());
  const refusedIn = (sql: string): void =>
    assert.match(attempt(raw, sql), /append-only: this (UPDATE|INSERT) was refused/);
  refusedIn(`UPDATE entries SET ${EMPTY} WHERE chain_seq = 3`);

  one.erasing.request({ fact: one.id, ...ORDER }, NOW_MS);
  refusedIn(`UPDATE entries SET ${EMPTY} WHERE chain_seq = 3`);
  const step = (seq: number, name: string, at: number, tombstone: number | null): string => `INSERT INTO erasure_steps
    SELECT (SELECT max(step_id) + 1 FROM erasure_steps), fact, node_id, '${name}', feed, feed_seq, ${seq}, ${tombstone},
      page_id, NULL, ${at}, NULL, NULL, 0, 0 FROM erasure_steps WHERE step_id = 1`;
  refusedIn(step(3, 'erased', LATER_MS * 1000, null));

  // The tombstone is written; the erasure behind it has not been taken.
  one.erasing.advance(LATER_MS);
  assert.equal(one.journal.size, 6);
  refusedIn(step(3, 'erased', NOW_MS * 1000, 6));
  refusedIn(step(2, 'erased', LATER_MS * 1000, 6));
  refusedIn(`UPDATE entries SET ${EMPTY} WHERE chain_seq = 3`);
  assert.equal(attempt(raw, step(3, 'erased', LATER_MS * 1000, 6)), 'done');
  refusedIn(`UPDATE entries SET value_v = '' WHERE chain_seq = 3`);
  refusedIn(`UPDATE entries SET ${EMPTY}, leaf_hash = randomblob(32) WHERE chain_seq = 3`);
  refusedIn(`UPDATE entries SET ${EMPTY} WHERE chain_seq = 2`);
  refusedIn('DELETE FROM erasure_steps'.replace('DELETE FROM', 'UPDATE').concat(" SET step = 'undone'"));
  assert.equal(attempt(raw, `UPDATE entries SET ${EMPTY} WHERE chain_seq = 3`), 'done', 'this very one goes through');
  refusedIn(`UPDATE entries SET ${EMPTY} WHERE chain_seq = 3`);
  const recorded = raw.prepare('SELECT operation FROM mutation_attempts').pluck().all();
  assert.equal(recorded.filter((operation) => operation === 'ERASE').length, 1);
  assert.equal(recorded.length, 12);
  // Whoever did it left another commitment than the entry had.
  assert.ok(problems(one.folder).includes('entries 3 leaf_mismatch'), problems(one.folder).join());
});

test('fsck names a body that is gone without a tombstone', (t) => {
  const one = own(t);
  one.journal.close();
  const raw = openRaw(one.folder);
  raw.exec('DROP TRIGGER entries_no_update');
  raw.close();
  const journal = openJournal(one.folder);
  // In exactly the form that an erasure leaves, with the right commitment and sums.
  journal.erasures.bodies.erase({ ...STEP, target_seq: 3 }, () => {});
  journal.close();
  assert.ok(problems(one.folder).includes('entries 3 erased_without_tombstone'), problems(one.folder).join());
});

const STEP = {
  step_id: 0,
  fact: new Uint8Array(32),
  node_id: '',
  step: 'erased',
  feed: 'public',
  feed_seq: 3,
  tombstone_seq: null,
  page_id: null,
  due_us: null,
  at_us: 0,
  actor: null,
  reason: null,
} as const;

test('a crash behind any step: the next start takes the rest, and the file is whole at each', (t) => {
  const one = own(t);
  one.erasing.request({ fact: one.id, ...ORDER }, NOW_MS);
  const copies: string[] = [];
  const crash = (): void => {
    const copy = temporaryFolder(t);
    // As SIGKILL leaves it: the database, its write-ahead log and the file of signed heads as they are now.
    cpSync(one.folder, copy, { recursive: true });
    copies.push(copy);
  };
  crash();
  while (one.erasing.advance(LATER_MS).steps > 0) crash();
  assert.equal(copies.length, 4, 'asked for, tombstone written, erased, file cleaned');
  for (const [i, copy] of copies.entries()) {
    const journal = openJournal(copy);
    const again = bench(copy, journal);
    finish(again);
    assert.equal(journal.size, 6, `copy ${i}`);
    assert.equal(journal.erasures.records.ofTarget(3)?.step, 'scrubbed', `copy ${i}`);
    journal.close();
    assert.deepEqual(files(copy, SECRET), [], `copy ${i}`);
    assert.deepEqual(problems(copy), [], `copy ${i}`);
  }
});

interface Pulled extends Bench {
  readonly peer: HonestPeer;
  readonly secret: StoredEntry;
}

/** A partner's page of ten, of which the fourth is the secret. */
function pulled(t: TestContext): Pulled {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.db.open && journal.close());
  const peer = new HonestPeer().appendMany(3);
  const secret = peer.append({ value_v: SECRET });
  peer.appendMany(6);
  appendOwn(journal, 2);
  pullPage(journal, peer, 10);
  return { ...bench(folder, journal), peer, secret };
}

function pageText(journal: Journal): string {
  const page = journal.db.prepare<[], PageRow>('SELECT * FROM pages WHERE page_id = 1').get();
  const decoded = page === undefined ? undefined : decodePage(page);
  assert.ok(decoded?.ok === true);
  return decoded.value.entries.map((bytes) => Buffer.from(bytes).toString('utf8')).join('\n');
}

test('a partner’s tombstone: hidden at once, erased behind the window, in the stored page too', (t) => {
  const one = pulled(t);
  const { journal, peer, secret } = one;
  bury(peer, secret);
  pullPage(journal, peer, 10);
  assert.equal(journal.erasures.records.ofTarget(6)?.step, 'received');
  finish(one, NOW_MS + WINDOW_MS - 1);
  assert.ok(pageText(journal).includes(SECRET));
  finish(one);
  const text = pageText(journal);
  assert.ok(!text.includes(SECRET) && text.includes('state 3 ') && text.includes('state 5 '), text);
  for (const word of [SECRET, secret.entry.fact_id]) assert.deepEqual(files(one.folder, word), [], word);
  const { fact_id } = secret.entry;
  assert.equal(
    journal.seen.find([fact_id], { author: peer.nodeId, isRelayed: false }).get(fact_id)?.cid,
    'erased',
    'a repeat of it would be refused as fact_rewritten',
  );
  journal.close();
  assert.deepEqual(problems(one.folder), []);
});

test('a tombstone that contradicts what was received erases nothing, and is recorded', (t) => {
  const one = pulled(t);
  const { journal, peer, secret } = one;
  bury(peer, { ...secret, leaf: Buffer.alloc(32, 1) });
  bury(peer, { ...secret, entry: { ...secret.entry, fact_id: 'another' } });
  bury(peer, { ...secret, feedSeq: 3 });
  pullPage(journal, peer, 10);
  finish(one);
  assert.equal(rowOf(journal, 6).value_v, SECRET);
  const found = journal.db.prepare("SELECT body FROM audit WHERE event = 'tombstone_refused'").pluck().all();
  assert.equal(found.length, 3);
  journal.close();
  assert.deepEqual(problems(one.folder), []);
});

test('tombstones that contradict, without end: so many are recorded in an hour, and the next says how many were not', (t) => {
  const { journal, peer, secret } = pulled(t);
  const lie = (count: number, nowMs: number): void => {
    for (let i = 0; i < count; i++) bury(peer, { ...secret, leaf: Buffer.alloc(32, 1) });
    pullPage(journal, peer, count, { nowMs });
  };
  lie(40, NOW_MS);
  lie(3, NOW_MS + 1_000);
  lie(1, NOW_MS + 3_600_000);
  const told = journal.db
    .prepare("SELECT body FROM audit WHERE event = 'tombstone_refused' ORDER BY seq")
    .pluck()
    .all();
  const suppressed = told.map((body) => JSON.parse(String(body)).detail.suppressed ?? 0);
  assert.deepEqual(suppressed, [...Array<number>(16).fill(0), 27]);
});

test('too many at once: own ones are refused, a partner’s wait for an operator; both raise the alarm once', (t) => {
  const one = own(t);
  const { journal, erasing } = one;
  appendOwn(journal, 105);
  const ids = Array.from({ length: 102 }, (_, i) => rowOf(journal, i + 1).fact_id);
  const outcomes = ids.map((fact) => erasing.request({ fact, ...ORDER }, NOW_MS));
  assert.equal(outcomes.filter(({ kind }) => kind === 'done').length, 100);
  assert.deepEqual(outcomes.at(-1), { kind: 'refused', code: 'mass_deletion', retryAfterMs: 3_600_000 });

  const behindMs = NOW_MS - 365 * 86_400_000;
  const [next = ''] = ids.slice(-1);
  assert.equal(
    erasing.request({ fact: next, ...ORDER }, behindMs).kind,
    'done',
    'those of a clock that was ahead are of no hour',
  );

  const peer = new HonestPeer().appendMany(104);
  for (const entry of peer.entries.slice(0, 103)) bury(peer, entry);
  pullPage(journal, peer, 300);
  const states = journal.erasures.records
    .list(Number.MAX_SAFE_INTEGER, 1_000)
    .filter(({ node_id }) => node_id === peer.nodeId)
    .map(({ step }) => step)
    .reverse();
  assert.deepEqual(
    [states.filter((step) => step === 'received').length, states.filter((step) => step === 'stopped').length],
    [100, 3],
  );
  const alarms = journal.db.prepare("SELECT count(*) AS n FROM audit WHERE event = 'mass_deletion'").get();
  assert.deepEqual(alarms, { n: 2 });

  const waiting = peer.entries[102]?.entry.fact_id ?? '';
  finish(one);
  assert.equal(journal.erasures.records.of(factDigest(waiting), peer.nodeId)?.step, 'stopped');
  assert.deepEqual(erasing.release({ fact: waiting, ...ORDER }, LATER_MS), { kind: 'done' });
  finish(one);
  assert.equal(journal.erasures.records.of(factDigest(waiting), peer.nodeId)?.step, 'scrubbed');
  const { records } = journal.erasures;
  const by = [peer.nodeId, peer.nodeId] as const;
  const told = records.over(...by, 0, 1_000).slice(0, -1);
  journal.durably(() => {
    for (const erasure of told) records.told(erasure, peer.nodeId, LATER_MS * 1000);
  });
  const rest = records.over(...by, records.toldUpTo(...by), 1_000);
  assert.equal(rest.length, 1, 'those that were told stand before the next one');
  journal.close();
  assert.deepEqual(problems(one.folder), []);
});

test('an erasure that cannot be taken, as what it is about is damaged, holds up no other, and is tried again', (t) => {
  const one = own(t);
  const { erasing, journal, id } = one;
  erasing.request({ fact: rowOf(journal, 2).fact_id, ...ORDER }, NOW_MS);
  erasing.request({ fact: id, ...ORDER }, NOW_MS);
  tamper(one.folder, (db) => db.exec('DELETE FROM entries WHERE chain_seq = 2'));
  const first = erasing.advance(LATER_MS);
  assert.deepEqual(first.faults.map(String), ['JournalError: entry 2 is to be erased and is not there']);
  let faults = 0;
  for (let run = 0; run < 8; run++) faults += erasing.advance(LATER_MS).faults.length;
  assert.equal(rowOf(journal, 3).value_v, '', 'the other one is gone');
  assert.equal(faults, 0, 'and what cannot be done is not tried all the time');
  assert.equal(erasing.advance(LATER_MS + 60_000).faults.length, 1);
});

test('what is held stays, hidden, until it is released', (t) => {
  const one = pulled(t);
  const { journal, peer, secret, erasing } = one;
  bury(peer, secret);
  pullPage(journal, peer, 10);
  const { fact_id: fact } = secret.entry;
  assert.deepEqual(erasing.hold({ fact, actor: 'agent:counsel', reason: 'case 7', approves: null }, NOW_MS), {
    kind: 'done',
  });
  finish(one);
  assert.equal(rowOf(journal, 6).value_v, SECRET);
  const undone = erasing.undo({ fact, ...ORDER }, NOW_MS);
  assert.equal(undone.kind === 'refused' && undone.code, 'not_undoable');
  erasing.release({ fact, ...ORDER }, LATER_MS);
  finish(one);
  assert.deepEqual(files(one.folder, SECRET), []);
  journal.close();
  assert.deepEqual(problems(one.folder), []);
});

test('only a fact of this node can be asked for, once, and nothing that it says of itself', (t) => {
  const one = pulled(t);
  const { erasing, journal, secret } = one;
  const codeOf = (fact: string): string => {
    const outcome = erasing.request({ fact, ...ORDER }, LATER_MS);
    return outcome.kind === 'refused' ? outcome.code : outcome.kind;
  };
  assert.equal(codeOf(secret.entry.fact_id), 'not_own_fact');
  assert.equal(codeOf('nothing'), 'fact_not_found');
  const own1 = rowOf(journal, 1).fact_id;
  assert.deepEqual([codeOf(own1), codeOf(own1)], ['done', 'already_tombstoned']);
  finish(one, LATER_MS + WINDOW_MS + 1);
  assert.equal(codeOf(own1), 'already_tombstoned');
  assert.equal(codeOf(rowOf(journal, journal.size).fact_id), 'of_the_node');
});

test('any change of what an erasure left, or of the word of it, is found', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 3);
  fillErasures(journal);
  journal.close();
  assert.deepEqual(problems(folder), []);
  const copies = temporaryFolder(t);
  const rows = [
    ['entries', 'chain_seq', 4],
    ['erasure_steps', 'step_id', 3],
    ['erasure_acks', 'ack_id', 1],
  ] as const;
  const raw = openRaw(folder);
  for (const [table, key, row] of rows) {
    for (const column of storedColumns(raw, table)) {
      if (column.name === key) continue;
      const copy = copyJournal(folder, copies, `${table}-${column.name}`);
      tamper(copy, (db) => changeColumn(db, table, key, row, column));
      const found = problems(copy);
      assert.ok(
        found.some((problem) => problem.startsWith(`${table} ${row} `)),
        `${table}.${column.name}: ${found.join()}`,
      );
    }
  }
  raw.close();
});

test('tombstones that a restore brings back look through the journal once, however many they are', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  for (let i = 0; i < 10; i++) appendOwn(journal, 1_000);
  const peer = new HonestPeer();
  const target = peer.append();
  const origin = (chain_seq: number) => ({ chain_seq, leaf_hash: encodeBase64(target.leaf), node_id: peer.nodeId });
  const entries = Array.from({ length: 1_500 }, (_, i) => {
    const { entry } = bury(peer, { ...target, index: i, feedSeq: i + 1 });
    return { ...entry, chain_seq: journal.size + i, received_from: peer.nodeId, origin: origin(entry.chain_seq) };
  });
  const walks = t.mock.method(Statement.prototype, 'iterate').mock;
  journal.durably(() => journal.erasures.takePutBack(entries, IDENTITY.nodeId, NOW_MS * 1000));
  assert.equal(journal.erasures.records.list(10_000, 10_000).length, 1);
  // Each on its own, they took three seconds of ten thousand entries.
  assert.ok(walks.callCount() < 20, `${walks.callCount()} walks`);
});
