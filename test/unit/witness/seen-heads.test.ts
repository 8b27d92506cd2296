/** Heads that others show, over a real journal: a log that signs them without end fills nothing and hides nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { SeenHeads } from '../../../src/witness/seen-heads.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { NOW_MS, newJournal, pullPage, temporaryFolder } from '../../support/journal-fixture.ts';

const KNOWN = 5;
const MOST = 64;

test('of the heads of one log that cannot be joined so many are kept, and a contradiction is found all the same', (t) => {
  const peer = new HonestPeer().appendMany(KNOWN);
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  pullPage(journal, peer, KNOWN);
  peer.appendMany(MOST + 10);
  const seen = new SeenHeads(journal, new AuditReader(journal.db));
  const log = { origin: peer.origin, key: peer.signer.publicKey, nodeId: peer.nodeId };
  const show = (from: HonestPeer, size: number): string =>
    seen.show(log, { note: from.checkpoint(size) }, 'stigmem://third.example', NOW_MS).kind;
  const open = (): number => seen.openPairs(log).length;

  for (let i = 1; i <= MOST; i++) assert.equal(show(peer, KNOWN + i), 'pending');
  assert.deepEqual([show(peer, KNOWN + MOST + 1), open()], ['ignored', MOST]);
  assert.equal(show(peer, KNOWN + 1), 'known', 'one that is kept is kept once');

  const other = peer.fork(2).appendMany(KNOWN + MOST);
  assert.equal(show(other, KNOWN), 'contradiction');
  assert.equal(open(), MOST);
});
