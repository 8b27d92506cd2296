/** What a drill leaves alone, and who cannot pass for one. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { readPeerFile } from '../../../src/config/peer-file.ts';
import type { DrillKind, DrillRun } from '../../../src/core/drill.ts';
import { dialVictim, HostilePeer } from '../../../src/drill/hostile-peer.ts';
import type { AuditRecord } from '../../../src/journal/read-model.ts';
import type { IngestInput } from '../../../src/pull/ingest.ts';
import { factBehaviour } from '../../adversarial/fact-lies.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { MeshNode } from '../../support/mesh-node.ts';
import { until } from '../../support/until.ts';

async function nodeOf(t: TestContext, authority: string): Promise<MeshNode> {
  const node = await MeshNode.create(authority);
  t.after(() => node.stop());
  await node.start();
  await node.federation.decided;
  return node;
}

async function begin(node: MeshNode, kind: DrillKind): Promise<Response> {
  const headers = { authorization: `Bearer ${node.folder.keys.admin}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ kind, reason: 'a test' });
  return node.fetch(new Request('http://node.invalid/v1/drills', { method: 'POST', headers, body }));
}

async function drill(node: MeshNode, kind: DrillKind): Promise<DrillRun> {
  const begun = await begin(node, kind);
  assert.equal(begun.status, 202);
  const { id } = ((await begun.json()) as { run: DrillRun }).run;
  let run: DrillRun | undefined;
  await until(`${kind} has ended`, async () => {
    run = JSON.parse((await node.get(`/v1/drills/runs/${id}`)).text).run;
    return run?.state !== 'running';
  });
  return run as DrillRun;
}

async function records(node: MeshNode, filter: object = {}): Promise<readonly AuditRecord[]> {
  return (await node.base.reader.auditPage({ order: 'asc', limit: 500, ...filter })).records;
}

test('partners, what they pull and what they vouch for are left alone', async (t) => {
  const [acme, globex] = [await nodeOf(t, 'acme.example'), await nodeOf(t, 'globex.example')];
  acme.writePeer('globex', globex.asPeer({ share: ['public'], accept: ['public'] }));
  globex.writePeer('acme', acme.asPeer({ share: ['public'], accept: ['public'] }));
  await globex.assertFacts(['one', 'two']);
  await until('acme has both facts', async () => (await acme.base.writer.stats()).entries === 2);
  const told = (await records(globex)).length;
  for (const kind of ['split-view', 'rollback', 'chain-proof', 'anchor-down'] as const)
    assert.equal((await drill(acme, kind)).state, 'passed', kind);
  await globex.assertFacts(['three']);
  await until('acme goes on', async () => (await acme.base.writer.stats()).entries === 3);

  await until('acme knows that it has everything', async () => {
    const { peers } = JSON.parse((await acme.get('/v1/federation/peers')).text);
    assert.deepEqual(
      peers.map(({ name, refused }: { name: string; refused: number }) => [name, refused]),
      [['globex', 0]],
    );
    return peers[0].state === 'current';
  });
  for (const node of [acme, globex]) assert.doesNotMatch((await node.get('/v1/witness')).text, /drill-/);
  const since = (await records(globex)).slice(told).map((record) => JSON.stringify(record));
  assert.deepEqual(
    since.filter((record) => record.includes('drill-')),
    [],
  );
  const { backends } = JSON.parse((await acme.get('/v1/anchors?limit=5')).text);
  assert.deepEqual(backends.map(({ last_error }: { last_error: string | null }) => last_error).filter(Boolean), []);
});

test('one at a time, and none by who may not', async (t) => {
  const acme = await nodeOf(t, 'acme.example');
  const [first, second] = await Promise.all([begin(acme, 'rollback'), begin(acme, 'split-view')]);
  assert.deepEqual([first.status, second.status].toSorted(), [202, 409]);
  const headers = { authorization: `Bearer ${acme.folder.keys.audit}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ kind: 'rollback', reason: 'a test' });
  const refused = await acme.fetch(new Request('http://node.invalid/v1/drills', { method: 'POST', headers, body }));
  assert.equal(refused.status, 403);
});

test('a real attack beside a drill is a real attack, whatever its author calls itself', async (t) => {
  const acme = await nodeOf(t, 'acme.example');
  const behaviour = factBehaviour('cid_mismatch', 'is-drill.example');
  behaviour.log.receiver = acme.nodeId;
  const liar = new HostilePeer('drill', behaviour);
  t.after(() => liar.close());
  const { nodeId, peerId, address, logKey } = await liar.listen();
  acme.writePeer('drill', { nodeId, peerId, addresses: [address], logKey, accept: ['public'] });
  const run = await drill(acme, 'cid-mismatch');
  await until(
    'both are refused',
    async () => (await records(acme, { peer: nodeId, reason: 'cid_mismatch' })).length > 0,
  );
  for (const [peer, isDrill] of [
    [nodeId, false],
    [run.node_id, true],
  ] as const) {
    const refused = await records(acme, { peer, reason: 'cid_mismatch' });
    assert.ok(refused.length > 0 && refused.every(({ is_drill }) => is_drill === isDrill), peer);
    const { cases } = JSON.parse((await acme.get(`/v1/cases?peer_id=${encodeURIComponent(peer)}`)).text);
    assert.deepEqual(
      cases.map(({ is_drill }: { is_drill: boolean }) => is_drill),
      [isDrill],
    );
  }
  const metrics = (await acme.get('/metrics')).text.split('\n').filter((line) => /facts_refused_total\{/.test(line));
  assert.ok(metrics.some((line) => line.includes('peer="drill"') && !line.includes('drill="true"')));
  assert.ok(metrics.some((line) => line.includes('drill="true"')));
});

test('no partner may have the name of a drill', async (t) => {
  const acme = await nodeOf(t, 'acme.example');
  const globex = await nodeOf(t, 'globex.example');
  for (const nodeId of ['stigmem://drill-00.invalid', `stigmem://drill-${'0'.repeat(32)}.invalid`]) {
    acme.writePeer('liar', { ...globex.asPeer({ accept: ['public'] }), nodeId });
    const read = readPeerFile(`${acme.folder.dir}/peers/liar.toml`);
    assert.match(read.ok ? '' : (read.error[0]?.message ?? ''), /drill/);
  }
});

function honestPage(node: MeshNode, nodeId: string): IngestInput {
  const log = new HonestPeer({ authority: nodeId.replace('stigmem://', ''), startMs: Date.now() - 60_000 });
  log.receiver = node.nodeId;
  log.appendMany(3);
  return {
    peer: log.pinned(),
    feed: 'public',
    frames: log.page({ feed: 'public', after: 0 }),
    firstPage: true,
    accept: ['public'],
    nowMs: Date.now(),
    maxFutureSkewMs: 300_000,
    maxPastSkewMs: 2_592_000_000,
    maxValueBytes: 65_536,
    relay: null,
    policy: { witnesses: null, anchors: null },
  };
}

test('nothing of a drill is ever taken, true or not, also after a restart; of others it is', async (t) => {
  const acme = await nodeOf(t, 'acme.example');
  const { writer } = acme.base;
  const order = { kind: 'rollback', actor: 'a test', why: 'a test', admittedMs: 1_000 } as const;
  const { nodeId } = await writer.startDrill(order);
  assert.deepEqual(await writer.ingestPage(honestPage(acme, nodeId)), { kind: 'withheld', accepted: 3 });
  await acme.restart();
  await acme.federation.decided;
  assert.equal((await acme.base.writer.ingestPage(honestPage(acme, nodeId))).kind, 'withheld');
  assert.equal((await acme.base.writer.stats()).entries, 0);
  assert.equal((await acme.base.writer.ingestPage(honestPage(acme, 'stigmem://globex.example'))).kind, 'appended');
  await until('what was cut off is told', async () => (await records(acme, { event: 'drill_failed' })).length === 1);
  const seq = await acme.base.writer.audit({ event: 'peer_suspended', peer: nodeId, reason: 'checkpoint_rollback' });
  assert.equal((await records(acme, { peer: nodeId })).find((one) => one.seq === seq)?.is_drill, true);
});

test('the peer of a drill lets nobody in but the node that drills', async (t) => {
  const behaviour = factBehaviour('cid_mismatch', 'drill.example');
  const dials = { ...behaviour, call: dialVictim };
  const [own, stranger] = [new HostilePeer('own', dials), new HostilePeer('stranger', dials)];
  const peer = new HostilePeer('drill', behaviour);
  t.after(() => Promise.all([own, stranger, peer].map((one) => one.close())));
  const { peerId } = await own.listen();
  await stranger.listen();
  const listening = await peer.listen('127.0.0.1', null, peerId);
  const at = { ...listening, address: listening.address.replace(/\/p2p\/.*$/, '') };
  const refused = (await stranger.call(at).catch(() => null)) as Connection | null;
  await until('the stranger is out', () => refused === null || refused.status !== 'open');
  const taken = (await own.call(at)) as Connection;
  await until('this node is in', () => peer.report().connections === 1);
  assert.equal(taken.status, 'open');
});
