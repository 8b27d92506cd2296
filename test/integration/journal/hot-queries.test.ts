/**
 * What a partner's message, a tick of the clock, or a request leads to finds its rows by an index: none of it walks through a table that
 * grows with the years. The plans are those of SQLite itself, so that a few rows show what ten million would cost.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import { AnchorRecords } from '../../../src/journal/anchor-records.ts';
import { BodyPlaces } from '../../../src/journal/body-places.ts';
import { Statement } from '../../../src/journal/database.ts';
import { ErasureAcks } from '../../../src/journal/erasure-acks.ts';
import { ErasureRecords, type ErasureStep } from '../../../src/journal/erasure-records.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { PageRefusals } from '../../../src/journal/page-refusals.ts';
import { PeerRecords } from '../../../src/journal/peer-records.ts';
import { ProofCheckpoints } from '../../../src/journal/proof-checkpoints.ts';
import { RefusalNotices } from '../../../src/journal/refusal-notices.ts';
import { fillErasures, fillJournal, IDENTITY, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const ACME = 'stigmem://acme.example';
/** A row for each feed; a receipt of each log that anchors, of one checkpoint. */
const SMALL = [
  /SCALAR SUBQUERY \d+ \| SCAN feeds$/,
  /^SEARCH anchor_receipts USING INDEX anchor_receipts_by_anchor \(anchor_id=\?\) \| USE TEMP B-TREE/,
];

function filled(t: TestContext): Journal {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  fillJournal(journal, 20, 20);
  fillErasures(journal);
  return journal;
}

/** Plans of the statements that are compiled meanwhile: a new object compiles its own. */
function plansOf(journal: Journal, work: (db: Database.Database) => unknown): string[] {
  const { db } = journal;
  const statements: string[] = [];
  const prepare = Database.prototype.prepare;
  Database.prototype.prepare = function <T extends unknown[] | object>(this: Database.Database, sql: string) {
    statements.push(sql);
    return prepare.call(this, sql) as Database.Statement<T[]>;
  } as typeof prepare;
  try {
    work(db);
  } finally {
    Database.prototype.prepare = prepare;
  }
  return statements.map((sql) => {
    const values = Array.from(sql.matchAll(/\?/g), () => 1);
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
    return steps.map(({ detail }) => detail).join(' | ');
  });
}

/** Sorting is one, too, whatever led to the rows. */
function isWalk(plan: string): boolean {
  return /\bSCAN |TEMP B-TREE/.test(plan) && !SMALL.some((small) => small.test(plan));
}

const asked: Readonly<Record<string, (db: Database.Database) => unknown>> = {
  'an acknowledgement of an erasure': (db) => new ErasureAcks(db).targetAt('public', 3),
  'an entry that a refusal notice names': (db) => new RefusalNotices(db).ownChainSeq('public', 3),
  'a tombstone: how many came in the last hour': (db) => new ErasureRecords(db).countInHour(ACME, 'received', 0),
  'a pull: what is pinned of the peer': (db) => new PeerRecords(db).declaration(ACME),
  'an erasure that is told: was it evidence': (db) => new PageRefusals(db).wasRefused(1, 1),
  'a retry: the next page': (db) => new PageRefusals(db).next(ACME, 0),
  'a fact with its proof': (db) => new ProofCheckpoints(db).candidates({ size: 1, note: '' }),
  'the newest anchor, for a page': (db) => new AnchorRecords(db).newestReceipt(),
};

for (const [what, work] of Object.entries(asked)) {
  test(`${what}: no walk through a table`, (t) => {
    const plans = plansOf(filled(t), work);
    assert.ok(plans.length > 0, 'nothing was asked');
    assert.deepEqual(plans.filter(isWalk), []);
  });
}

test('an erasure: where the body stands, no walk through a table', (t) => {
  const journal = filled(t);
  const row = journal.erasures.bodies.row(journal.size);
  assert.ok(row !== undefined);
  const author = { nodeId: IDENTITY.nodeId, feed: 'public', feedSeq: row.feed_seq };
  const plans = plansOf(journal, (db) => new BodyPlaces(db).of(row, author));
  assert.deepEqual(plans.filter(isWalk), []);
});

test('erasures that wait are found again without those that came after one that is held', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const { records } = journal.erasures;
  const row = (fact: number) => ({
    fact: Buffer.alloc(32, fact),
    node_id: ACME,
    feed: 'public',
    feed_seq: fact,
    target_seq: fact,
    tombstone_seq: 1,
    page_id: null,
    due_us: null,
    at_us: 1,
    actor: null,
    reason: null,
  });
  const step = (fact: number, ...names: readonly ErasureStep[]): void =>
    journal.durably(() => {
      for (const name of names) records.add({ ...row(fact), step: name });
    });
  const open = (): readonly (readonly [number, string])[] =>
    records.open().map(({ feed_seq, step: name }) => [feed_seq, name] as const);
  step(1, 'received', 'held');
  step(2, 'received');
  assert.deepEqual(open(), [
    [1, 'held'],
    [2, 'received'],
  ]);
  step(2, 'released', 'scrubbed', 'told');
  step(3, 'absent');
  step(4, 'stopped');
  assert.throws(() =>
    journal.durably(() => {
      records.add({ ...row(1), step: 'released' });
      throw new Error('the disk is full');
    }),
  );
  const read: unknown[] = [];
  const { all, iterate } = Statement.prototype;
  t.mock.method(Statement.prototype, 'all', function (this: never, ...params: never) {
    const rows = all.apply(this, params);
    read.push(...rows);
    return rows;
  });
  t.mock.method(Statement.prototype, 'iterate', function* (this: never, ...params: never) {
    for (const one of iterate.apply(this, params)) {
      read.push(one);
      yield one;
    }
  });
  assert.deepEqual(open(), [
    [1, 'held'],
    [4, 'stopped'],
  ]);
  assert.equal(read.length, 5, 'the steps that are new');
  assert.equal(open().length, 2);
  assert.equal(read.length, 5, 'nothing is read once more');
});

test('anchors that wait are found again without those that came after one that was refused for good', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const anchors = new AnchorRecords(journal.db);
  const receipt = {
    backend: 'local',
    logId: 'l',
    integratedTime: null,
    leafHash: 'aa',
    entry: '{}',
    trustRoot: null,
  } as const;
  const make = (): number =>
    anchors.add('journal', { treeSize: 1, root: Buffer.alloc(32), chainHash: null, note: 'note', createdUs: 1 });
  journal.durably(() => {
    const refused = make();
    anchors.fail(refused, 'local', { error: 'never', isPermanent: true, nextRetryUs: 3_600_000_000 });
    for (let i = 0; i < 500; i++) {
      const id = make();
      anchors.addReceipt(id, { ...receipt, logIndex: id }, 1);
    }
  });
  assert.equal(anchors.next('local', 1), null);
  const { all } = Statement.prototype;
  let asked = 0;
  t.mock.method(Statement.prototype, 'all', function (this: never, ...params: never) {
    asked++;
    return all.apply(this, params);
  });
  assert.equal(anchors.next('local', 1), null);
  assert.equal(asked, 1, 'the one that was refused');
  journal.durably(make);
  assert.equal(anchors.next('local', 1)?.id, 502);
  assert.equal(anchors.status('local').pending, 2);
  assert.equal(anchors.next('local', 3_600_000_000)?.id, 1, 'its own time has come');
});
