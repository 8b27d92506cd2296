/**
 * kill -9 at each durable state of an erasure, at the author and at a partner: after the restart it is finished, and neither the
 * body nor its salt is in any file. Real processes.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { inJournal } from '../support/restore-mesh.ts';

/** Between two durable states lies one commit; before the last one the write-ahead log has been cut off. */
const ROUNDS = [
  { author: 'before erasure:issued', partner: 'after erasure:received' },
  { author: 'after erasure:issued', partner: 'before erasure:erased' },
  { author: 'after erasure:erased', partner: 'after erasure:erased' },
  { author: 'before erasure:scrubbed', partner: 'before erasure:scrubbed' },
] as const;
const SETTINGS = ['tombstones.undo_window_s=0', 'tombstones.received_window_s=0', 'federation.poll_interval_s=1'];

function holding(dir: string, needle: Buffer): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    // A file that is written anew has another name until it is whole.
    if (name.endsWith('.tmp')) return [];
    if (statSync(path).isDirectory()) return holding(path, needle);
    return readFileSync(path).includes(needle) ? [name] : [];
  });
}

function saltOf(node: NodeProcess, factId: string): Buffer {
  return inJournal(
    node,
    (db) => db.prepare('SELECT salt FROM entries WHERE fact_id = ?').pluck().get(factId) as Buffer,
  );
}

test('an erasure that was killed at any step is finished after the restart', async (t) => {
  const bench = new Bench(t);
  const [a, b] = (await Promise.all([bench.node('a.example', SETTINGS), bench.node('b.example', SETTINGS)])) as [
    NodeProcess,
    NodeProcess,
  ];
  const orders = new Map([a, b].map((node) => [node, join(bench.root, `orders of ${node.authority}`)]));
  const start = (node: NodeProcess): Promise<NodeProcess> => node.start(orders.get(node) ?? null);
  await Promise.all([start(a), start(b)]);
  a.writePeer('b', b.asPeer({ share: ['public'] }));
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  const words = ROUNDS.map((_, i) => `Zebrafish-Quorum-${i}`);
  const facts = words.map((v) => ({
    entity: `${a.nodeId}/thing/${v}`,
    relation: 'test:value',
    value: { type: 'text', v },
    source: `${a.nodeId}/agent/x`,
    scope: 'public',
  }));
  const { body } = await a.post('/v1/facts', { facts });
  const ids = (body.results as { fact: { id: string } }[]).map(({ fact }) => fact.id);
  await b.peerUntil('a', 'has all', ({ accepted }) => accepted === words.length);
  const salts = ids.flatMap((id) => [a, b].map((node) => saltOf(node, id)));
  for (const word of words)
    assert.ok(
      [a, b].every((node) => holding(node.dir, Buffer.from(word)).length > 0),
      word,
    );

  for (const [i, { author, partner }] of ROUNDS.entries()) {
    writeFileSync(orders.get(a) ?? '', author);
    writeFileSync(orders.get(b) ?? '', partner);
    // Killed before it answers, as may be.
    await a.post('/v1/tombstones', { fact: ids[i], reason: 'a name' }).catch(() => null);
    for (const node of [a, b]) {
      await bench.until(`${node.authority} is killed`, () => (node.isRunning ? undefined : true));
      await start(node);
    }
    await bench.until(`round ${i}: both have erased it, and the author knows`, async () => {
      const status = await a.get(`/v1/tombstones/${ids[i]}`);
      const isDone = status.body.state === 'scrubbed' && status.body.peers[0].erased_at !== null;
      return isDone ? true : undefined;
    });
  }
  for (const node of [a, b]) await node.stop();
  for (const node of [a, b]) {
    const needles = [...words, ...words.map((word) => word.toLowerCase()), ...ids].map((text) => Buffer.from(text));
    for (const needle of [...needles, ...salts]) assert.deepEqual(holding(node.dir, needle), [], node.authority);
    const { problems } = await node.fsck();
    assert.deepEqual(problems, [], node.authority);
  }
});
