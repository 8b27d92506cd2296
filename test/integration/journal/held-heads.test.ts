/** What a node that was put back is told of its own log: every head that left it, however it came here. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { HeldPages } from '../../../src/journal/held-pages.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

/** A journal that has pinned the peer and verified its first three entries. */
async function pinned(t: TestContext, peer: HonestPeer): Promise<Journal> {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const seed = createHash('sha256').update('node key').digest();
  const { peerId } = await identityFromSeed(seed);
  const note = peer.declaration(createLogSigner(peer.nodeId, seed), peerId);
  journal.pinDeclaration(peer.nodeId, note, { event: 'peer_verified', peer: peer.nodeId }, NOW_MS);
  journal.durably(() => journal.peers.saveCheckpoint(peer.nodeId, peer.known(3), NOW_MS * 1000));
  return journal;
}

test('a head that was cosigned, or shown by a third node, counts as one that came with a page', async (t) => {
  const peer = new HonestPeer().appendMany(7);
  const journal = await pinned(t, peer);
  const held = new HeldPages(journal.db);
  assert.equal(held.checkpoint(peer.nodeId), peer.checkpoint(3));

  journal.durably(() => journal.witness.saveCosigned(peer.origin, peer.known(5), NOW_MS * 1000));
  assert.equal(held.checkpoint(peer.nodeId), peer.checkpoint(5));

  journal.durably(() => journal.witness.saveSeen(peer.origin, peer.known(7), 'stigmem://hooli.example', NOW_MS * 1000));
  assert.equal(held.checkpoint(peer.nodeId), peer.checkpoint(7));
});

test('of a peer that nothing is held of, no head is told', async (t) => {
  const journal = await pinned(t, new HonestPeer().appendMany(3));
  assert.equal(new HeldPages(journal.db).checkpoint('stigmem://hooli.example'), null);
});
