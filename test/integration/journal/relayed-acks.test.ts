/** Words of erasures that go over a relay: whose they are, by which key, and that none is lost or stands in another's way. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { DisclosureRecords } from '../../../src/journal/disclosure-records.ts';
import { ErasureViews, type NamedKeys } from '../../../src/journal/erasure-views.ts';
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
import { bury } from '../../support/buried.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { appendOwn, IDENTITY, LOG_SEED, NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';
import { vkeyOf } from '../../support/relay-log.ts';
import { LATER_MS, pullRelayed, twoRelays } from '../../support/relayed-erasure.ts';

const SECRET = 'Zebrafish quorum lantern';

function opened(t: TestContext): { readonly folder: string; readonly journal: Journal } {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.db.open && journal.close());
  appendOwn(journal, 2);
  return { folder, journal };
}

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
