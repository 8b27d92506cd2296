/** A whole node and the real Rekor: an outage during 10,000 writes, and kills between a submission and the record of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { startRekorV1 } from './programs/rekor-v1.ts';
import { startRekorV2 } from './programs/rekor-v2.ts';
import { serveFolder } from './programs/static-files.ts';
import type { TrustedRootJson } from './programs/trusted-root.ts';

const BATCH_FACTS = 100;
const WRITES_BEFORE = 5_000;
const WRITES_DOWN = 10_000;
const KILLS = 3;

interface Anchor {
  readonly id: number;
  readonly log: string;
  readonly status: string;
  readonly receipts: readonly { readonly log_index: number; readonly leaf_hash: string }[];
}

async function nodeWith(
  bench: Bench,
  url: string,
  root: TrustedRootJson,
  more: readonly string[],
): Promise<NodeProcess> {
  const trustRoot = join(bench.root, 'trusted_root.json');
  writeFileSync(trustRoot, JSON.stringify(root));
  const anchor = { backends: 'rekor', rekor_url: url, rekor_trust_root: trustRoot, max_age_s: 1, retry_s: 1 };
  const settings = Object.entries(anchor).map(([key, value]) => `anchor.${key}=${value}`);
  return bench.node('acme.example', [...settings, ...more]);
}

let written = 0;

/** Milliseconds for each batch. */
async function write(node: NodeProcess, facts: number): Promise<number[]> {
  const times: number[] = [];
  for (let done = 0; done < facts; done += BATCH_FACTS) {
    const batch = Array.from({ length: BATCH_FACTS }, () => ({
      entity: `stigmem://acme.example/thing/${++written}`,
      relation: 'memory:status',
      value: { type: 'text', v: `state ${written}` },
      source: 'stigmem://acme.example/agent/a1',
      scope: 'public',
      confidence: 1,
    }));
    const started = performance.now();
    const { status, body } = await node.post('/v1/facts', { facts: batch });
    assert.equal(status, 201, JSON.stringify(body).slice(0, 300));
    times.push(performance.now() - started);
  }
  return times;
}

async function anchorsOf(node: NodeProcess): Promise<Anchor[]> {
  const found: Anchor[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await node.get(`/v1/anchors?limit=500${cursor}`);
    found.push(...(body.anchors as Anchor[]));
    if (body.cursor === null) return found.reverse();
    cursor = `&cursor=${body.cursor}`;
  }
}

/** Waits until nothing waits for the log. */
function submitted(bench: Bench, node: NodeProcess): Promise<true> {
  return bench.until('every checkpoint is in the log', async () => {
    await node.post('/v1/anchors/retry');
    const { body } = await node.get('/v1/anchors?limit=1');
    return body.backends[0].pending === 0 && body.anchors.length > 0 ? true : undefined;
  });
}

/** Anchors and size of the log at one moment at which nothing waits: a checkpoint may come of age between two questions. */
function settled(bench: Bench, node: NodeProcess, size: () => Promise<number>): Promise<[Anchor[], number]> {
  return bench.until('nothing waits and nothing came meanwhile', async () => {
    const anchors = await anchorsOf(node);
    const inLog = await size();
    const isQuiet = (await anchorsOf(node)).length === anchors.length;
    return isQuiet && anchors.every(({ receipts }) => receipts.length > 0) ? [anchors, inLog] : undefined;
  });
}

/** Every checkpoint has its place, in the order in which they were made, and the log has nothing else. */
function assertInOrder(anchors: readonly Anchor[], inLog: number): void {
  const places = anchors.map(({ receipts }) => receipts.map(({ log_index }) => log_index));
  assert.deepEqual(
    places,
    anchors.map((_, i) => [i]),
  );
  assert.equal(inLog, anchors.length, 'entries in the log');
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

async function sizeV1(url: string): Promise<number> {
  return ((await (await fetch(`${url}/api/v1/log`)).json()) as { treeSize: number }).treeSize;
}

test('Rekor down for 10,000 writes, then back: no write waits, all are submitted, in order, none twice', async (t) => {
  const bench = new Bench(t);
  const rekor = await startRekorV1(t);
  const node = await nodeWith(bench, rekor.url, rekor.trustedRoot, ['anchor.interval=500']);
  await node.start();
  await write(node, 1_000);
  const before = await write(node, WRITES_BEFORE);
  await rekor.server.stop();
  const down = await write(node, WRITES_DOWN);
  const { body } = await bench.until('the outage shows', async () => {
    const answer = await node.get('/v1/anchors?limit=1');
    return answer.body.backends[0].last_error === null ? undefined : answer;
  });
  const [waiting] = body.backends as { pending: number; sentence: string }[];
  t.diagnostic(`during the outage: ${waiting?.sentence}`);
  assert.equal((await node.get('/readyz')).status, 200, 'an outage of a log does not make the node unready');
  await rekor.server.start();
  await submitted(bench, node);

  const ratio = median(before) / median(down);
  t.diagnostic(`rekor ${rekor.version}: write rate during the outage ${ratio.toFixed(2)} × that before it`);
  // One that waited for the log would take as long as a try of it.
  assert.ok(Math.max(...down) < 10_000, `a write took ${Math.max(...down)} ms`);
  assert.ok(ratio > 0.1, `rate ${ratio}`);
  const [anchors, inLog] = await settled(bench, node, () => sizeV1(rekor.url));
  assertInOrder(anchors, inLog);
  t.diagnostic(`${anchors.length} checkpoints, ${waiting?.pending} of them waited`);
  assert.equal(await node.stop(), 0);
  assert.deepEqual((await node.fsck()).problems, []);
});

/** Between node and log: kills the node when the log has answered, or just before it is asked. */
async function trap(t: TestContext, target: string, kill: () => Promise<void>) {
  let armed: 'before' | 'after' | null = null;
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const how = request.method === 'POST' ? armed : null;
    if (how !== null) armed = null;
    if (how === 'before') return kill();
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      ...(request.method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (how === 'after') return kill();
    const passed = ['location', 'x-log-index'].flatMap((name) => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    response.writeHead(answer.status, Object.fromEntries(passed)).end(body);
  };
  // The node is killed on purpose, in the middle of requests too.
  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    arm: (how: 'before' | 'after') => {
      armed = how;
    },
  };
}

async function killedBetween(
  t: TestContext,
  log: { readonly url: string; readonly trustedRoot: TrustedRootJson; readonly size: () => Promise<number> },
  more: readonly string[],
): Promise<void> {
  const bench = new Bench(t);
  let node: NodeProcess | undefined;
  const between = await trap(t, log.url, async () => node?.kill());
  node = await nodeWith(bench, between.url, log.trustedRoot, more);
  const running = node;
  await running.start();
  for (let i = 0; i < KILLS; i++) {
    between.arm(i === 0 ? 'before' : 'after');
    await write(running, BATCH_FACTS).catch(() => []);
    await bench.until('the node was killed', () => (running.isRunning ? undefined : true));
    await running.start();
    await submitted(bench, running);
  }
  await write(running, BATCH_FACTS);
  await submitted(bench, running);
  assertInOrder(...(await settled(bench, running, log.size)));
  assert.equal(await running.stop(), 0);
  assert.deepEqual((await running.fsck()).problems, []);
}

test('v1: killed between submission and recording, nothing is lost and nothing is there twice', async (t) => {
  const rekor = await startRekorV1(t);
  await killedBetween(t, { ...rekor, size: () => sizeV1(rekor.url) }, []);
});

test('v2: killed between submission and recording, nothing is lost and nothing is there twice', async (t) => {
  const rekor = await startRekorV2(t);
  const published = await serveFolder({ after }, rekor.logFolder);
  const size = async (): Promise<number> =>
    Number((await (await fetch(`${published}/checkpoint`)).text()).split('\n')[1]);
  await killedBetween(t, { ...rekor, size }, ['anchor.rekor_version=2', `anchor.rekor_read_url=${published}`]);
});
