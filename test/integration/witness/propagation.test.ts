/** With witnesses and a quorum on both sides, news travels by events alone: all timers of these nodes are a day away. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MeshNode } from '../../support/mesh-node.ts';
import { until } from '../../support/until.ts';

/** Takes some 100 ms. A page that is refused for want of cosignatures is asked for again after 15 s: that is too late. */
const DEADLINE_MS = 12_000;
const LOOK_EVERY_MS = 10;
const FACTS = 5;

let a: MeshNode;
let b: MeshNode;
let c: MeshNode;

/** B and C are A's witnesses. A serves nothing without both of them, and B takes nothing without both of them. */
before(async () => {
  [a, b, c] = await Promise.all([
    MeshNode.create('a.example'),
    MeshNode.create('b.example'),
    MeshNode.create('c.example'),
  ]);
  const policy = `${b.witnessLine('b')}\n${c.witnessLine('c')}\ngroup both all b c\nquorum both\n`;
  writeFileSync(join(a.folder.dir, 'policy'), policy);
  await a.start({ 'witness.policy_file': 'policy' });
  for (const node of [b, c]) await node.start();
  for (const node of [b, c]) a.writePeer(node.folder.nodeId.slice(10), node.asPeer({ share: ['public'] }, false));
  b.writePeer('a', a.asPeer({ accept: ['public'], witnesses: policy }));
  c.writePeer('a', a.asPeer({ accept: ['public'] }));
  await until('B and C are connected', () => [b, c].every(({ folder }) => a.federation.connected(folder.peerId)));
  await a.assertFact('first');
  await until('B has the first fact', async () => (await b.base.writer.stats()).entries === 1);
});
after(async () => {
  for (const node of [a, b, c]) await node?.stop();
});

/** Each hop by what it leaves behind, in the order in which a fact passes them. */
function hops(size: number): readonly (readonly [string, () => Promise<boolean>])[] {
  const witness = async () => JSON.parse((await a.get('/v1/witness')).text);
  return [
    ['appended and signed at A', async () => (await a.base.writer.head()).size === size],
    ['cosigned by the quorum', async () => (await witness()).policy.met_size === size],
    ['served by A', async () => (await a.base.writer.servedHead(0)).size === size],
    ['pulled by B', async () => (await b.base.writer.stats()).entries === size],
  ];
}

test('a fact passes each hop because of the one before, not because a timer came round', async (t) => {
  // A's first checkpoint may be asked for before anybody could cosign it.
  const early = (await b.audit('federation_integrity_rejected')).length;
  for (let size = 2; size <= FACTS + 1; size++) {
    const started = performance.now();
    await a.assertFact(`s${size}`);
    for (const [hop, isPassed] of hops(size)) {
      while (!(await isPassed())) {
        assert.ok(performance.now() - started < DEADLINE_MS, `fact ${size} is not ${hop} within ${DEADLINE_MS} ms`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    }
    t.diagnostic(`fact ${size}: ${(performance.now() - started).toFixed(0)} ms`);
  }
  const refused = (await b.audit('federation_integrity_rejected')).slice(early);
  assert.deepEqual(refused, [], 'nothing was asked for before it was cosigned');
});
