import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORDS } from '../../../src/core/word-list.ts';
import { EPOCH_MS } from '../../../src/drill/peer-log.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { fingerprintWords, typedWords } from '../../../src/wire/fingerprint-words.ts';
import {
  decodeInviteAnswer,
  decodeInviteRequest,
  encodeInviteAnswer,
  encodeInviteRequest,
  type InviteSelf,
  openJoin,
  signJoin,
} from '../../../src/wire/invite.ts';
import { openPeerNote, type PeerNote, signPeerNote } from '../../../src/wire/peer-note.ts';
import { PROTOCOLS } from '../../../src/wire/protocols.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

async function noteOf(authority: string, seed: number, declaredMs: number = EPOCH_MS): Promise<string> {
  const peer = new HonestPeer({ authority, declaredMs });
  const nodeSeed = Buffer.alloc(32, seed);
  const { peerId } = await identityFromSeed(nodeSeed);
  const signer = createLogSigner(peer.nodeId, nodeSeed);
  const addresses = ['/ip4/192.0.2.1/tcp/4101'];
  return signPeerNote({ addresses, declaration: peer.declaration(signer, peerId), peer_id: peerId }, signer);
}

function opened(note: string): PeerNote {
  const read = openPeerNote(note);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

test('a peer note says who, where and with which keys; no byte of it can be changed', async () => {
  const note = await noteOf('acme.example', 1);
  const { nodeId, addresses, declaration } = opened(note);
  assert.deepEqual([nodeId, addresses], ['stigmem://acme.example', ['/ip4/192.0.2.1/tcp/4101']]);
  assert.equal(declaration.node_id, nodeId);
  for (let at = 0; at < note.length; at += 3) {
    const other = note[at] === 'A' ? 'B' : 'A';
    assert.ok(!openPeerNote(note.slice(0, at) + other + note.slice(at + 1)).ok, `byte ${at}`);
  }
});

test('a declaration of one node in the note of another is none', async () => {
  const acme = opened(await noteOf('acme.example', 1));
  const seed = Buffer.alloc(32, 2);
  const { peerId } = await identityFromSeed(seed);
  const body = { addresses: [], declaration: acme.declarationNote, peer_id: peerId };
  assert.throws(() => signPeerNote(body, createLogSigner('stigmem://acme.example', seed)), TypeError);
  assert.throws(() => signPeerNote(body, createLogSigner('stigmem://globex.example', seed)), TypeError);
});

test('twelve words of the list, the same from both sides and at another start; others for another key, node or log', async () => {
  const [acme, globex] = [opened(await noteOf('acme.example', 1)), opened(await noteOf('globex.example', 2))];
  const words = fingerprintWords(acme, globex);
  assert.equal(words.length, 12);
  assert.ok(words.every((word) => WORDS.includes(word)));
  assert.deepEqual(fingerprintWords(globex, acme), words);
  assert.deepEqual(fingerprintWords(opened(await noteOf('acme.example', 1, EPOCH_MS + 86_400_000)), globex), words);
  const others = [
    fingerprintWords(opened(await noteOf('acme.example', 3)), globex),
    fingerprintWords(opened(await noteOf('acme2.example', 1)), globex),
    fingerprintWords(acme, {
      ...globex,
      declaration: { ...globex.declaration, journal_origin: 'globex.example/journal/x' },
    }),
    fingerprintWords(acme, acme),
  ];
  assert.equal(new Set([words, ...others].map(String)).size, 5);
  assert.deepEqual(typedWords(`  ${words.join(' \n').toUpperCase()} `), words);
});

test('the words of two known nodes: they change for nobody who has written them down', async () => {
  const [acme, globex] = [opened(await noteOf('acme.example', 1)), opened(await noteOf('globex.example', 2))];
  assert.equal(fingerprintWords(acme, globex).join(' '), KNOWN_WORDS);
});

/** Made by a few lines of Python from the two declarations. */
const KNOWN_WORDS = 'include dad empty upper segment have chaos cushion goat attend today harsh';

test('2,048 different words, told apart by four letters', () => {
  assert.equal(WORDS.length, 2_048);
  assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, 2_048);
});

test('requests and answers are read back; an answer is one of two things', async () => {
  const self: InviteSelf = {
    clock_ms: EPOCH_MS,
    entries: 1_200,
    peer: await noteOf('acme.example', 1),
    protocols: PROTOCOLS,
    software: 'stigmem-peerd/0.1.0',
  };
  const request = decodeInviteRequest(encodeInviteRequest({ ...self, join: 'x' }));
  assert.deepEqual(request, { ok: true, value: { ...self, join: 'x', v: 1 } });
  for (const answer of [self, 'used', 'refused'] as const)
    assert.deepEqual(decodeInviteAnswer(encodeInviteAnswer(answer)), { ok: true, value: answer });
  const text = Buffer.from(encodeInviteAnswer(self)).toString();
  for (const bad of [text.replace('"refused":null', '"refused":"used"'), '{"refused":null,"self":null,"v":1}'])
    assert.ok(!decodeInviteAnswer(Buffer.from(bad)).ok, bad.slice(0, 40));
});

test('a join is for one code, one inviter and one note, and by the identity in it', async () => {
  const peer = await noteOf('globex.example', 2);
  const signer = createLogSigner('stigmem://globex.example', Buffer.alloc(32, 2));
  const target = { inviterPeerId: '12D3A', guestPeerId: '12D3B' };
  const join = signJoin({ ...target, peer }, signer);
  assert.ok(openJoin({ peer, join }, target).ok);
  const other = await noteOf('globex.example', 2, EPOCH_MS + 1);
  const thief = createLogSigner('stigmem://globex.example', Buffer.alloc(32, 3));
  const bad = [
    openJoin({ peer, join }, { ...target, inviterPeerId: '12D3C' }),
    openJoin({ peer, join }, { ...target, guestPeerId: '12D3C' }),
    openJoin({ peer: other, join }, target),
    openJoin({ peer, join: signJoin({ ...target, peer }, thief) }, target),
    openJoin({ peer, join: '' }, target),
  ];
  assert.deepEqual(
    bad.map(({ ok }) => ok),
    [false, false, false, false, false],
  );
});
