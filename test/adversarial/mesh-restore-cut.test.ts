/** A restored node of a mesh is killed while it takes its history back, at several points, and started again each time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NodeProcess } from '../support/node-process.ts';
import { factsOf, inJournal, RestoreMesh } from '../support/restore-mesh.ts';

const rows = (node: NodeProcess, table: string): number =>
  inJournal(node, (db) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()));

/** Size that the folder knows to be signed. */
function signedSize(node: NodeProcess): number {
  const { journal } = JSON.parse(readFileSync(join(node.dir, 'signed-heads.json'), 'utf8')) as {
    readonly journal: { readonly size: number };
  };
  return journal.size;
}

test('kill -9 once it knows what it lacks, once it has it back, once the first page came again: nothing is lost or twice', async (t) => {
  const mesh = await RestoreMesh.start(t);
  const [a, b, c] = mesh.nodes;
  const { copy, size } = await mesh.grow();
  const before = await factsOf(a);
  await a.kill();
  mesh.putBack(a, copy);
  const pages = rows(a, 'pages');

  const points: readonly (readonly [string, () => boolean])[] = [
    ['it knows what it lacks', () => signedSize(a) === size],
    ['its entries are back', () => rows(a, 'entries') === size],
    ['a page came again', () => rows(a, 'pages') > pages],
  ];
  for (const [what, isReached] of points) {
    a.launch();
    await mesh.bench.until(what, () => (isReached() ? true : undefined));
    await a.kill();
    const held = rows(a, 'entries');
    assert.ok(held === 9 || held === size, `all of the end or nothing of it, not ${held}`);
  }
  await a.start();
  await mesh.settle();
  assert.deepEqual(await factsOf(a), before);
  assert.equal((await a.audit('event_type=restored')).length, 1);
  for (const node of mesh.nodes) await mesh.write(node, 2);
  await mesh.settle();
  for (const peer of [b, c]) assert.deepEqual(await peer.audit('event_type=federation_integrity_rejected'), []);
  for (const node of mesh.nodes) await node.stop();
  for (const node of mesh.nodes) assert.deepEqual((await node.fsck()).problems, [], node.authority);
});
