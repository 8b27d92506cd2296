/**
 * A node of a mesh that pulls both ways is put back from an older copy: what it had written and what it had received since
 * is all there again, and no peer sees another history. Real nodes as processes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOf, inJournal, nameOf, RestoreMesh } from '../support/restore-mesh.ts';

test('a node that pulls from two others is put back: its own facts and all that it received come back, and it goes on', async (t) => {
  const mesh = await RestoreMesh.start(t);
  const [a, b, c] = mesh.nodes;
  for (const node of mesh.nodes) await mesh.write(node, 12);
  await mesh.settle();
  const copy = await mesh.copy(a);

  // In turns, so that own and received facts stand between each other.
  for (const count of [9, 4]) {
    for (const node of [b, a, c]) {
      await mesh.write(node, count);
      await mesh.settle();
    }
  }
  const { body: teacher } = await b.post('/v1/admin/keys', {
    name: 'teacher',
    permissions: ['write', 'instruction:write'],
  });
  await mesh.write(b, 1, { relation: 'instruction:deploy' }, teacher.secret);
  await mesh.settle();
  await mesh.write(a, 3);
  await mesh.settle();
  for (const keeper of [b, c]) await mesh.noted(a, keeper);
  const size = await mesh.shown(a);
  const before = await factsOf(a);
  const quarantined = inJournal(a, (db) => db.prepare('SELECT * FROM quarantine').all());
  assert.equal(quarantined.length, 1);

  await a.kill();
  mesh.putBack(a, copy);
  await a.start();
  assert.equal((await a.get('/v1/journal/head')).body.size, size);
  assert.deepEqual(await factsOf(a), before, 'each fact is what it was, times and ids included');
  const [restored] = await a.audit('event_type=restored');
  assert.deepEqual([restored?.detail?.['from_size'], restored?.detail?.['to_size']], [36, size]);

  for (const node of [a, b, c]) await mesh.write(node, 5);
  await mesh.settle();
  await mesh.shown(a);
  for (const node of mesh.nodes) {
    assert.deepEqual(await node.audit('event_type=federation_integrity_rejected'), [], node.authority);
    assert.deepEqual(await node.audit('event_type=peer_suspended'), [], node.authority);
  }
  const facts = (await factsOf(a)) as readonly { readonly id: string }[];
  assert.equal(new Set(facts.map(({ id }) => id)).size, facts.length, 'none twice');
  assert.deepEqual(
    inJournal(a, (db) => db.prepare('SELECT * FROM quarantine').all()),
    quarantined,
  );
  for (const peer of [b, c])
    await a.peerUntil(nameOf(peer), 'counts as before', ({ accepted }) => accepted === mesh.written(peer));
  for (const node of mesh.nodes) await node.stop();
  for (const node of mesh.nodes) {
    const { problems, notices } = await node.fsck();
    assert.deepEqual(
      [problems, notices.map(({ code }) => code).filter((code) => code.startsWith('restored'))],
      [[], []],
    );
  }
});
