/**
 * A mesh of ten: nine nodes and one peer that shows one of them another history than the rest. Rounds of gossip are started by
 * hand and counted.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HostilePeer, type Listening } from '../../../src/drill/hostile-peer.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { formatAddCheckpoint } from '../../../src/merkle/witness-body.ts';
import { judgePair } from '../../../src/verify/contradiction.ts';
import { encodeProofAnswer } from '../../../src/wire/proof.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { MeshNode } from '../../support/mesh-node.ts';
import { until } from '../../support/until.ts';

const HONEST = 9;
const MAX_ROUNDS = 2;
const COMMON = 5;

interface Case {
  readonly what: string;
  readonly authority: string;
  /** Size of the history that all but one are shown, and of the one that one is shown. */
  readonly sizes: readonly [number, number];
  readonly common: number;
  readonly reason: string;
}

const CASES: readonly Case[] = [
  { what: 'one size', authority: 'mallory.example', sizes: [8, 8], common: COMMON, reason: 'checkpoint_split_view' },
  {
    what: 'two sizes',
    authority: 'oscar.example',
    sizes: [7, 11],
    common: COMMON,
    reason: 'consistency_proof_invalid',
  },
  {
    what: 'the smaller size a power of two',
    authority: 'trudy.example',
    sizes: [8, 11],
    common: COMMON,
    reason: 'consistency_proof_invalid',
  },
];

let nodes: readonly MeshNode[];
/** Joins when everything is over. */
let late: MeshNode | undefined;
before(async () => {
  const made: MeshNode[] = [];
  for (let i = 0; i < HONEST; i++) made.push(await MeshNode.create(`n${i}.example`).then((node) => node.start()));
  nodes = made;
  for (const [i, node] of nodes.entries())
    for (const [j, other] of nodes.entries()) if (i !== j) node.writePeer(`n${j}`, other.asPeer({}, i < j));
  const ids = nodes.map(({ folder }) => folder.peerId);
  const isWhole = ({ federation, folder }: MeshNode): boolean =>
    ids.every((id) => id === folder.peerId || federation.connected(id));
  await until('the mesh is connected', () => nodes.every(isWhole));
});
after(async () => {
  for (const node of nodes ?? []) await node.stop();
});

/** Pages are signed for the one who asks. */
function nodeIdOf(peerId: string): string {
  const all = late === undefined ? nodes : [...nodes, late];
  return all.find(({ folder }) => folder.peerId === peerId)?.nodeId ?? 'stigmem://nobody.example';
}

/** Shows `odd` one history and everybody else the other, and proves to each what it shows. */
function twoFaced({ authority, sizes, common }: Case, oddPeerId: string): { peer: HostilePeer } {
  const one = new HonestPeer({ authority }).appendMany(sizes[0]);
  const other = one.fork(common).appendMany(sizes[1] - common);
  const shown = (peerId: string): HonestPeer => (peerId === oddPeerId ? other : one);
  const peer = new HostilePeer(authority, {
    log: one,
    pull: (request, _signal, peerId) => shown(peerId).answerPull(request, ['public'], {}, nodeIdOf(peerId)),
    proof: (request, peerId) => {
      // Asked about a size that it has not shown to this one, it has to answer out of the other history.
      const fits = request.kind !== 'consistency' || request.to <= shown(peerId).size;
      const log = fits && request.kind === 'consistency' ? shown(peerId) : other;
      return encodeProofAnswer(log.answerProof(request));
    },
  });
  return { peer };
}

async function sawCheckpoint(node: MeshNode, nodeId: string): Promise<boolean> {
  const progress = await node.base.writer.peerProgress(nodeId, ['public']);
  return progress.checkpoint !== null;
}

async function isSuspended(node: MeshNode, nodeId: string): Promise<boolean> {
  const progress = await node.base.writer.peerProgress(nodeId, ['public']);
  return progress.suspended !== null;
}

for (const one of CASES)
  test(`a split view between two peers is found in at most two rounds: ${one.what}`, async (t) => {
    const odd = nodes[HONEST - 1] as MeshNode;
    const { peer } = twoFaced(one, odd.folder.peerId);
    const at: Listening = await peer.listen();
    t.after(() => peer.close());
    const { nodeId, peerId, address, logKey } = at;
    const line = { nodeId, peerId, addresses: [address], logKey, accept: ['public'] };
    for (const node of nodes) node.writePeer(one.authority.split('.')[0] as string, line);
    await until('everybody has pulled', async () => {
      const seen = await Promise.all(nodes.map((node) => sawCheckpoint(node, at.nodeId)));
      return seen.every((yes) => yes);
    });
    for (const node of nodes) assert.equal(await isSuspended(node, at.nodeId), false);

    let rounds = 0;
    let suspended: readonly boolean[] = [];
    while (rounds < MAX_ROUNDS && !(suspended.length > 0 && suspended.every((yes) => yes))) {
      rounds++;
      await Promise.all(nodes.map((node) => node.federation.witness.gossipRound()));
      suspended = await Promise.all(nodes.map((node) => isSuspended(node, at.nodeId)));
    }
    t.diagnostic(`rounds until all nine have suspended it: ${rounds}`);
    assert.deepEqual(suspended, Array(HONEST).fill(true));

    for (const node of nodes) await assertEvidence(node, at.nodeId, one);
  });

async function assertEvidence(node: MeshNode, nodeId: string, { reason, authority }: Case): Promise<void> {
  const records = (await node.audit('federation_integrity_rejected')).filter(({ peer }) => peer === nodeId);
  assert.deepEqual(
    records.map((record) => [record.reason, record.detail['class'], record.detail['effect']]),
    [[reason, 'contradiction', 'suspended']],
    'recorded once',
  );
  const marks = (await node.audit('peer_suspended')).filter(({ peer }) => peer === nodeId);
  assert.deepEqual(
    marks.map((mark) => [mark.reason, mark.evidence]),
    [[reason, records[0]?.evidence]],
  );
  const detail = await node.base.reader.auditDetail(records[0]?.seq ?? 0);
  const evidence = detail?.evidence as {
    readonly kind: string;
    readonly notes: readonly [string, string];
    readonly path: readonly string[] | null;
    readonly peer: { readonly log_key: string; readonly node_id: string; readonly origin: string };
  };
  assert.ok(detail?.intact);
  assert.equal(evidence.kind, 'checkpoints');
  const log = new HonestPeer({ authority });
  assert.deepEqual(evidence.peer, {
    log_key: Buffer.from(log.signer.publicKey).toString('base64'),
    node_id: nodeId,
    origin: log.origin,
  });
  // A stranger comes to the same verdict from the file alone.
  const path = evidence.path?.map((hash) => decodeBase64(hash) ?? new Uint8Array(0)) ?? null;
  const judged = judgePair(
    { notes: evidence.notes, path },
    { nodeId, origin: evidence.peer.origin, key: decodeBase64(evidence.peer.log_key) ?? new Uint8Array(0) },
  );
  assert.deepEqual(judged, { kind: 'contradiction', reason });
}

test('a peer that finds a split view by pulling tells the others', async (t) => {
  const log = new HonestPeer({ authority: 'eve.example' }).appendMany(6);
  const fork = log.fork(3).appendMany(3);
  const [first] = nodes as [MeshNode];
  let isTurned = false;
  const peer = new HostilePeer('eve.example', {
    log,
    pull: (request, _signal, peerId) =>
      isTurned && peerId === first.folder.peerId
        ? fork.answerPull({ ...request, known_size: 0 }, ['public'], {}, nodeIdOf(peerId))
        : log.answerPull(request, ['public'], {}, nodeIdOf(peerId)),
  });
  const at = await peer.listen();
  t.after(() => peer.close());
  const { nodeId, peerId, address, logKey } = at;
  const line = { nodeId, peerId, addresses: [address], logKey, accept: ['public'] };
  for (const node of nodes) node.writePeer('eve', line);
  await until('everybody has pulled', async () => {
    const seen = await Promise.all(nodes.map((node) => sawCheckpoint(node, at.nodeId)));
    return seen.every((yes) => yes);
  });
  isTurned = true;
  first.federation.sessions.contact(at.peerId);
  await until('everybody has suspended it', async () => {
    const suspended = await Promise.all(nodes.map((node) => isSuspended(node, at.nodeId)));
    return suspended.every((yes) => yes);
  });
  for (const node of nodes.slice(1))
    await assertEvidence(node, at.nodeId, { ...CASES[0], authority: 'eve.example' } as Case);

  // Nothing that it is shown from now on contradicts what it holds: it has to be told.
  const joins = await MeshNode.create('late.example').then((node) => node.start());
  late = joins;
  t.after(() => joins.stop());
  joins.writePeer('eve', line);
  await until('it has pulled', () => sawCheckpoint(joins, at.nodeId));
  first.writePeer('late', joins.asPeer({}, true));
  joins.writePeer('n0', first.asPeer({}, false));
  await until('it is connected', () => first.federation.connected(joins.folder.peerId));
  assert.equal(await isSuspended(joins, at.nodeId), false);
  await until('it is told with a round', async () => {
    await first.federation.witness.gossipRound();
    return isSuspended(joins, at.nodeId);
  });
  await assertEvidence(joins, at.nodeId, { ...CASES[0], authority: 'eve.example' } as Case);
});

test('a head that the log does not join with ours is no proof: it is recorded once, and asked about again', async (t) => {
  const [b, c] = nodes as [MeshNode, MeshNode];
  const one = new HonestPeer({ authority: 'walter.example' }).appendMany(7);
  const other = one.fork(3).appendMany(6);
  let isSilent = true;
  const peer = new HostilePeer('walter.example', {
    log: one,
    pull: (request, _signal, peerId) =>
      (peerId === c.folder.peerId ? other : one).answerPull(request, ['public'], {}, nodeIdOf(peerId)),
    proof: (request) => (isSilent ? null : encodeProofAnswer(other.answerProof(request))),
  });
  const at = await peer.listen();
  t.after(() => peer.close());
  const { nodeId, peerId, address, logKey } = at;
  const line = { nodeId, peerId, addresses: [address], logKey, accept: ['public'] };
  for (const node of [b, c]) node.writePeer('walter', line);
  await until(
    'both have pulled',
    async () => (await sawCheckpoint(b, at.nodeId)) && (await sawCheckpoint(c, at.nodeId)),
  );
  for (let round = 0; round < 3; round++) await b.federation.witness.gossipRound();
  assert.equal(await isSuspended(b, at.nodeId), false);
  const records = (await b.audit('checkpoint_unreconciled')).filter(({ peer: of }) => of === at.nodeId);
  assert.deepEqual(
    records.map(({ detail }) => [detail['origin'], detail['seen_from']]),
    [[one.origin, c.nodeId]],
  );
  const { logs } = JSON.parse((await b.get('/v1/witness')).text);
  assert.equal(logs.find((log: { node_id: string }) => log.node_id === at.nodeId).unreconciled, 1);
  isSilent = false;
  await b.federation.witness.gossipRound();
  assert.equal(await isSuspended(b, at.nodeId), true);
});

test('while two heads are not joined, a log that asks over HTTP is told when to come again', async (t) => {
  const [b] = nodes as [MeshNode];
  const pulled = new HonestPeer({ authority: 'ute.example' }).appendMany(7);
  const cosigned = pulled.fork(3).appendMany(6);
  const peer = new HostilePeer('ute.example', {
    log: pulled,
    pull: (request, _signal, peerId) => pulled.answerPull(request, ['public'], {}, nodeIdOf(peerId)),
    proof: () => null,
  });
  const at = await peer.listen();
  t.after(() => peer.close());
  const { nodeId, peerId, address, logKey } = at;
  const line = { nodeId, peerId, addresses: [address], logKey };
  const ask = (old: number): Promise<Response> => {
    const path = (old === 0 ? [] : cosigned.consistency(old, 9)).map((hash) => decodeBase64(hash) ?? Buffer.alloc(0));
    return b.post(
      '/witness/add-checkpoint',
      formatAddCheckpoint({ oldSize: old, path, checkpoint: cosigned.checkpoint() }),
    );
  };
  // It gives nothing of that feed: what it declares is pinned, and no head of it is known.
  b.writePeer('ute', { ...line, accept: ['company'] });
  await until('its log is known', async () => (await ask(0)).status === 200);
  b.writePeer('ute', { ...line, accept: ['public'] });
  await until('it was pulled', () => sawCheckpoint(b, nodeId));
  const answer = await ask(9);
  assert.deepEqual([answer.status, await answer.text()], [503, 'unreconciled\n']);
  assert.ok(Number(answer.headers.get('retry-after')) >= 1);
});

test('nothing is told of a log to whom it is not known', async () => {
  const [b] = nodes as [MeshNode];
  const stranger = await MeshNode.create('stranger.example').then((node) => node.start());
  try {
    b.writePeer('stranger', stranger.asPeer({}, true));
    stranger.writePeer('b', b.asPeer({}, false));
    await until('they are connected', () => stranger.federation.connected(b.folder.peerId));
    await stranger.federation.witness.gossipRound();
    await b.federation.witness.gossipRound();
    const { logs } = JSON.parse((await stranger.get('/v1/witness')).text);
    assert.deepEqual(
      logs.map((log: { node_id: string; seen_size: number | null }) => [log.node_id, log.seen_size]),
      [[b.nodeId, null]],
    );
    const shown = await stranger.base.metrics.scrape();
    assert.match(shown.body, /^stigmem_peerd_gossip_heads_total 0$/m);
  } finally {
    await stranger.stop();
  }
});

test('an operator who resumes the peer is not overruled by what was judged before', async () => {
  const [first] = nodes;
  assert.ok(first !== undefined);
  const { nodeId } = new HonestPeer({ authority: 'mallory.example' });
  await first.federation.sessions.resume(nodeId, { actor: 'operator', reason: '', approves: null });
  await Promise.all(nodes.map((node) => node.federation.witness.gossipRound()));
  assert.equal(await isSuspended(first, nodeId), false);
  const records = (await first.audit('peer_suspended')).filter(({ peer }) => peer === nodeId);
  assert.equal(records.length, 1);
});
