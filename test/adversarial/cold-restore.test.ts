/**
 * A node is killed and its folder is put back from an older copy, by people who know nothing of what was signed since.
 * Real nodes as processes; a copy is what `cp` makes of a stopped folder.
 */
import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Bench, type NodeProcess } from '../support/node-process.ts';

interface Pair {
  readonly bench: Bench;
  readonly a: NodeProcess;
  readonly b: NodeProcess;
}

/** A is pulled by B. 20 facts are there, B has them, A is stopped and copied. */
async function pairWithCopy(t: TestContext): Promise<Pair & { readonly copy: string }> {
  const bench = new Bench(t);
  const a = await bench.node('acme.example', ['guard.wait_s=30']);
  const b = await bench.node('globex.example');
  await a.start();
  await b.start();
  b.writePeer('acme', a.asPeer({ accept: ['public'] }));
  a.writePeer('globex', b.asPeer({ share: ['public'] }));
  await write(bench, a, 0, 20);
  await b.peerUntil('acme', 'has the first facts', ({ accepted }) => accepted === 20);
  assert.equal(await a.stop(), 0);
  const copy = join(bench.root, 'copy');
  cpSync(a.dir, copy, { recursive: true });
  await a.start();
  return { bench, a, b, copy };
}

async function write(bench: Bench, node: NodeProcess, from: number, count: number, scope = 'public'): Promise<void> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `${node.nodeId}/service/s${from + i}`,
    relation: 'memory:status',
    value: { type: 'text', v: `state ${from + i}` },
    source: `${node.nodeId}/agent/a1`,
    confidence: 1,
    scope,
  }));
  await bench.until(`${count} facts are written`, async () => {
    const { status } = await node.post('/v1/facts', { facts });
    return status === 201 ? true : undefined;
  });
}

function putBack({ a, bench }: Pair, copy: string, keepHeads: boolean): void {
  const heads = join(a.dir, 'signed-heads.json');
  const kept = join(bench.root, 'kept-heads.json');
  renameSync(heads, kept);
  rmSync(a.dir, { recursive: true });
  cpSync(copy, a.dir, { recursive: true });
  if (keepHeads) renameSync(kept, heads);
}

async function checkGoesOn({ bench, a, b }: Pair, total: number): Promise<void> {
  const [restored] = await a.audit('event_type=restored');
  assert.deepEqual([restored?.detail?.['from_size'], restored?.detail?.['to_size']], [20, total]);
  await write(bench, a, 1_000, 5);
  await b.peerUntil('acme', 'goes on', ({ accepted, state }) => accepted === total + 5 && state === 'current');
  assert.deepEqual(
    (await b.audit('event_type=federation_integrity_rejected')).map(({ reason }) => reason),
    [],
    'B sees one history',
  );
  await a.stop();
  await b.stop();
  for (const node of [a, b]) assert.deepEqual((await node.fsck()).problems, [], node.authority);
}

async function restoreAndGoOn(t: TestContext, keepHeads: boolean): Promise<void> {
  const { copy, ...pair } = await pairWithCopy(t);
  const { bench, a, b } = pair;
  await write(bench, a, 20, 10);
  await b.peerUntil('acme', 'has a page', ({ accepted }) => accepted === 30);
  await write(bench, a, 30, 20);
  await b.peerUntil('acme', 'has all', ({ accepted }) => accepted === 50);
  const before = (await a.get('/v1/facts?limit=100')).body;
  await a.kill();
  putBack(pair, copy, keepHeads);
  await a.start();
  assert.equal((await a.get('/v1/journal/head')).body.size, 50);
  const after = (await a.get('/v1/facts?limit=100')).body;
  assert.deepEqual(after, before, 'each fact is what it was, times and ids included');
  await checkGoesOn(pair, 50);
}

test('the whole folder put back from yesterday: the node takes its missing end from its peer and goes on', (t) =>
  restoreAndGoOn(t, false));

test('the database alone put back, beside the newest signed heads: as with the whole folder', (t) =>
  restoreAndGoOn(t, true));

test('facts that nobody may read are missing: the node says which, and neither writes nor signs', async (t) => {
  const { copy, ...pair } = await pairWithCopy(t);
  const { bench, a, b } = pair;
  await write(bench, a, 20, 10);
  await write(bench, a, 30, 2, 'local');
  await write(bench, a, 32, 10);
  await b.peerUntil('acme', 'has all', ({ accepted }) => accepted === 40);
  await a.kill();
  putBack(pair, copy, false);
  await a.start();

  const detail = await bench.until('the account of what is missing', async () => {
    const { status, body } = await a.get('/readyz');
    assert.equal(status, 503);
    const check = body.checks.find(({ name }: { name: string }) => name === 'guard');
    return /held by no peer/.test(check.detail) ? (check.detail as string) : undefined;
  });
  assert.match(detail, /2 of the 22 missing entries are held by no peer .*: leaf indexes 30–31\./);
  const written = await a.post('/v1/facts', {
    facts: [
      {
        entity: `${a.nodeId}/service/s1`,
        relation: 'memory:status',
        value: { type: 'text', v: 'new' },
        source: `${a.nodeId}/agent/a1`,
        confidence: 1,
        scope: 'public',
      },
    ],
  });
  assert.equal(written.status, 503);
  assert.match(written.body.detail, /no writes are taken now/);
  assert.equal((await a.get('/v1/facts?limit=1')).status, 200, 'reads are served');
  assert.equal((await b.audit('event_type=federation_integrity_rejected')).length, 0);
  const held = (await b.peer('acme'))?.checkpoint?.size;
  assert.equal(held, 42);
});
