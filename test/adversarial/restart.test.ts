/** Stopping, going on, and peer files that come, change, break and go while nodes run. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createTransport } from '../../src/transport/node.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { PULL_PROTOCOL, WATCH_PROTOCOL } from '../../src/wire/protocols.ts';
import { encodePullRequest } from '../../src/wire/pull-request.ts';
import { encodeWatchRequest } from '../../src/wire/watch.ts';
import { HostileProcess } from '../support/hostile-process.ts';
import { feedLines, pulledFeed } from '../support/journal-view.ts';
import { Bench, type NodeProcess, peerText, STEP_MS } from '../support/node-process.ts';
import { HALF, WHOLE } from './page-lies.ts';

/** Small pages: a pull has a middle to stop in. */
const SETTINGS = ['federation.poll_interval_s=1', 'federation.page_entries=20'];
const BATCH = 1_000;
const LIMITS = { idleMs: STEP_MS, totalMs: STEP_MS, maxFrameBytes: 1 << 22 };

async function assertFacts(node: NodeProcess, from: number, to: number): Promise<void> {
  const source = `${node.nodeId}/agent/a`;
  for (let at = from; at < to; at += BATCH) {
    const facts = Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => ({
      entity: `${node.nodeId}/thing/${at + i}`,
      relation: 'test:state',
      value: { type: 'text', v: `state ${at + i}` },
      source,
      scope: 'public',
    }));
    assert.equal((await node.post('/v1/facts', { facts })).body.stored, facts.length);
  }
}

async function twoNodes(bench: Bench): Promise<readonly [NodeProcess, NodeProcess]> {
  const [a, b] = await Promise.all([bench.node('a.example', SETTINGS), bench.node('b.example', SETTINGS)]);
  await Promise.all([a.start(), b.start()]);
  return [a, b];
}

/** Everything that a second pull of the same could have changed. */
async function sizes(node: NodeProcess, other: NodeProcess): Promise<unknown> {
  const { body } = await node.get('/v1/journal/head');
  return { head: { ...body }, pulled: pulledFeed(node.dir, other.nodeId, 'public') };
}

test('a node that stops in the middle of a pull goes on where it was', async (t) => {
  const bench = new Bench(t);
  const [a, b] = await twoNodes(bench);
  const all = 12_000;
  await assertFacts(a, 0, all);
  a.writePeer('b', b.asPeer({ share: ['public'] }));
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  await b.peerUntil('a', 'has given something', ({ accepted }) => accepted > 0);
  assert.equal(await b.stop(), 0);
  const stopped = pulledFeed(b.dir, a.nodeId, 'public');
  assert.ok(stopped.cursor > 0 && stopped.cursor < all, `it stopped at ${stopped.cursor}, which is not in the middle`);
  assert.deepEqual([stopped.accepted, stopped.held], [stopped.cursor, stopped.cursor]);

  await b.start();
  await b.peerUntil('a', 'has given everything', (now) => now.accepted === all && now.state === 'current');
  assert.deepEqual(feedLines(b.dir, 'from/a.example/public'), feedLines(a.dir, 'public'));

  const before = await sizes(b, a);
  await b.stop();
  await b.start();
  await b.peerUntil('a', 'was pulled from again', (now) => now.state === 'current' && now.last_contact_at !== null);
  assert.deepEqual(await sizes(b, a), before, 'pulling again changes nothing');

  await assertFacts(a, all, all + 1);
  await b.peerUntil('a', 'has given one more', ({ accepted }) => accepted === all + 1);
  for (const node of [a, b]) {
    assert.equal(await node.stop(), 0);
    assert.deepEqual((await node.fsck()).problems, []);
  }
});

test('peer files are followed while the nodes run', async (t) => {
  const bench = new Bench(t);
  const [a, b] = await twoNodes(bench);
  await assertFacts(a, 0, 10);
  const fromA = a.asPeer({ accept: ['public'] });

  await t.test('nothing is shared by default', async () => {
    a.writePeer('b', b.asPeer({}));
    b.writePeer('a', fromA);
    const peer = await b.peerUntil('a', 'shows nothing', ({ waiting_on }) =>
      /nothing of public from the peer so far/.test(waiting_on ?? ''),
    );
    assert.deepEqual([peer.accepted, peer.cursors[0]?.after, peer.lag_entries], [0, 0, 0]);
  });
  await t.test('a grant is followed', async () => {
    a.writePeer('b', b.asPeer({ share: ['public'] }));
    await b.peerUntil('a', 'has given 10', ({ accepted, state }) => accepted === 10 && state === 'current');
  });
  await t.test('a broken file keeps its last good version', async () => {
    b.writePeerText('a', 'accept = [ "public"');
    await bench.until('the fault is in the log', () =>
      bench.tails().includes('peer file refused') ? true : undefined,
    );
    await assertFacts(a, 10, 20);
    await b.peerUntil('a', 'has given 20', ({ accepted }) => accepted === 20);
  });
  await t.test('what is not accepted any more is not taken', async () => {
    b.writePeer('a', { ...fromA, accept: [] });
    const peer = await b.peerUntil('a', 'is not asked', ({ accept }) => accept.length === 0);
    assert.deepEqual([peer.state, peer.waiting_on], ['current', null], 'nothing is wanted, so nothing is waited for');
    await assertFacts(a, 20, 30);
    b.writePeer('a', { ...fromA, accept: ['team'] });
    await b.peerUntil('a', 'was asked for another feed', ({ waiting_on }) =>
      /nothing of team from the peer so far/.test(waiting_on ?? ''),
    );
    assert.equal(pulledFeed(b.dir, a.nodeId, 'public').held, 20);
    b.writePeer('a', fromA);
    await b.peerUntil('a', 'has given 30', ({ accepted }) => accepted === 30);
  });
  await t.test('a peer that is removed is forgotten; when it comes back its cursor is where it was', async () => {
    b.removePeer('a');
    await bench.until('the peer is gone', async () => ((await b.peer('a')) === undefined ? true : undefined));
    await assertFacts(a, 30, 40);
    b.writePeer('a', fromA);
    const peer = await b.peerUntil('a', 'has given 40', ({ accepted }) => accepted === 40);
    assert.equal(peer.cursors[0]?.after, 40);
    const events = (await b.audit('peer_id=stigmem%3A%2F%2Fa.example')).map(({ event_type }) => event_type);
    assert.deepEqual(events, [
      'peer_added',
      'peer_verified',
      'peer_changed',
      'peer_changed',
      'peer_changed',
      'peer_removed',
      'peer_added',
    ]);
  });
  await t.test('a peer that the other side has removed says so, and comes back', async () => {
    a.removePeer('b');
    await b.peerUntil('a', 'is not let in', ({ state, last_error }) => state === 'waiting' && last_error !== null);
    await bench.until('it is recorded there', async () => (await a.audit('event_type=connection_refused'))[0]);
    a.writePeer('b', b.asPeer({ share: ['public'] }));
    await assertFacts(a, 40, 50);
    await b.peerUntil('a', 'has given 50', ({ accepted }) => accepted === 50);
  });
});

test('a feed that is not granted answers like one that does not exist', async (t) => {
  const bench = new Bench(t);
  const node = await (await bench.node('a.example', SETTINGS)).start();
  await assertFacts(node, 0, 10);
  const asking = await probe(t, node);
  node.writePeerText('probe', peerText({ nodeId: 'stigmem://probe.example', peerId: asking.peerId, addresses: [] }));
  await bench.until('the probe is let in', async () => ask(asking, node, PULL_PROTOCOL, pull('public')));

  for (const known of [0, 10]) {
    const denied = await ask(asking, node, PULL_PROTOCOL, pull('public', known));
    const absent = await ask(asking, node, PULL_PROTOCOL, pull('company/no-such-thing', known));
    assert.deepEqual([denied, denied.length], [absent, 1]);
  }
  const watch = (feed: string): Promise<string[]> =>
    ask(asking, node, WATCH_PROTOCOL, encodeWatchRequest({ feeds: [feed] }), 1);
  assert.deepEqual(await watch('public'), await watch('company/no-such-thing'));
});

test('a suspended peer stays suspended over a restart, until an operator resumes it', async (t) => {
  const bench = new Bench(t);
  const name = 'checkpoint_split_view_1';
  const [victim, hostile] = await Promise.all([
    bench.node('victim.example', SETTINGS).then((node) => node.start()),
    HostileProcess.start(bench, new URL('./page-lies.ts', import.meta.url).href, [name]),
  ]);
  victim.writePeer('liar', hostile.asPeer(name));
  await victim.peerUntil('liar', 'is suspended', ({ state }) => state === 'suspended');
  assert.equal(await victim.stop(), 0);
  await victim.start();
  const peer = await victim.peerUntil('liar', 'is suspended still', ({ state }) => state !== 'pending');
  assert.deepEqual(
    [peer.state, peer.cursors[0]?.after, (await hostile.report(name)).asked['pull']],
    ['suspended', HALF, 2],
  );

  // Resumed while it still lies: it is caught again. Then it behaves.
  const resume = async (): Promise<number> => (await victim.post('/v1/federation/peers/liar/resume')).status;
  assert.equal(await resume(), 200);
  await bench.until('it is caught again', async () => (await victim.audit('event_type=peer_suspended'))[1]);
  await hostile.behave(name);
  assert.equal(await resume(), 200);
  await victim.peerUntil('liar', 'is current', ({ state, accepted }) => state === 'current' && accepted === WHOLE);
  const [resumed] = await victim.audit('event_type=peer_resumed');
  assert.match(resumed?.actor ?? '', /^agent:/);
});

async function probe(t: TestContext, node: NodeProcess): Promise<Transport> {
  const seed = createHash('sha256').update('probe').digest();
  const peer = { peerId: node.peerId, addresses: [node.address] };
  const transport = await createTransport({ seed, listen: [], allowed: () => [peer] });
  t.after(() => transport.stop({ graceMs: 0 }));
  return transport;
}

function pull(feed: string, knownSize = 0): Uint8Array {
  const bounds = { page_bytes: 1 << 20, page_entries: 100, pages: 4 };
  return encodePullRequest({ accept: ['zstd'], feeds: [{ feed, after: 0 }], known_size: knownSize, ...bounds });
}

/** The frames of an answer, at most so many, as text. */
async function ask(
  from: Transport,
  node: NodeProcess,
  protocol: string,
  body: Uint8Array,
  most = 100,
): Promise<string[]> {
  const frames: string[] = [];
  for await (const frame of from.request(node.peerId, protocol, body, LIMITS)) {
    frames.push(Buffer.from(frame).toString());
    if (frames.length === most) break;
  }
  return frames;
}
