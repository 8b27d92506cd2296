/** Facts that the look-up table does not know yet: found, compared and hidden like those that it knows. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EntryReader } from '../../../src/journal/entry-reader.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { lookupKey } from '../../../src/journal/lookup-key.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { FactReader } from '../../../src/projections/fact-reader.ts';
import { Lookups } from '../../../src/projections/lookups.ts';
import { Projector } from '../../../src/projections/projector.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  appendOwn,
  IDENTITY,
  LOG_SEED,
  newJournal,
  openRaw,
  pullPage,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

const SIGNER = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
const NOW_ISO = '2026-06-01T00:00:00.000000+00:00';
const ENTITY = 'stigmem://acme.example/host/web1';
const ALL = { limit: 50, nowIso: NOW_ISO, includeContradicted: true };

function readerOf(t: TestContext, peer: HonestPeer): { journal: Journal; facts: FactReader } {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.close());
  pullPage(journal, peer, peer.size);
  const db = openRaw(folder);
  t.after(() => db.close());
  return { journal, facts: new FactReader(db, new EntryReader(db, SIGNER)) };
}

function values(facts: FactReader, entity = ENTITY): readonly unknown[] {
  const page = facts.query({ ...ALL, entity });
  assert.equal(page.kind, 'page');
  return page.kind === 'page' ? page.facts.map(({ entry, contradicted }) => [entry.chain_seq, contradicted]) : [];
}

test('a query finds what has just come, before the table, beside it, and behind it', (t) => {
  const peer = new HonestPeer().appendMany(3, (i) => ({ entity: ENTITY, value_v: `v${i}` }));
  const { journal, facts } = readerOf(t, peer);
  const three = [3, 2, 1].map((seq) => [seq, true]);
  assert.deepEqual(values(facts), three);
  new Projector(journal.db).advance();
  assert.deepEqual(values(facts), three, 'each once');

  peer.appendMany(2, (i) => ({ entity: ENTITY, value_v: `w${i}` }));
  pullPage(journal, peer, 2);
  const five = [5, 4, 3, 2, 1].map((seq) => [seq, true]);
  assert.deepEqual(values(facts), five);
  const page = facts.query({ ...ALL, entity: ENTITY, limit: 1 });
  assert.ok(page.kind === 'page' && page.total === 5 && page.before === 5);
  const next = facts.query({ ...ALL, entity: ENTITY, limit: 10, before: 5 });
  assert.deepEqual(next.kind === 'page' && next.facts.map(({ entry }) => entry.chain_seq), [4, 3, 2, 1]);
  const first = peer.entries[0]?.entry.cid ?? '';
  assert.equal(facts.byCid(first).kind, 'found');

  new Projector(journal.db).rebuild();
  assert.deepEqual(values(facts), five, 'the table is empty again');
});

test('what a commit would have added, and did not, is forgotten', (t) => {
  const peer = new HonestPeer().appendMany(2, (i) => ({ entity: `${ENTITY}/${i}` }));
  const { journal } = readerOf(t, peer);
  const { db } = journal;
  const lookups = new Lookups(db);
  const placesOf = (entity: string): readonly number[] => lookups.newest(lookupKey('entity', entity), 100, 10);
  const columns = db
    .prepare('SELECT * FROM entries')
    .columns()
    .map(({ name }) => name);
  const changed: Readonly<Record<string, string>> = {
    chain_seq: '3',
    feed_seq: '3',
    fact_id: "'x'",
    entity: "'undone'",
    chain_hash: 'zeroblob(32)',
  };
  const copied = columns.map((name) => changed[name] ?? name).join(', ');
  db.exec(`BEGIN; INSERT INTO entries SELECT ${copied} FROM entries WHERE chain_seq = 2`);
  assert.deepEqual(placesOf('undone'), [3]);
  db.exec('ROLLBACK');
  appendOwn(journal, 2, { entity: 'stigmem://globex.example/host/kept' });
  assert.deepEqual([placesOf('undone'), placesOf('stigmem://globex.example/host/kept')], [[], [4, 3]]);
});

test('what is made of a hidden fact, named by its CID, is hidden from its first moment on', (t) => {
  const peer = new HonestPeer().appendMany(1, () => ({ interpret_as: 'instruction' }));
  const cid = peer.entries[0]?.entry.cid ?? '';
  peer.appendMany(1, () => ({ entity: ENTITY, derived_from: [cid] }));
  const { facts } = readerOf(t, peer);
  const { changes } = facts.changes(0, 10);
  assert.deepEqual(
    changes.map(({ fact }) => fact.quarantine?.reason),
    ['instruction_inbound', 'derived_from_quarantined'],
  );
  assert.equal(facts.hiddenSource([cid]), cid);
});
