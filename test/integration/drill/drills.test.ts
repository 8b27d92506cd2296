import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DRILL_KINDS, DRILLS, type DrillKind, type DrillRun } from '../../../src/core/drill.ts';
import { MeshNode, until } from '../../support/mesh-node.ts';

interface Answer {
  readonly run: DrillRun;
}

async function nodeOf(t: TestContext): Promise<MeshNode> {
  const node = await MeshNode.create('acme.example');
  t.after(() => node.stop());
  await node.start();
  await node.federation.decided;
  return node;
}

async function drill(node: MeshNode, kind: DrillKind): Promise<DrillRun> {
  const begun = await node.fetch(
    new Request('http://node.invalid/v1/drills', {
      method: 'POST',
      headers: { authorization: `Bearer ${node.folder.keys.admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind, reason: 'a test' }),
    }),
  );
  assert.equal(begun.status, 202);
  const { id } = ((await begun.json()) as Answer).run;
  let run: DrillRun | undefined;
  await until(`${kind} has ended`, async () => {
    run = (JSON.parse((await node.get(`/v1/drills/runs/${id}`)).text) as Answer).run;
    return run.state !== 'running';
  });
  return run as DrillRun;
}

test('each kind ends in its own refusal, and nothing is taken', async (t) => {
  const node = await nodeOf(t);
  for (const kind of DRILL_KINDS) {
    const started = performance.now();
    const run = await drill(node, kind);
    console.log(kind, Math.round(performance.now() - started), JSON.stringify(run));
    assert.equal(run.state, 'passed', JSON.stringify(run));
    assert.equal(run.seen?.reason, DRILLS[kind].reason);
  }
  assert.equal((await node.base.writer.stats()).entries, 0);
});
