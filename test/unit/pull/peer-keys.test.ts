/** Which key a peer connects with: that of its file, the one that was pinned, or the one that it has come with since. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import { EPOCH_MS } from '../../../src/drill/peer-log.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_ED25519, signEd25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { PeerKeys } from '../../../src/pull/peer-keys.ts';
import { peerIdOf } from '../../../src/transport/identity.ts';
import { openStatements } from '../../../src/verify/key-chain.ts';
import { type OpenedSuccession, signSuccession } from '../../../src/wire/succession.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const { nodeId, authority } = new HonestPeer();
const [FIRST, SECOND, OTHER] = [1, 2, 3].map((fill) => createLogSigner(nodeId, Buffer.alloc(32, fill))) as [
  LogSigner,
  LogSigner,
  LogSigner,
];
const idOf = ({ publicKey }: LogSigner): string => peerIdOf(publicKey);
const FILE = { name: 'acme', nodeId, authority, peerId: idOf(FIRST), addresses: [] } as unknown as PeerFile;

function change(from: LogSigner, to: LogSigner): readonly OpenedSuccession[] {
  const vkey = ({ publicKey }: LogSigner) => formatVerifierKey({ name: nodeId, algorithm: ALG_ED25519, publicKey });
  const at = new Date(EPOCH_MS).toISOString();
  const told = { effective_at: at, overlap_until: at, old: vkey(from), new: vkey(to), use: 'node' as const };
  const signers = { old: (text: string) => signEd25519(text, from), new: (text: string) => signEd25519(text, to) };
  return openStatements([signSuccession(nodeId, told, signers)], nodeId);
}

function keysOf(statements: readonly OpenedSuccession[]): PeerKeys {
  const keys = new PeerKeys(() => EPOCH_MS);
  keys.learn(nodeId, { statements, pinned: idOf(FIRST) });
  return keys;
}

test('a peer that has announced a key may come with either; once it came with the new one, the old one is nobody’s', () => {
  const keys = keysOf(change(FIRST, SECOND));
  const ids = () => keys.possible(FILE).map(({ peerId }) => peerId);
  assert.deepEqual(ids(), [idOf(FIRST), idOf(SECOND)]);
  assert.equal(keys.seen(FILE, idOf(FIRST)), false);
  assert.equal(keys.seen(FILE, idOf(SECOND)), true);
  assert.deepEqual(ids(), [idOf(SECOND)]);
  assert.equal(keys.seen(FILE, idOf(SECOND)), false, 'that is no news any more');
});

test('what the journal says is older than what was seen: read again, it does not bring the old key back', () => {
  const statements = change(FIRST, SECOND);
  const keys = keysOf(statements);
  keys.seen(FILE, idOf(SECOND));
  keys.learn(nodeId, { statements, pinned: idOf(FIRST) });
  assert.equal(keys.current(FILE).peerId, idOf(SECOND));
  assert.deepEqual(
    keys.possible(FILE).map(({ peerId }) => peerId),
    [idOf(SECOND)],
  );
});

test('the key of the file decides where nothing leads from it', () => {
  const keys = keysOf(change(FIRST, SECOND));
  keys.seen(FILE, idOf(SECOND));
  const edited = { ...FILE, peerId: idOf(OTHER) };
  assert.deepEqual(
    keys.possible(edited).map(({ peerId }) => peerId),
    [idOf(OTHER)],
  );
});

test('of all files at once: those of peers that never changed their key are not looked at again', () => {
  const other = { ...FILE, name: 'globex', nodeId: 'stigmem://globex.example', peerId: idOf(OTHER) };
  const files = [other, FILE];
  const keys = new PeerKeys(() => EPOCH_MS);
  const ids = (of: readonly PeerFile[] = files): readonly string[] => keys.allOf(of).map(({ peerId }) => peerId);
  assert.deepEqual(ids(), [idOf(OTHER), idOf(FIRST)]);
  assert.equal(keys.allOf(files), keys.allOf(files));
  keys.learn(nodeId, { statements: change(FIRST, SECOND), pinned: idOf(FIRST) });
  assert.deepEqual(ids(), [idOf(OTHER), idOf(FIRST), idOf(SECOND)], 'what the journal says counts at once');
  keys.seen(FILE, idOf(SECOND));
  assert.deepEqual(ids(), [idOf(OTHER), idOf(SECOND)]);
  assert.deepEqual(ids([FILE]), [idOf(SECOND)], 'as do other files');
});
