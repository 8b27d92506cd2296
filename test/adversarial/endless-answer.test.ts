/** A peer that always has more: what an operator or a proof has decided meanwhile holds in the middle of its answers, too. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostilePeer } from '../../src/drill/hostile-peer.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { MeshNode } from '../support/mesh-node.ts';
import type { PeerLine } from '../support/node-process.ts';
import { until } from '../support/until.ts';

const AUTHORITY = 'mallory.example';
const ENTRIES = 3_000;
const PAUSE_MS = 20;
/** One that is judged, and one that waits. */
const UNDER_WAY = 2;

interface Stage {
  readonly node: MeshNode;
  readonly log: HonestPeer;
  readonly line: PeerLine;
  readonly peer: HostilePeer;
}

/** Pages of one entry, a few a second, and more behind each of them. */
async function stage(t: TestContext, accept: PeerLine['accept']): Promise<Stage> {
  const node = await MeshNode.create('globex.example').then((made) => made.start());
  t.after(() => node.stop());
  const log = new HonestPeer({ authority: AUTHORITY }).appendMany(ENTRIES);
  const peer = new HostilePeer(AUTHORITY, {
    log,
    async *pull(request) {
      for (const frame of log.answerPull({ ...request, page_entries: 1 }, ['public'])) {
        await sleep(PAUSE_MS / 4);
        yield frame;
      }
    },
  });
  t.after(() => peer.close());
  const { nodeId, peerId, address, logKey } = await peer.listen();
  const line: PeerLine = { nodeId, peerId, addresses: [address], logKey, ...(accept === undefined ? {} : { accept }) };
  node.writePeer('mallory', line);
  return { node, log, line, peer };
}

const taken = ({ node }: Stage): number => node.federation.sessions.get('mallory')?.accepted ?? 0;
const stored = async ({ node }: Stage): Promise<number> => (await node.base.writer.stats()).entries;

async function runs(stage: Stage): Promise<void> {
  await until('it is being pulled', async () => (await stored(stage)) > 5);
}

/** Nothing more is stored from now on, but what was under way. */
async function stopped(stage: Stage, before: number): Promise<void> {
  await sleep(PAUSE_MS * 20);
  const after = await stored(stage);
  assert.ok(after <= before + UNDER_WAY, `${after - before} entries were taken after that`);
  assert.ok(after < ENTRIES);
}

test('a suspension ends the pull that is under way: a third node shows a contradiction in the middle of an answer', async (t) => {
  const scene = await stage(t, ['public']);
  await runs(scene);
  const { log, node } = scene;
  const other = log.fork(ENTRIES - 1).appendMany(1);
  const known = { origin: log.origin, key: log.signer.publicKey, nodeId: log.nodeId };
  const notes = [log.checkpoint(), other.checkpoint()];
  const { kind } = await node.base.writer.judgeHeads(known, notes, null, 'stigmem://hooli.example');
  assert.equal(kind, 'contradiction');
  await stopped(scene, await stored(scene));
  await until('it is shown', () => node.federation.sessions.get('mallory')?.state === 'suspended');
  assert.equal((await node.audit('peer_suspended')).length, 1);

  // An operator takes it up again: it goes on where it stopped.
  const before = await stored(scene);
  await node.federation.sessions.resume('mallory', { actor: 'test', reason: '', approves: null });
  await until('it goes on', async () => (await stored(scene)) > before);
});

test('a grant that is taken out of the file ends the pull that is under way, and nothing is refused for it', async (t) => {
  const scene = await stage(t, ['public']);
  await runs(scene);
  const { node, line } = scene;
  node.writePeer('mallory', { ...line, accept: ['company'] });
  await until('the file is taken up', async () => (await node.audit('peer_changed')).length > 0);
  await stopped(scene, await stored(scene));
  assert.equal(node.federation.sessions.get('mallory')?.refused, 0);

  node.writePeer('mallory', { ...line, accept: ['public'] });
  const before = taken(scene);
  await until('it goes on', () => taken(scene) > before + UNDER_WAY);
});

test('an accept grant that ends in the middle of an answer: nothing is taken behind its end', async (t) => {
  const scene = await stage(t, undefined);
  const { node } = scene;
  const endMs = await runsUnderGrant(scene);
  await until('the grant has ended', () => Date.now() > endMs);
  await stopped(scene, await stored(scene));
  assert.equal(node.federation.sessions.get('mallory')?.refused, 0);
});

/** A slow machine may not get so far before a short grant is over: it is given a longer one. @returns when it ends, Unix ms */
async function runsUnderGrant(stage: Stage): Promise<number> {
  const { node, line } = stage;
  for (const spanMs of [5_000, 15_000, 40_000]) {
    const endMs = Date.now() + spanMs;
    const accept = [`{ feed = "public", not_after = ${new Date(endMs).toISOString()} }`];
    node.writePeer('mallory', { ...line, accept });
    await until('it runs, or the grant is over', async () => (await stored(stage)) > 5 || Date.now() > endMs);
    if ((await stored(stage)) > 5) return endMs;
  }
  return assert.fail('nothing was taken within 40 s');
}
