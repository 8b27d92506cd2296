/** A peer comes back with another log key over the same history: nothing is taken until an operator has named that key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import { HostilePeer } from '../../src/drill/hostile-peer.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { MeshNode } from '../support/mesh-node.ts';
import type { PeerLine } from '../support/node-process.ts';
import { until } from '../support/until.ts';

const AUTHORITY = 'acme.example';
const PATH = '/v1/federation/peers/acme';
const ENTRIES = 4;

const vkeyOf = ({ origin, signer }: HonestPeer): string =>
  formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: signer.publicKey });

test('a changed log key waits for an operator, who has to name it; notes of both keys stay verifiable', async (t) => {
  const node = await MeshNode.create('globex.example').then((made) => made.start());
  t.after(() => node.stop());
  const before = new HonestPeer({ authority: AUTHORITY }).appendMany(ENTRIES);
  const after = new HonestPeer({ authority: AUTHORITY, logKey: 'another key' }).appendMany(ENTRIES + 2);
  const [pinned, declared] = [vkeyOf(before), vkeyOf(after)];

  const first = new HostilePeer(AUTHORITY, { log: before });
  t.after(() => first.close());
  await present(node, first);
  await until('its first key waits', async () => (await shown(node)).key_changes?.length > 0);
  assert.equal((await trust(node, declared)).status, 409, 'another key than the one declared');
  assert.equal((await trust(node, pinned)).status, 200);
  await until('the first entries are taken', async () => (await taken(node)) === ENTRIES);
  assert.equal((await trust(node, declared)).status, 404, 'nothing waits');
  await first.close();

  const second = new HostilePeer(AUTHORITY, { log: after });
  t.after(() => second.close());
  await present(node, second);
  await until('it is refused', async () => (await shown(node)).key_changes?.length > 0);
  const peer = await shown(node);
  assert.deepEqual(peer.key_changes, [{ use: 'log', pinned, declared }]);
  assert.equal(
    peer.waiting_on,
    `its log key has changed from ${pinned} to ${declared} without a succession: compare over another channel, then \`stigmem-peerd peer trust-key acme --key ${declared}\``,
  );
  assert.equal((await node.audit('peer_declaration_refused'))[0]?.reason, 'key_changed');

  const wrong = await trust(node, pinned);
  assert.equal(wrong.status, 409);
  assert.match(await wrong.text(), /key_mismatch/);
  assert.equal(await taken(node), ENTRIES, 'nothing is taken yet');
  assert.equal((await node.audit('peer_key_trusted')).length, 1, 'that of the first key');

  assert.equal((await trust(node, declared)).status, 200);
  await until('the rest is taken', async () => (await taken(node)) === ENTRIES + 2);
  assert.deepEqual((await shown(node)).key_changes, []);
  const [, record] = await node.audit('peer_key_trusted');
  const { trace_id: traceId, ...detail } = record?.detail ?? {};
  assert.match(String(traceId), /^[0-9a-f]{32}$/);
  assert.deepEqual(detail, { name: 'acme', keys: [{ use: 'log', pinned, declared }] });
  assert.notEqual(record?.actor, null);

  await node.halt();
  assert.deepEqual((await runFsck(node.folder.dir, {})).problems, []);
});

test('a file that insists on the old key is to be edited first', async (t) => {
  const node = await MeshNode.create('globex.example').then((made) => made.start());
  t.after(() => node.stop());
  const log = new HonestPeer({ authority: AUTHORITY, logKey: 'another key' }).appendMany(1);
  const peer = new HostilePeer(AUTHORITY, { log });
  t.after(() => peer.close());
  await present(node, peer, vkeyOf(new HonestPeer({ authority: AUTHORITY })));
  await until('it is refused', async () => (await node.audit('peer_declaration_refused')).length > 0);
  const refused = await trust(node, vkeyOf(log));
  assert.equal(refused.status, 409);
  assert.match(await refused.text(), /log_key_insisted.*peers\/acme\.toml/);
});

async function present(node: MeshNode, peer: HostilePeer, logKey?: string): Promise<void> {
  const { nodeId, peerId, address } = await peer.listen();
  const line: PeerLine = { nodeId, peerId, addresses: [address], accept: ['public'] };
  node.writePeer('acme', logKey === undefined ? line : { ...line, logKey });
}

async function taken(node: MeshNode): Promise<number> {
  return (await node.base.writer.stats()).entries;
}

async function shown(node: MeshNode): Promise<PeerStatus> {
  return JSON.parse((await node.get(PATH)).text);
}

function trust(node: MeshNode, logKey: string): Promise<Response> {
  const headers = { authorization: `Bearer ${node.folder.keys.admin}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ keys: [logKey] });
  return node.fetch(new Request(`http://127.0.0.1${PATH}/trust-key`, { method: 'POST', headers, body }));
}
