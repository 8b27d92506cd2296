/** Two persons over the API of a running node: a suspended peer is taken up again only when another key approves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openKeyStore } from '../../src/admin/keys.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const PATH = '/v1/federation/peers/acme/resume';
const PEER = 'stigmem://acme.example';

test('a suspended peer is taken up again when a second person approves; of two approvals in a race one counts', async (t) => {
  const node = await MeshNode.create('globex.example').then((made) =>
    made.start({ 'review.four_eyes': 'peer.resume' }),
  );
  t.after(() => node.stop());
  const other = await MeshNode.create('acme.example');
  t.after(() => other.stop());
  const { nodeId, peerId } = other.folder;
  node.writePeer('acme', { nodeId, peerId, addresses: ['/ip4/127.0.0.1/tcp/9'], accept: ['public'] });
  const keys = openKeyStore(dataPaths(node.folder.dir).apiKeys);
  const second = ['bob', 'eve'].map((name) => keys.create({ name, permissions: ['admin'] }, Date.now()).secret);
  const [bob = '', eve = ''] = second;
  const ann = node.folder.keys.admin;
  await node.base.writer.audit({ event: 'peer_suspended', reason: 'feed_gap', peer: PEER });
  await until('it is suspended', async () => {
    await node.federation.sessions.refresh(PEER);
    return node.federation.sessions.get('acme')?.state === 'suspended';
  });

  const withoutReason = await post(node, PATH, ann, {});
  assert.equal(withoutReason.status, 422);
  const proposed = await post(node, PATH, ann, { reason: 'they restored the wrong copy' });
  assert.equal(proposed.status, 202);
  const { id } = proposed.body.proposal;
  assert.equal(node.federation.sessions.get('acme')?.state, 'suspended');
  const list = JSON.parse((await node.get('/v1/approvals')).text);
  assert.deepEqual(list.four_eyes, ['peer.resume']);
  assert.equal(list.proposals[0].id, id);

  const approve = `/v1/approvals/${id}/approve`;
  const own = await post(node, approve, ann, { reason: 'me again' });
  assert.equal(own.status, 403);
  assert.equal(own.body.detail.code, 'same_actor');
  assert.equal((await post(node, approve, node.folder.keys.ro, { reason: 'may only read' })).status, 403);
  assert.equal((await node.audit('peer_resumed')).length, 0);

  const race = await Promise.all([bob, eve].map((key) => post(node, approve, key, { reason: 'compared' })));
  assert.deepEqual(race.map(({ status }) => status).sort(), [200, 409]);
  const [record] = await node.audit('peer_resumed');
  assert.equal(record?.detail['proposal'], id);
  assert.match(String(record?.detail['proposed_by']), /^agent:admin#/);
  assert.match(String(record?.actor), /^agent:(bob|eve)#/);
  assert.equal((await node.audit('peer_resumed')).length, 1);
  await until('it is pulled again', () => node.federation.sessions.get('acme')?.state !== 'suspended');

  const tried = await post(node, PATH, ann, {});
  assert.equal(tried.status, 200, 'a peer that is not suspended is tried at once by one person');
});

test('a proposal is withdrawn or rejected with a reason; an unknown one is not there', async (t) => {
  const node = await MeshNode.create('globex.example').then((made) =>
    made.start({ 'review.four_eyes': 'peer.resume' }),
  );
  t.after(() => node.stop());
  const other = await MeshNode.create('acme.example');
  t.after(() => other.stop());
  const { nodeId, peerId } = other.folder;
  node.writePeer('acme', { nodeId, peerId, addresses: [], accept: ['public'] });
  const ann = node.folder.keys.admin;
  await node.base.writer.audit({ event: 'peer_suspended', reason: 'feed_gap', peer: PEER });
  await until('the peer is there', () => node.federation.sessions.get('acme') !== undefined);

  const { id } = (await post(node, PATH, ann, { reason: 'once' })).body.proposal;
  assert.equal((await post(node, PATH, ann, { reason: 'twice' })).body.detail.code, 'already_proposed');
  assert.equal((await post(node, `/v1/approvals/${id}/withdraw`, ann, {})).status, 422);
  const withdrawn = await post(node, `/v1/approvals/${id}/withdraw`, ann, { reason: 'a mistake' });
  assert.equal(withdrawn.body.state, 'withdrawn');
  assert.equal((await post(node, `/v1/approvals/${id}/approve`, ann, { reason: 'x' })).status, 409);
  for (const unknown of ['999', 'x', '-1'])
    assert.equal((await post(node, `/v1/approvals/${unknown}/approve`, ann, { reason: 'x' })).status, 404);
});

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  readonly body: any;
}

async function post(node: MeshNode, path: string, key: string, body: object): Promise<Answered> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const request = new Request(`http://127.0.0.1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const response = await node.fetch(request);
  return { status: response.status, body: JSON.parse(await response.text()) };
}
