/** Erasures of facts that came by relays: every copy is found, whichever came first, and nothing comes back. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { Projector } from '../../../src/projections/projector.ts';
import { RecallIndex } from '../../../src/projections/recall-index.ts';
import { Erasing } from '../../../src/threads/erasing.ts';
import { erasureMethods } from '../../../src/threads/erasure-methods.ts';
import { bury, withHole } from '../../support/buried.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  appendOwn,
  IDENTITY,
  LOG_KEY,
  LOG_SEED,
  NOW_MS,
  newJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { RelayLog } from '../../support/relay-log.ts';
import {
  fillRelayedErasure,
  finishErasures,
  pullDirect,
  pullRelayed,
  twoRelays,
} from '../../support/relayed-erasure.ts';
import { changeColumn, copyJournal, storedColumns, tamper } from '../../support/tampering.ts';

const SECRET = 'Zebrafish quorum lantern';

function opened(t: TestContext): { readonly folder: string; readonly journal: Journal } {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.db.open && journal.close());
  appendOwn(journal, 2);
  return { folder, journal };
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

function assertErased(folder: string, journal: Journal, factId: string): void {
  journal.head(0);
  journal.close();
  for (const word of [SECRET, ...SECRET.split(' '), factId]) assert.deepEqual(files(folder, word), [], word);
  assert.deepEqual(problems(folder), []);
}

test('a fact that two relays and its author have given is erased in all three pages', (t) => {
  const { folder, journal } = opened(t);
  const { first, second, secret } = twoRelays(SECRET);
  assert.equal(pullRelayed(journal, first).duplicates, 0);
  assert.equal(pullRelayed(journal, second).duplicates, 4);
  assert.equal(pullDirect(journal, first.origin, 4).duplicates, 4);
  const tombstone = bury(first.origin, secret);
  second.pass(tombstone);
  pullRelayed(journal, second);
  assert.equal(journal.erasures.records.ofTarget(5)?.step, 'received');
  assert.notDeepEqual(files(folder, SECRET), []);
  finishErasures(journal);
  assertErased(folder, journal, secret.entry.fact_id);
});

test('a tombstone that comes from the author first finds the page of the relay', (t) => {
  const { folder, journal } = opened(t);
  const { first, secret } = twoRelays(SECRET);
  pullRelayed(journal, first);
  bury(first.origin, secret);
  pullDirect(journal, first.origin);
  assert.equal(journal.erasures.records.ofTarget(5)?.step, 'received');
  finishErasures(journal);
  assertErased(folder, journal, secret.entry.fact_id);
});

test('an author that has erased it gives a page with a hole: the body that came by a relay goes, too', (t) => {
  const { folder, journal } = opened(t);
  const { first, secret } = twoRelays(SECRET);
  pullRelayed(journal, first);
  bury(first.origin, secret);
  pullDirect(journal, first.origin, 100, { content: withHole(first.origin, 2) });
  assert.equal(journal.erasures.records.ofTarget(5)?.step, 'received');
  finishErasures(journal);
  assertErased(folder, journal, secret.entry.fact_id);
});

test('a relay that has not heard of the tombstone brings nothing back', (t) => {
  const { folder, journal } = opened(t);
  const { first, second, secret } = twoRelays(SECRET);
  pullRelayed(journal, first);
  first.pass(bury(first.origin, secret));
  pullRelayed(journal, first);
  finishErasures(journal);
  const late = pullRelayed(journal, second);
  assert.deepEqual([late.appended, late.duplicates, late.refused], [null, 4, []]);
  assertErased(folder, journal, secret.entry.fact_id);
});

test('a tombstone that comes before its fact keeps it out', (t) => {
  const { folder, journal } = opened(t);
  const { first, second, secret } = twoRelays(SECRET);
  const tombstone = bury(first.origin, secret);
  const relay = new HonestPeer({ authority: 'umbrella.example', journal: '00000000000000ee' });
  const early = new RelayLog({ origin: first.origin, relay, facts: 0 });
  early.pass(tombstone);
  pullRelayed(journal, early);
  const late = pullRelayed(journal, second);
  assert.deepEqual([late.duplicates, late.refused], [1, []]);
  assert.equal(journal.erasures.bodies.byFactId(secret.entry.fact_id), undefined);
  assertErased(folder, journal, secret.entry.fact_id);
});

test('a relay cannot make a tombstone, nor have one name another fact', (t) => {
  const { journal } = opened(t);
  const { first, secret } = twoRelays(SECRET);
  pullRelayed(journal, first);
  const tombstone = bury(first.origin, secret);
  const other = first.origin.entries[1];
  assert.ok(other !== undefined);
  const said = JSON.parse(tombstone.entry.value_v);
  const leaf = `sha256:${Buffer.from(other.leaf).toString('hex')}`;
  first.pass(tombstone, { value_v: JSON.stringify({ ...said, feed_seq: 2, leaf_hash: leaf, leaf_index: 1 }) });
  const page = pullRelayed(journal, first);
  assert.deepEqual(page.appended, null);
  assert.equal(journal.erasures.records.list(1_000, 10).length, 0);
});

test('any change of what an erasure over a relay leaves is found', async (t) => {
  const { folder, journal } = opened(t);
  await fillRelayedErasure(journal);
  journal.close();
  assert.deepEqual(problems(folder), []);
  const copies = temporaryFolder(t);
  const raw = openRaw(folder);
  const last = Number(raw.prepare('SELECT max(copy_id) FROM body_copies').pluck().get());
  for (const [table, key, row] of [
    ['body_copies', 'copy_id', last],
    ['relayed_acks', 'ack_id', 1],
  ] as const)
    for (const column of storedColumns(raw, table)) {
      if (column.name === key) continue;
      const copy = copyJournal(folder, copies, `${table}-${column.name}`);
      tamper(copy, (db) => changeColumn(db, table, key, row, column));
      const found = problems(copy);
      assert.ok(
        found.some((problem) => problem.startsWith(`${table} ${row} `)),
        `${table}.${column.name}: ${found}`,
      );
    }
  raw.close();
});

test('of a relayed fact that was refused nothing is acknowledged', (t) => {
  const { journal } = opened(t);
  const { first, secret } = twoRelays(SECRET);
  const stolen = first.origin.append({ source: 'stigmem://elsewhere.example/agent/x' });
  first.pass(stolen);
  assert.equal(pullRelayed(journal, first).refused.length, 1);
  for (const one of [stolen, secret]) first.pass(bury(first.origin, one));
  pullRelayed(journal, first);
  const states = journal.erasures.records.list(1_000, 10).map(({ step }) => step);
  assert.deepEqual(states.toSorted(), ['kept', 'received']);
});

function acknowledging(journal: Journal): ReturnType<typeof erasureMethods> {
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  const erasing = new Erasing(journal, [new Projector(journal.db), new RecallIndex(journal.db)]);
  return erasureMethods(journal, erasing, signer);
}

test('a fact that a relay was refused, and its author was not, is erased and never acknowledged', (t) => {
  const { journal } = opened(t);
  const { first, secret } = twoRelays(SECRET);
  first.pass(secret, { source: 'stigmem://elsewhere.example/agent/x' });
  assert.equal(pullRelayed(journal, first, 4).refused.length, 0);
  assert.equal(pullRelayed(journal, first).refused.length, 1);
  pullDirect(journal, first.origin);
  const other = first.origin.entries[0];
  assert.ok(other !== undefined);
  for (const one of [secret, other]) bury(first.origin, one);
  pullDirect(journal, first.origin);
  finishErasures(journal);
  assert.equal(journal.erasures.bodies.byFactId(secret.entry.fact_id), undefined);
  const { nodeId } = first.origin;
  const { acks } = acknowledging(journal).pendingErasures(nodeId);
  assert.deepEqual(
    acks.map((note) => note.split('\n')[4]),
    [String(other.feedSeq)],
    'of the other one only',
  );
});

test('what a relay was told first its author is told all the same, each way once', (t) => {
  const { journal } = opened(t);
  const { first, second, secret } = twoRelays(SECRET);
  pullRelayed(journal, first);
  pullRelayed(journal, second);
  pullDirect(journal, first.origin);
  first.pass(bury(first.origin, secret));
  pullRelayed(journal, first);
  pullDirect(journal, first.origin);
  finishErasures(journal);
  const methods = acknowledging(journal);
  const { nodeId } = first.origin;
  const pending = (relay?: string): readonly number[] => methods.pendingErasures(nodeId, relay).steps;
  const due = pending(first.relay.nodeId);
  assert.equal(due.length, 1);
  assert.deepEqual([pending(), pending(second.relay.nodeId)], [due, []], 'a relay is told of what it has brought');
  methods.erasuresTold(nodeId, due, NOW_MS, first.relay.nodeId);
  assert.deepEqual([pending(first.relay.nodeId), pending()], [[], due]);
  methods.erasuresTold(nodeId, due, NOW_MS);
  assert.deepEqual(pending(), []);
  const steps = journal.erasures.records.list(1_000, 10).map(({ step }) => step);
  assert.deepEqual(steps, ['told']);
});

test('a fact that was refused from its author, and taken from a relay, is erased and never acknowledged', (t) => {
  const { journal } = opened(t);
  const { first, secret } = twoRelays(SECRET);
  const { origin, relay } = first;
  const peer = { ...origin.pinned(), namespaces: ['elsewhere.example'] };
  assert.equal(pullDirect(journal, origin, 4, {}, { peer }).refused.length, 4);
  pullRelayed(journal, first);
  first.pass(bury(origin, secret));
  pullRelayed(journal, first);
  finishErasures(journal);
  assert.equal(journal.erasures.records.list(1_000, 10)[0]?.step, 'scrubbed');
  const { acks } = acknowledging(journal).pendingErasures(origin.nodeId, relay.nodeId);
  assert.deepEqual(acks, []);
});
