/** Two real nodes: what one refuses of the other is shown there, with the reason, over kill -9 of either side too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';

/** Of a witness that nobody runs. */
const WITNESS = formatVerifierKey({
  name: 'w.example/witness',
  algorithm: ALG_COSIGNATURE_V1,
  publicKey: createLogSigner('w.example/witness', new Uint8Array(32).fill(5)).publicKey,
});
const SETTINGS = ['federation.poll_interval_s=1'];

/** @returns the ids, in the order of the feed */
async function say(node: NodeProcess, count: number, from = 0): Promise<readonly string[]> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `stigmem://a.example/thing/${from + i}`,
    relation: 'test:value',
    value: { type: 'string', v: `value ${from + i}` },
    source: 'stigmem://a.example/agent/a',
    confidence: 1,
    scope: 'public',
  }));
  const { status, body } = await node.post('/v1/facts', { facts });
  assert.equal(status, 201, JSON.stringify(body));
  return (body.results as { fact: { id: string } }[]).map(({ fact }) => fact.id);
}

/** B does not know yet that A speaks for its own namespace. */
function refusing(a: NodeProcess): Parameters<NodeProcess['writePeer']>[1] {
  return { ...a.asPeer({ accept: ['public'] }), namespaces: ['elsewhere.example'] };
}

async function pair(bench: Bench): Promise<readonly [NodeProcess, NodeProcess]> {
  const [a, b] = await Promise.all(
    ['a.example', 'b.example'].map((name) => bench.node(name, SETTINGS).then((node) => node.start())),
  );
  assert.ok(a !== undefined && b !== undefined);
  a.writePeer('b', { ...b.asPeer({ share: ['public'] }), addresses: [] });
  return [a, b];
}

const refused = (a: NodeProcess, count: number) =>
  a.peerUntil('b', `refused ${count}`, ({ refused_of_ours: [group] }) => group?.refused === count);

test('what B refuses is shown at A, with reason, place and difference', async (t) => {
  const bench = new Bench(t);
  const [a, b] = await pair(bench);
  const ids = await say(a, 3);
  b.writePeer('a', refusing(a));
  await b.peerUntil('a', 'has refused', (peer) => peer.refused === 3);
  const atMs = performance.now();
  const { refused_of_ours } = await refused(a, 3);
  t.diagnostic(`${Math.round(performance.now() - atMs)} ms after the refusal`);
  assert.deepEqual(refused_of_ours, [{ feed: 'public', reason: 'source_not_owned', refused: 3, resolved: 0 }]);

  const { body } = await a.get('/v1/federation/notices?peer=b');
  const [notice] = body.notices;
  assert.deepEqual([notice.peer, notice.node_id, body.has_more], ['b', b.nodeId, false]);
  const shown = notice.entries.map((entry: { fact: { fact_id: string }; feed_seq: number }) => [
    entry.feed_seq,
    entry.fact.fact_id,
  ]);
  assert.deepEqual(shown, [
    [3, ids[2]],
    [2, ids[1]],
    [1, ids[0]],
  ]);
  const [record] = await b.audit('event_type=rejected_fact');
  assert.equal(notice.entries[2].evidence, record?.evidence);
  assert.equal(notice.entries[2].difference.field, 'source');
  assert.match(
    notice.note,
    /^stigmem-refusal\/v1\nb\.example\/journal\/[0-9a-f]{16}\nstigmem:\/\/a\.example\npublic\n/,
  );
  assert.equal((await a.get('/v1/federation/notices?peer=nobody')).status, 404);

  const cli = await bench.cli(a, ['peer', 'notices', 'b']);
  assert.match(cli, /^b refused 3 of ours because source_not_owned \(public\), the last at /);
  assert.match(await bench.cli(a, ['status']), /b refused 3 of yours because source_not_owned/);
  const [received, ...more] = await a.audit('event_type=refusal_notice_received');
  assert.deepEqual([received?.peer_id, received?.reason, more.length], [b.nodeId, 'source_not_owned', 0]);
  assert.deepEqual(received?.detail?.['places'], [3, 2, 1]);
  for (const node of [a, b]) assert.equal(await node.stop(), 0);
  for (const node of [a, b]) assert.deepEqual((await node.fsck()).problems, []);
});

test('kill -9 of either side between refusal and notice: it arrives, once', async (t) => {
  const [a, b] = await pair(new Bench(t));
  await say(a, 2);
  b.writePeer('a', refusing(a));
  await b.peerUntil('a', 'has refused', (peer) => peer.refused === 2);
  await Promise.all([a.kill(), b.kill()]);
  await Promise.all([a.start(), b.start()]);
  await refused(a, 2);
  await b.kill();
  await b.start();
  // What stands is said once more after a start. The next refusal shows that this has arrived before it.
  await say(a, 1, 2);
  await refused(a, 3);
  const events = await a.audit('event_type=refusal_notice_received');
  assert.deepEqual(
    events.map(({ detail }) => detail?.['refused']),
    [2],
    'three are not twice as many as two',
  );
  const { body } = await a.get('/v1/federation/notices');
  assert.equal(body.notices.length, 1);
});

test('a page that is refused as a whole is told too, and is over when the next one is taken', async (t) => {
  const [a, b] = await pair(new Bench(t));
  await say(a, 1);
  b.writePeer('a', { ...a.asPeer({ accept: ['public'] }), witnesses: `witness w ${WITNESS}\nquorum w` });
  const asked = ({ refused_of_ours: [group] }: { refused_of_ours: readonly { reason: string }[] }): boolean =>
    group?.reason === 'witness_quorum_unmet';
  await a.peerUntil('b', 'asks for a witness', asked);
  const atB = await b.peerUntil('a', 'is waited for', ({ last_error }) => last_error !== null);
  assert.match(atB.last_error ?? '', /witness_quorum_unmet/);
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  const { body } = await b.post('/v1/federation/peers/a/resume');
  assert.equal(body.circuit, 'closed');
  await a.peerUntil('b', 'has taken it', ({ refused_of_ours: [group] }) => group?.resolved === group?.refused);
  const [over] = await b.audit('event_type=refusal_resolved');
  const [first] = await b.audit('reason=witness_quorum_unmet');
  assert.deepEqual([over?.peer_id, over?.feed, over?.reason], [a.nodeId, 'public', 'witness_quorum_unmet']);
  assert.ok(Number(over?.detail?.['refused_by']) >= Number(first?.seq));
  assert.equal((await a.audit('event_type=refusal_notice_resolved')).length, 1);
});
