/** Permits to relay, as the journal's thread takes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { relayMethods } from '../../../src/threads/relay-methods.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { signRelayPermit } from '../../../src/wire/relay-permit.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { IDENTITY, LOG_SEED, NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const HOUR_MS = 3_600_000;

test('a peer that signs another permit whenever it is asked costs one record in an hour', async (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const [peer, seed] = [new HonestPeer(), new Uint8Array(32).fill(7)];
  const { peerId } = await identityFromSeed(seed);
  const declared = peer.declaration(createLogSigner(peer.nodeId, seed), peerId);
  journal.pinDeclaration(peer.nodeId, declared, { event: 'peer_verified', peer: peer.nodeId }, NOW_MS);
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  const audit = new AuditReader(journal.db);
  const methods = relayMethods(journal, audit, signer);
  const take = (nowMs: number, i: number): void => {
    const issuedAt = new Date(NOW_MS - i * 1_000).toISOString();
    const notAfter = new Date(NOW_MS + 24 * HOUR_MS).toISOString();
    const note = signRelayPermit({ relay: IDENTITY.nodeId, issuedAt, notAfter }, peer.signer);
    assert.deepEqual(methods.takePermit(peer.nodeId, note, nowMs), {
      kind: 'taken',
      feed: 'from/acme.example/public',
      permit: { note, notAfterMs: Date.parse(notAfter) },
    });
  };
  const records = (): number => audit.page({ event: 'relay_permitted', order: 'asc', limit: 100 }).records.length;
  for (let i = 0; i < 30; i++) take(NOW_MS + i, i);
  assert.equal(records(), 1);
  take(NOW_MS + HOUR_MS, 31);
  assert.equal(records(), 2);
  assert.equal(methods.heldPermits(NOW_MS + HOUR_MS).length, 2);

  const aheadMs = NOW_MS + 365 * 24 * HOUR_MS;
  const permit = (i: number): string => {
    const [issuedAt, notAfter] = [new Date(aheadMs - i).toISOString(), new Date(aheadMs + 24 * HOUR_MS).toISOString()];
    return signRelayPermit({ relay: IDENTITY.nodeId, issuedAt, notAfter }, peer.signer);
  };
  methods.takePermit(peer.nodeId, permit(1), aheadMs);
  assert.equal(records(), 3);
  take(NOW_MS + 2 * HOUR_MS, 32);
  assert.equal(records(), 4, 'what a wrong clock has dated ahead puts none off');
});
