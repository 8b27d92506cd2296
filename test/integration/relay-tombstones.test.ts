/** A tombstone over a relay: A asserts, B relays, C has no connection to A; all three erase, and A has C's word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFsck } from '../../src/app.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { rotateKey } from '../../src/node/rotate-key.ts';
import { readDeclared } from '../../src/pull/declare.ts';
import { KEY_SUCCESSION } from '../../src/wire/succession.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { ask, filesWith, SECRET, say } from '../support/tombstone-mesh.ts';
import { until } from '../support/until.ts';

const FEED = 'from/a.example/public';
const FLAGS = {
  'tombstones.undo_window_s': '0',
  'tombstones.received_window_s': '0',
  'federation.poll_interval_s': '1',
};

/** A node as a reader knows it that has no address of it. */
function knownOf(node: MeshNode) {
  const { authority } = node.base.config;
  const { nodeId, peerId } = node.asPeer({}, false);
  const declared = readDeclared(node.base.declaration, { nodeId, peerId, authority, namespaces: [] } as never);
  assert.ok(declared.ok);
  const { origin, logKey } = declared.value.pinned;
  const vkey = formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: logKey });
  return { nodeId, peerId, addresses: [], logKey: vkey };
}

async function has(node: MeshNode, id: string): Promise<boolean> {
  return (await ask(node, `/v1/facts/${id}`)).status === 200;
}

test('a tombstone goes where its fact was relayed to, and the word of who has it there comes back', async (t) => {
  const names = ['a', 'b', 'c', 'd'] as const;
  const nodes = await Promise.all(names.map((name) => MeshNode.create(`${name}.example`)));
  for (const node of nodes) t.after(() => node.stop());
  const [a, b, c, d] = nodes as [MeshNode, MeshNode, MeshNode, MeshNode];
  for (const node of nodes) await node.start(FLAGS);
  const [first = '', secret = '', last = ''] = await say(a, ['first', SECRET, 'last']);
  a.writePeer('b', { ...b.asPeer({ share: ['public'] }, false), relay: true });
  a.writePeer('d', { ...d.asPeer({ share: ['public'] }, false), relay: true });
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  d.writePeer('a', a.asPeer({ accept: ['public'] }));
  b.writePeer('c', c.asPeer({ share: [FEED] }, false));
  d.writePeer('c', c.asPeer({ share: [FEED] }, false));
  c.writePeer('a', knownOf(a));
  c.writePeer('b', b.asPeer({ accept: [FEED] }));
  await until('C has it by B', () => has(c, secret));
  // The same fact by a second relay stands in a second page.
  c.writePeer('d', d.asPeer({ accept: [FEED] }));
  await until('C has pulled it from D too', async () => {
    const { cursors } = await c.base.writer.peerProgress(d.nodeId, [FEED]);
    return cursors[0]?.after === 3;
  });
  assert.notDeepEqual(filesWith(c, SECRET), []);

  // What C says from here on the relays have to read by another key than the one that they have met it with.
  await c.halt();
  const rotated = await rotateKey(c.folder.dir, 'log', { overlapMs: 0, actor: 'test' });
  assert.equal(rotated.kind, 'changed', JSON.stringify(rotated));
  await c.start(FLAGS);
  await ask(a, '/v1/tombstones', { fact: secret, reason: 'a name' });
  await until('A has the word of B, and by a relay that of C', async () => {
    const { body } = await ask(a, `/v1/tombstones/${secret}`);
    const direct = body.peers.filter(({ erased_at }: { erased_at: string | null }) => erased_at !== null);
    return direct.length === 2 && body.relayed.length === 1;
  });
  const { body: status } = await ask(a, `/v1/tombstones/${secret}`);
  const [word] = status.relayed;
  assert.equal(word.peer, c.nodeId);
  assert.ok([b.nodeId, d.nodeId].includes(word.relay), word.relay);
  assert.match(word.note, /^stigmem-erasure\/v1\nc\.example\/journal/);
  const relay = word.relay === b.nodeId ? b : d;
  const { body: atRelay } = await ask(relay, `/v1/tombstones/${secret}`);
  assert.deepEqual([atRelay.peers.length, atRelay.peers[0].peer, atRelay.relayed], [1, c.nodeId, []]);
  assert.equal(atRelay.peers[0].erased_at, word.erased_at);

  for (const node of nodes) {
    assert.deepEqual(filesWith(node, SECRET), [], node.nodeId);
    assert.equal((await ask(node, `/v1/facts/${secret}`)).status, 410, node.nodeId);
    assert.equal((await ask(node, `/v1/facts/${first}`)).status, 200);
    assert.equal((await ask(node, `/v1/facts/${last}/proof`)).status, 200);
    // The tombstone itself is no answer, unless it is asked for; it is proven like any other entry.
    const plain = await ask(node, '/v1/facts?scope=public');
    assert.deepEqual(
      plain.body.facts
        .map(({ relation }: { relation: string }) => relation)
        .filter((one: string) => one !== KEY_SUCCESSION),
      ['test:value', 'test:value'],
    );
    const { body: all } = await ask(node, '/v1/facts?scope=public&include_tombstones=true');
    const buried = all.facts.filter(({ relation }: { relation: string }) => relation === 'stigmem:tombstone');
    assert.equal(buried.length, 1, node.nodeId);
    assert.equal((await ask(node, `/v1/facts/${buried[0].id}/proof`)).status, 200);
    assert.equal((await ask(node, '/v1/facts?relation=stigmem:tombstone')).body.facts.length, 1);
    const recalled = await ask(node, '/v1/recall', { query: 'tombstone', scope: 'public' });
    assert.deepEqual(recalled.body.facts, []);
    assert.deepEqual(await node.audit('federation_integrity_rejected'), [], node.nodeId);
    assert.deepEqual(await node.audit('rejected_fact'), [], node.nodeId);
  }
  for (const node of nodes) {
    await node.halt();
    assert.deepEqual((await runFsck(node.folder.dir, {})).problems, [], node.nodeId);
  }
});
