/** Erasures of facts that came by relays: every copy is found, whichever came first, and nothing comes back. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { DisclosureRecords } from '../../../src/journal/disclosure-records.ts';
import { ErasureViews, type NamedKeys } from '../../../src/journal/erasure-views.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { logLines, type NoteSignature } from '../../../src/merkle/note.ts';
import { Projector } from '../../../src/projections/projector.ts';
import { RecallIndex } from '../../../src/projections/recall-index.ts';
import { Erasing } from '../../../src/threads/erasing.ts';
import { erasureMethods } from '../../../src/threads/erasure-methods.ts';
import { relayedAckMethods } from '../../../src/threads/relayed-ack-methods.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { openStatements } from '../../../src/verify/key-chain.ts';
import { type ErasureAck, signErasureAck } from '../../../src/wire/erasure-ack.ts';
import { signSuccession } from '../../../src/wire/succession.ts';
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
import { RelayLog, vkeyOf } from '../../support/relay-log.ts';
import {
  fillRelayedErasure,
  finishErasures,
  LATER_MS,
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

interface Author {
  readonly journal: Journal;
  readonly methods: ReturnType<typeof relayedAckMethods>;
  readonly told: Omit<ErasureAck, 'receiver'>;
  readonly relay: HonestPeer;
  readonly status: (named?: NamedKeys) => readonly (readonly [string, string | null])[];
  /** When it was told, of each peer that it gave the fact to. */
  readonly partners: () => readonly (readonly [string, string | null])[];
}

/** A node whose fact is erased, which it had given to a relay. */
async function author(t: TestContext, isPermitted: boolean): Promise<Author> {
  const { journal } = opened(t);
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  const erasing = new Erasing(journal, [new Projector(journal.db), new RecallIndex(journal.db)]);
  const row = journal.erasures.bodies.row(2);
  assert.ok(row !== undefined);
  erasing.request({ fact: row.fact_id, actor: 'agent:test', reason: null, approves: null }, NOW_MS);
  while (erasing.advance(LATER_MS).steps > 0);
  const audit = new AuditReader(journal.db);
  const methods = relayedAckMethods(journal, audit, erasureMethods(journal, erasing, signer));
  const relay = new HonestPeer();
  const pin = { event: 'peer_verified', peer: relay.nodeId, detail: {} };
  journal.pinDeclaration(relay.nodeId, (await declared(relay)).declaration, pin, NOW_MS);
  const grant = { feed: 'public', not_after: null, not_before: null };
  const ledger = new DisclosureRecords(journal.db);
  const given = { peer: relay.nodeId, feed: 'public', after: 0, to: 3, treeSize: 3, grant: canonicalJson(grant) };
  journal.durably(() => ledger.save(given, [{ after: 0, to: 3 }], NOW_MS * 1000));
  const detail = { note: 'a permit', not_after: new Date(NOW_MS + 1_000).toISOString() };
  if (isPermitted) journal.audit({ event: 'relay_permit_given', peer: relay.nodeId, detail }, NOW_MS);
  const leafHash = `sha256:${Buffer.from(row.leaf_hash).toString('hex')}`;
  const told = { author: IDENTITY.nodeId, feed: 'public', feedSeq: 2, leafHash, erasedAt: '2026-01-02T00:00:00.000Z' };
  const views = new ErasureViews(journal.db);
  const status = (named: NamedKeys = {}): readonly (readonly [string, string | null])[] =>
    (views.status(row.fact_id, named)?.relayed ?? []).map(({ peer, relay: by }) => [peer, by] as const);
  const partners = (): readonly (readonly [string, string | null])[] =>
    (views.status(row.fact_id)?.peers ?? []).map(({ peer, erased_at }) => [peer, erased_at] as const);
  return { journal, methods, told, relay, status, partners };
}

async function declared(peer: HonestPeer): Promise<{ readonly declaration: string }> {
  const seed = sha256(`identity of ${peer.authority}`);
  const { peerId } = await identityFromSeed(seed);
  return { declaration: peer.declaration(createLogSigner(peer.nodeId, seed), peerId) };
}

test('a relay brings the word of others, each once, and none that is not signed, not of a fact that it was given, or its own', async (t) => {
  const { methods, told, relay, status, journal } = await author(t, true);
  const reader = new HonestPeer({ authority: 'umbrella.example', journal: '00000000000000ee' });
  const { declaration } = await declared(reader);
  const other = new HonestPeer({ authority: 'hooli.example', journal: '00000000000000dd' });
  const give = (note: string, of = declaration, from = relay.nodeId): number =>
    methods.takeRelayedAcks(from, [{ declaration: of, note }], NOW_MS).taken;
  give(signErasureAck(told, other.signer));
  give(signErasureAck({ ...told, feedSeq: 1 }, reader.signer));
  give(signErasureAck({ ...told, leafHash: `sha256:${'0'.repeat(64)}` }, reader.signer));
  give(signErasureAck({ ...told, author: reader.nodeId }, reader.signer));
  give(signErasureAck(told, reader.signer), 'no declaration');
  give(signErasureAck(told, relay.signer), (await declared(relay)).declaration);
  assert.equal(give(signErasureAck(told, reader.signer), declaration, other.nodeId), 0, 'of no key of which is known');
  assert.deepEqual(status(), []);
  assert.equal(give(signErasureAck(told, reader.signer)), 1);
  give(signErasureAck({ ...told, erasedAt: '2026-01-03T00:00:00.000Z' }, reader.signer));
  assert.deepEqual(status(), [[reader.nodeId, relay.nodeId]]);
  // Of a node that is known here the pinned key decides, whatever a relay shows.
  const pin = { event: 'peer_verified', peer: other.nodeId, detail: {} };
  journal.pinDeclaration(other.nodeId, (await declared(other)).declaration, pin, NOW_MS);
  const forged = new HonestPeer({ authority: 'hooli.example', journal: '00000000000000ff' });
  give(signErasureAck(told, forged.signer), (await declared(forged)).declaration);
  assert.equal(status().length, 1);
});

test('who never had a permit to relay has relayed nothing', async (t) => {
  const { methods, told, relay, status } = await author(t, false);
  const reader = new HonestPeer({ authority: 'umbrella.example', journal: '00000000000000ee' });
  const { declaration } = await declared(reader);
  methods.takeRelayedAcks(relay.nodeId, [{ declaration, note: signErasureAck(told, reader.signer) }], NOW_MS);
  assert.deepEqual(status(), []);
});

test('of one relay no more than 256 are kept', async (t) => {
  const { methods, told, relay, status } = await author(t, true);
  const readers = Array.from(
    { length: 258 },
    (_, i) => new HonestPeer({ authority: `r${i}.example`, journal: '00000000000000ee' }),
  );
  const acks = await Promise.all(
    readers.map(async (reader) => ({ ...(await declared(reader)), note: signErasureAck(told, reader.signer) })),
  );
  assert.equal(methods.takeRelayedAcks(relay.nodeId, acks, NOW_MS).taken, 258);
  assert.equal(status().length, 256);
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

/** A node before and after it has changed its log key, with the statement of that. */
function rotated(authority: string) {
  const options = { authority, journal: '00000000000000dd' };
  const [old, next] = [new HonestPeer(options), new HonestPeer({ ...options, logKey: 'the next one' })];
  const note = signSuccession(
    old.nodeId,
    {
      use: 'log',
      old: vkeyOf(old),
      new: vkeyOf(next),
      effective_at: '2026-01-01T00:00:00Z',
      overlap_until: '2026-01-01T00:00:00Z',
    },
    { old: (text) => signLine(text, old), new: (text) => signLine(text, next) },
  );
  return { old, next, statements: openStatements([note], old.nodeId) };
}

function signLine(text: string, { signer }: HonestPeer): NoteSignature {
  const [line] = logLines(text, signer);
  assert.ok(line !== undefined);
  return line;
}

async function pin(journal: Journal, peer: HonestPeer): Promise<void> {
  const record = { event: 'peer_verified', peer: peer.nodeId, detail: {} };
  journal.pinDeclaration(peer.nodeId, (await declared(peer)).declaration, record, NOW_MS);
}

test('the word of a node that has changed its key waits for its greeting at the relay', async (t) => {
  const { journal } = opened(t);
  const { old, next } = rotated('hooli.example');
  const { first, secret } = twoRelays(SECRET);
  pullRelayed(journal, first);
  first.pass(bury(first.origin, secret));
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  const erasing = new Erasing(journal, [new Projector(journal.db), new RecallIndex(journal.db)]);
  const methods = relayedAckMethods(journal, new AuditReader(journal.db), erasureMethods(journal, erasing, signer));
  await pin(journal, old);
  const leafHash = `sha256:${Buffer.from(secret.leaf).toString('hex')}`;
  const told = { author: first.origin.nodeId, feed: 'public', feedSeq: secret.feedSeq, leafHash };
  const note = (by: HonestPeer) => ({
    declaration: null,
    note: signErasureAck({ ...told, erasedAt: '2026-01-02T00:00:00.000Z' }, by.signer),
  });
  const taken = (...acks: { declaration: null; note: string }[]): number =>
    methods.takeRelayedAcks(old.nodeId, acks, NOW_MS).taken;
  assert.equal(taken(note(old), note(next), note(old)), 1);
  await pin(journal, next);
  assert.equal(taken(note(next)), 1);
});

test('the author follows a succession to the word of a node that has changed its key, also one that it hears of later', async (t) => {
  const { methods, told, relay, status, journal } = await author(t, true);
  const { old, next, statements } = rotated('hooli.example');
  await pin(journal, old);
  const { declaration } = await declared(next);
  const ack = { declaration, note: signErasureAck(told, next.signer) };
  assert.equal(methods.takeRelayedAcks(relay.nodeId, [ack], NOW_MS).taken, 1);
  assert.deepEqual(status(), [], 'the pinned key has not signed it');
  journal.saveSuccessions(statements, NOW_MS);
  assert.deepEqual(status(), [[old.nodeId, relay.nodeId]]);
});

test('what one relay forges stands in the way of no other, and is no word of a partner', async (t) => {
  const { methods, told, relay, status, partners, journal } = await author(t, true);
  const { old: reader, next: forger } = rotated('hooli.example');
  const second = new HonestPeer({ authority: 'umbrella.example', journal: '00000000000000ee' });
  await pin(journal, second);
  const grant = canonicalJson({ feed: 'public', not_after: null, not_before: null });
  const given = { feed: 'public', after: 0, to: 3, treeSize: 3, grant };
  const ledger = new DisclosureRecords(journal.db);
  journal.durably(() => {
    for (const { nodeId } of [second, reader])
      ledger.save({ ...given, peer: nodeId }, [{ after: 0, to: 3 }], NOW_MS * 1000);
  });
  const detail = { note: 'a permit', not_after: new Date(NOW_MS + 1_000).toISOString() };
  journal.audit({ event: 'relay_permit_given', peer: second.nodeId, detail }, NOW_MS);
  const give = async (by: HonestPeer, signer: HonestPeer): Promise<void> => {
    const { declaration } = await declared(signer);
    methods.takeRelayedAcks(by.nodeId, [{ declaration, note: signErasureAck(told, signer.signer) }], NOW_MS);
  };
  await give(relay, forger);
  assert.deepEqual(status(), [[reader.nodeId, relay.nodeId]], 'as the word of the relay');
  assert.ok(partners().every(([, erasedAt]) => erasedAt === null));
  assert.deepEqual(status({ [reader.nodeId]: vkeyOf(reader) }), [], 'the file names another key');
  await give(second, reader);
  assert.deepEqual(status({ [reader.nodeId]: vkeyOf(reader) }), [[reader.nodeId, second.nodeId]]);
  await pin(journal, reader);
  assert.deepEqual(status(), [[reader.nodeId, second.nodeId]]);
  assert.deepEqual(
    partners().find(([peer]) => peer === reader.nodeId),
    [reader.nodeId, told.erasedAt],
  );
});
