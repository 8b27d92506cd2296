/**
 * A declaration is signed by the peer's own key, whatever it says: of names that are not the peer's own nothing is believed.
 * With another peer id in it, no evidence about the peer could be tied to it, and its log key was pinned to nothing; with the
 * name of another's log, its witness asked and judged under the wrong key.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { HostilePeer, type Listening } from '../../src/drill/hostile-peer.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { type Declaration, openDeclaration, signDeclaration } from '../../src/wire/declaration.ts';
import { decodeHello, encodeHello } from '../../src/wire/hello.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const MALLORY = 'mallory.example';
const SEED = createHash('sha256').update(`identity of ${MALLORY}`).digest();
const IDENTITY = createLogSigner(`stigmem://${MALLORY}`, SEED);

type Change = (honest: Declaration) => Omit<Declaration, 'v'>;

/** A peer that declares something else than it is, properly signed. */
async function declaring(t: TestContext, log: HonestPeer, change: Change): Promise<Listening> {
  const peer = new HostilePeer(MALLORY, {
    log,
    hello: (honest) => {
      const read = decodeHello(honest);
      assert.ok(read.ok);
      const opened = openDeclaration(read.value.declaration, { nodeId: log.nodeId, nodeKey: IDENTITY.publicKey });
      assert.ok(opened.ok);
      return [encodeHello({ ...read.value, declaration: signDeclaration(change(opened.value), IDENTITY) })];
    },
  });
  t.after(() => peer.close());
  return peer.listen();
}

async function started(t: TestContext, authority: string): Promise<MeshNode> {
  const node = await MeshNode.create(authority).then((made) => made.start());
  t.after(() => node.stop());
  return node;
}

function logOf(origin: string): Declaration['keys'][number] {
  const { publicKey } = createLogSigner(origin, SEED);
  const vkey = formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey });
  return { algorithm: 'ed25519', not_after: null, not_before: '2026-01-01T00:00:00.000000+00:00', use: 'log', vkey };
}

test('a peer that declares another peer id is refused, and nothing of it is pinned', async (t) => {
  const node = await started(t, 'globex.example');
  const log = new HonestPeer({ authority: MALLORY }).appendMany(3);
  const { nodeId, peerId, address } = await declaring(t, log, (honest) => ({ ...honest, peer_id: node.folder.peerId }));
  node.writePeer('mallory', { nodeId, peerId, addresses: [address], accept: ['public'] });
  await until('it is refused', async () => (await node.audit('peer_declaration_refused')).length > 0);
  const [refused] = await node.audit('peer_declaration_refused');
  assert.equal(refused?.reason, 'declaration_invalid');
  assert.match(String(refused?.detail['detail']), new RegExp(`peer_id: expected ${peerId}, got ${node.folder.peerId}`));
  assert.deepEqual(await node.base.writer.declarations([nodeId]), [null]);
  assert.equal(node.federation.sessions.get('mallory')?.accepted, 0);
});

test('a peer that declares the log of another as its own is refused, and the other is cosigned', async (t) => {
  const node = await started(t, 'globex.example');
  const victim = await started(t, 'hooli.example');
  const { journalOrigin } = victim.base.identity;
  const log = new HonestPeer({ authority: MALLORY }).appendMany(3);
  const { nodeId, peerId, address } = await declaring(t, log, (honest) => ({
    ...honest,
    journal_origin: journalOrigin,
    keys: [logOf(journalOrigin), ...honest.keys],
  }));
  // First in the order of names: of two that name one log, the first was asked.
  node.writePeer('a-mallory', { nodeId, peerId, addresses: [address], accept: ['public'] });
  node.writePeer('hooli', victim.asPeer({ accept: ['public'], share: ['public'] }));
  victim.writePeer('globex', node.asPeer({ share: ['public'], accept: ['public'] }, false));
  await until('it is refused', async () => (await node.audit('peer_declaration_refused')).length > 0);
  assert.equal((await node.audit('peer_declaration_refused'))[0]?.reason, 'declaration_invalid');
  await until('the other is known', async () => (await node.audit('peer_verified')).length > 0);

  await victim.assertFact('billing');
  await until('both are connected', () => victim.federation.connected(node.folder.peerId));
  await victim.federation.witness.collect();
  const state = JSON.parse((await victim.get('/v1/witness')).text) as { cosignatures: { witness: string }[] };
  assert.deepEqual(
    state.cosignatures.map(({ witness }) => witness),
    ['globex.example/witness'],
    'the log whose name was taken is cosigned',
  );
});
