/** Four nodes over loopback: cosignatures come to be, are served, and decide about pages where a policy asks for them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { witnessName } from '../../../src/core/node-id.ts';
import { checkCosignature } from '../../../src/merkle/cosignature.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, parseNote } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { runFsck } from '../../../src/node/fsck.ts';
import { MeshNode } from '../../support/mesh-node.ts';
import { until } from '../../support/until.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof NAMES)[number];

let nodes: Readonly<Record<Name, MeshNode>>;

/** A is witnessed by B and C; D pulls from A and wants both of them, E would be one that nobody knows. */
before(async () => {
  const made = await Promise.all(NAMES.map(async (name) => [name, await MeshNode.create(`${name}.example`)] as const));
  nodes = Object.fromEntries(made) as Record<Name, MeshNode>;
  const { a, b, c, d } = nodes;
  writeFileSync(join(a.folder.dir, 'policy'), policyOf(b, c));
  await a.start({ 'witness.policy_file': 'policy' });
  for (const node of [b, c, d]) await node.start();
  for (const [name, node] of [['b', b] as const, ['c', c] as const, ['d', d] as const]) {
    a.writePeer(name, node.asPeer({ share: ['public'] }, false));
    if (name !== 'd') node.writePeer('a', a.asPeer({ accept: ['public'] }));
  }
  await until('B and C are connected', () => [b, c].every(({ folder }) => a.federation.connected(folder.peerId)));
  // Before they have greeted A they cosign nothing of it, and whoever pulls before anybody has cosigned is shown what there is.
  const isWaiting = (node: MeshNode): boolean => node.federation.sessions.list()[0]?.state === 'current';
  await until('B and C wait for its facts', () => [b, c].every(isWaiting));
});
after(async () => {
  for (const node of Object.values(nodes ?? {})) await node.stop();
});

function policyOf(...witnesses: readonly MeshNode[]): string {
  const names = witnesses.map((_, i) => `w${i}`);
  const lines = witnesses.map((node, i) => node.witnessLine(`w${i}`));
  return `${lines.join('\n')}\ngroup both all ${names.join(' ')}\nquorum both\n`;
}

function hasCosigned(note: string, by: MeshNode): boolean {
  const parsed = parseNote(note);
  return (
    parsed.ok && checkCosignature(parsed.value, { name: witnessName(by.nodeId), key: by.witnessSigner.publicKey }).ok
  );
}

async function served(node: MeshNode): Promise<{ size: number; note: string }> {
  return node.base.writer.servedHead(0);
}

test('peers cosign the checkpoint soon after an append, and it is served with their lines', async () => {
  const { a, b, c } = nodes;
  await a.assertFact('s0');
  for (const node of [b, c])
    await until('the first fact is pulled', async () => (await node.base.writer.stats()).entries === 1);
  await a.assertFact('s1');
  await until('both have cosigned', async () => {
    const { size, note } = await served(a);
    return size === 2 && hasCosigned(note, b) && hasCosigned(note, c);
  });
  for (const node of [b, c])
    await until('the page was taken with its cosignatures', async () => {
      const { checkpoint } = await node.base.writer.peerProgress(a.nodeId, ['public']);
      return checkpoint !== null && hasCosigned(checkpoint.note, b) && hasCosigned(checkpoint.note, c);
    });
});

test('what operators see: the policy, who cosigned, what is held of others', async () => {
  const { a, b } = nodes;
  const ours = JSON.parse((await a.get('/v1/witness')).text);
  assert.deepEqual(ours.policy, { met: true, met_size: 2, satisfied: ['w0', 'w1'], missing: [] });
  assert.deepEqual(ours.cosignatures.map(({ witness }: { witness: string }) => witness).sort(), [
    'b.example/witness',
    'c.example/witness',
  ]);
  const theirs = JSON.parse((await b.get('/v1/witness')).text);
  assert.deepEqual(
    theirs.logs.map((log: { node_id: string; cosigned_size: number }) => [log.node_id, log.cosigned_size]),
    [[a.nodeId, 2]],
  );
  const { body } = await a.base.metrics.scrape();
  assert.match(body, /^stigmem_peerd_witness_policy_met 1$/m);
  assert.match(body, /^stigmem_peerd_witness_answers_total\{witness="b",outcome="cosigned"\} [1-9]/m);
});

test('a peer with a quorum policy takes what meets it', async () => {
  const { a, b, c, d } = nodes;
  d.writePeer('a', a.asPeer({ accept: ['public'], witnesses: policyOf(b, c) }));
  await until('D has what was there', async () => (await d.base.writer.stats()).entries === 2);
  await a.assertFact('s2');
  await until('D has what is new', async () => (await d.base.writer.stats()).entries === 3);
  assert.deepEqual(await d.audit('federation_integrity_rejected'), []);
});

test('and refuses what does not, until it does', async () => {
  const { a, b, c, d } = nodes;
  const stranger = createLogSigner('nobody.example/witness', Buffer.alloc(32, 9));
  const vkey = formatVerifierKey({ name: stranger.name, algorithm: ALG_COSIGNATURE_V1, publicKey: stranger.publicKey });
  const strict = `witness nobody ${vkey}\n${policyOf(b, c).replace('all w0 w1', 'all nobody w0 w1')}`;
  d.writePeer('a', a.asPeer({ accept: ['public'], witnesses: strict }));
  await until('the file is read', async () => (await d.audit('peer_changed')).length === 1);
  const before = (await d.base.writer.stats()).entries;
  await a.assertFact('s3');
  await until('D refuses', async () => (await d.audit('federation_integrity_rejected')).length > 0);
  const [record] = await d.audit('federation_integrity_rejected');
  assert.deepEqual([record?.reason, record?.detail['effect']], ['witness_quorum_unmet', 'backoff']);
  assert.equal((await d.base.writer.stats()).entries, before);
  assert.equal((await d.audit('peer_suspended')).length, 0);

  d.writePeer('a', a.asPeer({ accept: ['public'], witnesses: policyOf(b, c) }));
  await until('D goes on', async () => (await d.base.writer.stats()).entries === before + 1);
});

test('with a policy of its own, a node serves the newest checkpoint that meets it', async () => {
  const { a, c } = nodes;
  const before = await served(a);
  // C cosigns nothing of a peer that it has suspended.
  await c.base.writer.audit({ event: 'peer_suspended', peer: a.nodeId, reason: 'operator' });
  await a.assertFact('s4');
  await until('A knows that the newest does not meet it', async () => {
    const { policy } = JSON.parse((await a.get('/v1/witness')).text);
    return !policy.met && policy.missing.join() === 'w1';
  });
  assert.equal((await served(a)).size, before.size);
  // Whoever has verified more is not shown less.
  assert.equal((await a.base.writer.servedHead(before.size + 1)).size, before.size + 1);
  await c.base.writer.audit({ event: 'peer_resumed', peer: a.nodeId });
  await a.federation.witness.collect();
  await until('it is served', async () => (await served(a)).size === before.size + 1);
});

test('every journal is sound', async () => {
  for (const node of Object.values(nodes)) {
    const report = await runFsck(node.folder.dir, {});
    assert.deepEqual(report.problems, []);
  }
});
