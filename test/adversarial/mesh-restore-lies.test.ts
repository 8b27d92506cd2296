/** A restored node of a mesh, and a peer that does not give back what it kept: it garbles it, swaps it, gives nothing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { NodeProcess } from '../support/node-process.ts';
import { factsOf, RestoreMesh } from '../support/restore-mesh.ts';

interface Row {
  readonly kept_id: number;
  readonly sealed: Uint8Array;
}

/** What a stopped node keeps for others is changed; the rows as they were come back. */
function changeKept(node: NodeProcess, change: (rows: readonly Row[]) => readonly Row[]): readonly Row[] {
  const db = new Database(join(node.dir, 'journal.db'));
  try {
    const rows = db.prepare<[], Row>('SELECT kept_id, sealed FROM kept_notes ORDER BY kept_id').all();
    const set = db.prepare('UPDATE kept_notes SET sealed = ? WHERE kept_id = ?');
    for (const { kept_id, sealed } of change(rows)) set.run(sealed, kept_id);
    return rows;
  } finally {
    db.close();
  }
}

const garbled = (rows: readonly Row[]): readonly Row[] =>
  rows.map((row) => ({ ...row, sealed: Buffer.from(row.sealed).fill(7, 40, 60) }));
/** Each in the place of another one. */
const swapped = (rows: readonly Row[]): readonly Row[] =>
  rows.map((row, i) => ({ ...row, sealed: rows[(i + 1) % rows.length]?.sealed ?? row.sealed }));

async function guardDetail(mesh: RestoreMesh, node: NodeProcess): Promise<string> {
  return mesh.bench.until('the account of what is missing', async () => {
    const { body } = await node.get('/readyz');
    const check = body.checks.find(({ name }: { name: string }) => name === 'guard');
    return /held by no peer/.test(check.detail) ? (check.detail as string) : undefined;
  });
}

test('notes that are garbled or another’s: the node names what is missing, accuses nobody, and completes once they are given', async (t) => {
  const mesh = await RestoreMesh.start(t);
  const [a, , c] = mesh.nodes;
  const { copy, size } = await mesh.grow();
  const before = await factsOf(a);
  await a.kill();
  mesh.putBack(a, copy);
  await c.stop();
  const honest = changeKept(c, garbled);
  await c.start();

  await a.start();
  // 9 entries are in the copy; then come 4 facts of B, 4 of C, 4 of A.
  assert.match(await guardDetail(mesh, a), /^4 of the 12 missing entries .* leaf indexes 13–16\./);
  for (const change of [swapped, () => honest]) {
    await c.stop();
    changeKept(c, change);
    await c.start();
    if (change === swapped) assert.match(await guardDetail(mesh, a), /leaf indexes 13–16\./);
  }
  await mesh.bench.until('it is whole', async () =>
    (await a.get('/v1/journal/head')).body.size === size ? true : undefined,
  );
  assert.deepEqual(await factsOf(a), before);
  assert.deepEqual(await a.audit('event_type=own_history_forked'), []);
  await mesh.write(a, 2);
  await mesh.settle();
  for (const node of mesh.nodes) {
    assert.deepEqual(await node.audit('event_type=federation_integrity_rejected'), [], node.authority);
    await node.stop();
    assert.deepEqual((await node.fsck()).problems, [], node.authority);
  }
});
