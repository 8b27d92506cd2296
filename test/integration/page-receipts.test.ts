/** Two real nodes: one only gives, the other only takes. Pages are acknowledged over the wire, over a restart too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, type NodeProcess } from '../support/node-process.ts';

async function say(node: NodeProcess, count: number): Promise<void> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `stigmem://giver.example/thing/${i}`,
    relation: 'test:value',
    value: { type: 'string', v: `value ${i} ${Math.random()}` },
    source: 'stigmem://giver.example/agent/a',
    confidence: 1,
    scope: 'public',
  }));
  const { status } = await node.post('/v1/facts', { facts });
  assert.ok(status === 200 || status === 201, String(status));
}

test('a peer that only takes signs for each page, and the giver shows how far', async (t) => {
  const bench = new Bench(t);
  const settings = ['federation.page_entries=10', 'federation.poll_interval_s=1'];
  const [giver, taker] = await Promise.all([
    bench.node('giver.example', settings).then((node) => node.start()),
    bench.node('taker.example', settings).then((node) => node.start()),
  ]);
  giver.writePeer('taker', { ...taker.asPeer({ share: ['public'] }), addresses: [] });
  taker.writePeer('giver', giver.asPeer({ accept: ['public'] }));
  await say(giver, 25);
  const upTo = (to: number): Promise<unknown> =>
    giver.peerUntil('taker', `has acknowledged ${to}`, ({ acknowledged }) => acknowledged[0]?.to === to);
  await upTo(25);

  const { status, body } = await giver.get('/v1/federation/peers/taker/receipts?limit=2');
  assert.deepEqual([status, body.acknowledged, body.has_more], [200, [{ feed: 'public', to: 25 }], true]);
  assert.match(
    body.receipts[0].note,
    /^stigmem-receipt\/v1\ntaker\.example\/journal\/[0-9a-f]{16}\ngiver\.example\/journal\//,
  );
  const rest = (await giver.get(`/v1/federation/peers/taker/receipts?cursor=${body.cursor}`)).body;
  assert.deepEqual(rest.receipts.map(({ to }: { to: number }) => to).at(-1), 25);
  assert.equal((await giver.get('/v1/federation/peers/nobody/receipts')).status, 404);

  assert.equal(await giver.stop(), 0);
  await giver.start();
  await say(giver, 5);
  await upTo(30);
  assert.equal(await taker.stop(), 0);
  assert.equal(await giver.stop(), 0);
  for (const node of [giver, taker]) assert.deepEqual((await node.fsck()).problems, []);
});
