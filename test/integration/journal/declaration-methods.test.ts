/** Declarations of a peer, as the journal's thread keeps them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { declarationMethods } from '../../../src/threads/declaration-methods.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const HOUR_MS = 3_600_000;

test('a renewal that was kept while a clock was ahead puts off none', async (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const methods = declarationMethods(journal, new AuditReader(journal.db));
  const seed = new Uint8Array(32).fill(7);
  const { peerId } = await identityFromSeed(seed);
  const declared = (i: number): [string, string] => {
    const options = { declaredMs: NOW_MS + i, keysEndMs: NOW_MS + (i + 1) * HOUR_MS };
    const peer = new HonestPeer(options);
    return [peer.nodeId, peer.declaration(createLogSigner(peer.nodeId, seed), peerId)];
  };
  const [peer, first] = declared(0);
  journal.pinDeclaration(peer, first, { event: 'peer_verified', peer }, NOW_MS);
  const renew = (i: number, nowMs: number): boolean => methods.renewDeclaration(...declared(i), nowMs);
  const aheadMs = NOW_MS + 365 * 24 * HOUR_MS;
  assert.equal(renew(1, aheadMs), true);
  assert.equal(renew(2, NOW_MS), true);
  assert.equal(renew(3, NOW_MS + 1), false);
});

test('a peer that goes from one key to the other and back, for ever, is followed once an hour', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const methods = declarationMethods(journal, new AuditReader(journal.db));
  let changes = 0;
  const change = (peer: string, nowMs: number): boolean =>
    methods.followDeclaration(peer, `declaration ${changes++}`, { event: 'peer_keys_succeeded', peer }, nowMs);
  const rows = (): unknown => journal.db.prepare('SELECT count(*) FROM peer_declarations').pluck().get();
  const peer = 'stigmem://acme.example';
  for (let i = 0; i < 100; i++) assert.equal(change(peer, NOW_MS + i), i < 8);
  assert.equal(change('stigmem://hooli.example', NOW_MS), true, 'another peer');
  assert.equal(rows(), 9);
  assert.equal(change(peer, NOW_MS + HOUR_MS), true);
  assert.equal(change(peer, NOW_MS + HOUR_MS), false);
  assert.equal(change(peer, NOW_MS + 24 * HOUR_MS), true);
  assert.equal(change(peer, NOW_MS - 365 * 24 * HOUR_MS), true, 'a clock that was put back');
});
