/** A node that is put back from a copy of before an erasure has the body again: it erases it once more, by what it pulls again. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runFsck } from '../../src/app.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { ask, filesIn, filesWith, pulled, SECRET, say } from '../support/tombstone-mesh.ts';
import { until } from '../support/until.ts';

const FLAGS = {
  'tombstones.undo_window_s': '0',
  'tombstones.received_window_s': '0',
  'federation.poll_interval_s': '1',
  'guard.wait_s': '60',
};

/** Behind its restore guard, which asks its partner first. */
async function startAsked(node: MeshNode): Promise<void> {
  await node.start(FLAGS, false, 'daemon');
  await until('the guard lets it go on', () => node.federation.guard.isClear);
}

/** Copies the folder of a node that is halted for it. */
async function copyOf(t: TestContext, node: MeshNode): Promise<string> {
  await node.halt();
  const copy = mkdtempSync(join(tmpdir(), 'peerd-copy-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(node.folder.dir, copy, { recursive: true });
  await startAsked(node);
  return copy;
}

async function putBack(node: MeshNode, copy: string): Promise<void> {
  await node.halt();
  rmSync(node.folder.dir, { recursive: true });
  cpSync(copy, node.folder.dir, { recursive: true });
  await startAsked(node);
}

async function pair(t: TestContext): Promise<readonly [MeshNode, MeshNode]> {
  const [a, b] = (await Promise.all(['a', 'b'].map((name) => MeshNode.create(`${name}.example`)))) as [
    MeshNode,
    MeshNode,
  ];
  for (const node of [a, b]) {
    t.after(() => node.stop());
    await node.start(FLAGS);
  }
  return [a, b];
}

/** Ports change with a restart. B reads, and nobody holds anything that it signed. */
function meet(a: MeshNode, b: MeshNode): void {
  a.writePeer('b', b.asPeer({ share: ['public'] }, false));
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
}

async function erase(a: MeshNode, factId: string): Promise<void> {
  await ask(a, '/v1/tombstones', { fact: factId, reason: 'a name' });
  await until('both have erased it', async () => {
    const { body } = await ask(a, `/v1/tombstones/${factId}`);
    return body.state === 'scrubbed' && body.peers[0].erased_at !== null;
  });
}

test('a partner is put back from a copy of before the erasure: it pulls the tombstone again, and erases again', async (t) => {
  const [a, b] = await pair(t);
  const [, secret = ''] = await say(a, ['first', SECRET, 'last']);
  meet(a, b);
  await pulled(a, b);
  const copy = await copyOf(t, b);
  meet(a, b);
  await erase(a, secret);
  for (const node of [a, b]) assert.deepEqual(filesWith(node, SECRET), [], node.nodeId);

  assert.notDeepEqual(filesIn(copy, SECRET), [], 'the old copy has it');
  await putBack(b, copy);
  meet(a, b);
  await until('it is erased again', async () => {
    const { body } = await ask(b, `/v1/tombstones/${secret}`);
    return ['scrubbed', 'told'].includes(body.state) && filesWith(b, SECRET).length === 0;
  });
  assert.equal((await ask(b, `/v1/facts/${secret}`)).status, 410);
  assert.deepEqual(await b.audit('federation_integrity_rejected'), []);
  await b.halt();
  assert.deepEqual((await runFsck(b.folder.dir, {})).problems, []);
  assert.deepEqual(filesWith(b, SECRET), []);
});

test('a page that was lost behind its restore note, and has a hole now, is taken with the hole', async (t) => {
  const [a, b] = await pair(t);
  await say(a, ['first']);
  meet(a, b);
  await pulled(a, b);
  const copy = await copyOf(t, b);
  meet(a, b);
  const [secret = ''] = await say(a, [SECRET, 'last']);
  await pulled(a, b);
  await erase(a, secret);
  await putBack(b, copy);
  meet(a, b);
  await until('the hole is passed', async () => {
    const { body } = await ask(b, '/v1/facts?relation=test:value');
    return body.facts.length === 2;
  });
  assert.deepEqual(await b.audit('federation_integrity_rejected'), []);
  for (const node of [a, b]) assert.deepEqual(filesWith(node, SECRET), [], node.nodeId);
  await b.halt();
  assert.deepEqual((await runFsck(b.folder.dir, {})).problems, []);
});

/** Both give and take, and each has an address of the other. */
function meetBothWays(a: MeshNode, b: MeshNode): void {
  const both = { share: ['public'], accept: ['public'] };
  a.writePeer('b', b.asPeer(both));
  b.writePeer('a', a.asPeer(both));
}

test('an author is put back from a copy of before its erasure: it gets its own tombstone back, and erases again', async (t) => {
  const [a, b] = await pair(t);
  const [, secret = ''] = await say(a, ['first', SECRET]);
  await say(b, ['of b']);
  meetBothWays(a, b);
  await pulled(a, b);
  await pulled(b, a);
  const copy = await copyOf(t, a);
  meetBothWays(a, b);
  await say(a, ['last']);
  await pulled(a, b);
  await erase(a, secret);
  const signed = await a.base.writer.head();

  await putBack(a, copy);
  assert.equal((await a.audit('restored')).length, 1);
  meetBothWays(a, b);
  await until('it is erased again', async () => {
    const { body } = await ask(a, `/v1/tombstones/${secret}`);
    return body.state === 'scrubbed' && filesWith(a, SECRET).length === 0;
  });
  assert.equal((await ask(a, `/v1/facts/${secret}`)).status, 410);
  assert.ok((await a.base.writer.head()).size >= signed.size);
  const [later = ''] = await say(a, ['later']);
  await pulled(a, b);
  await say(b, ['later of b']);
  await pulled(b, a);
  assert.equal((await ask(b, `/v1/facts/${later}`)).status, 200);
  for (const node of [a, b]) {
    for (const event of ['federation_integrity_rejected', 'peer_suspended', 'own_history_forked'])
      assert.deepEqual(await node.audit(event), [], `${node.nodeId} ${event}`);
    await node.halt();
    assert.deepEqual((await runFsck(node.folder.dir, {})).problems, [], node.nodeId);
    assert.deepEqual(filesWith(node, SECRET), [], node.nodeId);
  }
});
