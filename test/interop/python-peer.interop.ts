/**
 * A peer in another language, written from docs/PROTOCOL.md alone, pulls from a real node over TCP and verifies everything
 * itself; and gives the same reasons as our verifier for every lie that the hostile peers of the adversarial tests tell.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FACT_EVENT } from '../../src/core/verdict.ts';
import { type EntryReason, LIES_AT, LOG_ENTRIES, PAGE_ENTRIES } from '../adversarial/fact-lies.ts';
import { PAGE_CASES } from '../adversarial/page-lies.ts';
import { HostileProcess } from '../support/hostile-process.ts';
import { NAMED_KEY } from '../support/log-vkey.ts';
import { Bench, type NodeProcess, STEP_MS, within } from '../support/node-process.ts';
import { pythonWithPackages } from './programs/python.ts';

const PYTHON = await pythonWithPackages();
const PULL = fileURLToPath(new URL('./python-peer/pull.py', import.meta.url));
const SERVE = fileURLToPath(new URL('./python-peer/serve.py', import.meta.url));
const SEED = '01'.repeat(32);
const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
const run = promisify(execFile);

// biome-ignore lint/suspicious/noExplicitAny: one JSON document of another program
type Report = any;

interface Target {
  readonly nodeId: string;
  readonly peerId: string;
  readonly address: string;
  readonly namespace: string;
}

function argumentsFor({ nodeId, peerId, address, namespace }: Target, more: readonly string[]): string[] {
  const [, , host = '', , port = ''] = address.split('/');
  const who = ['--peer-id', peerId, '--node-id', nodeId, '--namespace', namespace];
  return ['-B', PULL, '--seed', SEED, '--connect', `${host}:${port}`, ...who, ...more];
}

async function pull(target: Target, ...more: string[]): Promise<Report> {
  const { stdout } = await run(PYTHON, argumentsFor(target, more), { timeout: 60_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const targetOf = (node: NodeProcess): Target => ({ ...node, address: node.address, namespace: node.authority });

/** A node with facts of two scopes; the Python peer may read the public ones. */
async function startNode(t: TestContext): Promise<{ node: NodeProcess; bench: Bench }> {
  const bench = new Bench(t);
  const node = await (await bench.node('acme.example')).start();
  node.writePeer('python', {
    nodeId: 'stigmem://python.example',
    peerId: SELF,
    addresses: [],
    share: ['public'],
    logKey: NAMED_KEY,
  });
  await bench.until('the node knows the peer', async () => node.peer('python'));
  return { node, bench };
}

async function assertFacts(node: NodeProcess, from: number, count: number, scope = 'public'): Promise<string[]> {
  const cids: string[] = [];
  for (let i = from; i < from + count; i++) {
    const value = [
      { type: 'string', v: `zweiundvierzig “${i}” \u{1f9ee}\n` },
      { type: 'number', v: i / 8 },
      { type: 'boolean', v: i % 2 === 0 },
    ][i % 3];
    const { status, body } = await node.post('/v1/facts', {
      entity: `stigmem://acme.example/thing/${i}`,
      relation: 'test:value',
      value,
      source: 'stigmem://acme.example/agent/a',
      confidence: [1, 0.5, 0.00001, 0.1][i % 4],
      scope,
    });
    assert.equal(status, 201, JSON.stringify(body));
    cids.push(body.cid);
  }
  return cids;
}

test('it pulls from a real node and verifies checkpoint, heads, leaves, proofs, CIDs and chain itself', async (t) => {
  const { node, bench } = await startNode(t);
  const target = targetOf(node);
  const state = join(bench.root, 'python.json');
  const first = [...(await assertFacts(node, 0, 20)), ...(await assertFacts(node, 20, 0))];
  await assertFacts(node, 100, 7, 'company');
  first.push(...(await assertFacts(node, 20, 5)));

  const got = await pull(target, '--feed', 'public', '--feed', 'company', '--page-entries', '8', '--state', state);
  assert.deepEqual([got.ok, got.accepted, got.refused, got.resolved], [true, 25, [], 0], JSON.stringify(got));
  assert.deepEqual(got.cids, first);
  assert.equal(got.checkpoint.size, 32);
  assert.ok(got.pages === 4 && got.zstd_pages === 4, JSON.stringify(got));
  // A feed that is not granted answers like one that does not exist.
  assert.deepEqual(got.feeds, { public: { after: 25, length: 25 } });

  await t.test('again, from where it was: a consistency proof, and only what is new', async () => {
    const more = await assertFacts(node, 50, 9);
    const next = await pull(
      target,
      '--feed',
      'public',
      '--page-entries',
      '4',
      '--pages',
      '2',
      '--identity',
      '--state',
      state,
    );
    assert.deepEqual([next.ok, next.accepted, next.zstd_pages], [true, 9, 0], JSON.stringify(next));
    assert.deepEqual(next.cids, more);
    assert.deepEqual(next.consistency_from, [32, 41]);
    const nothing = await pull(target, '--feed', 'public', '--state', state);
    assert.deepEqual([nothing.ok, nothing.accepted, nothing.pages], [true, 0, 0]);
  });

  await t.test('Yamux agreed on inside of Noise instead of in its handshake', async () => {
    const late = await pull(target, '--feed', 'public', '--late-muxer');
    assert.deepEqual([late.ok, late.accepted], [true, 34]);
  });

  await t.test('one bit of a page on its way is noticed', async () => {
    const verdicts: Report[] = [];
    // One after the other: a peer may have two pulls open at a time.
    for (const frame of ['header', 'entries', 'proof']) {
      verdicts.push(await pull(target, '--feed', 'public', '--identity', '--page-entries', '8', '--flip', frame));
    }
    // Every frame is under the note's signature: what was garbled on the way is nobody's word.
    for (const verdict of verdicts) assert.deepEqual([verdict.ok, verdict.reason], [false, 'page_malformed']);
  });

  await t.test('a watch says at once where the feed stands, and says so again when it grows', async () => {
    const child = spawn(PYTHON, argumentsFor(target, ['--feed', 'public', '--watch', '2']));
    t.after(() => child.kill());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const update = async (): Promise<Report> =>
      JSON.parse((await within(STEP_MS, 'a line of the peer', lines.next())).value ?? '').update;
    assert.deepEqual((await update()).feeds, [{ feed: 'public', length: 34 }]);
    await assertFacts(node, 200, 1);
    assert.deepEqual((await update()).feeds, [{ feed: 'public', length: 35 }]);
  });

  await t.test('a stranger is cut off', async () => {
    const stranger = argumentsFor(target, ['--feed', 'public']).map((one) => (one === SEED ? '02'.repeat(32) : one));
    await assert.rejects(run(PYTHON, stranger, { timeout: 60_000 }), /EOFError|ConnectionReset|BrokenPipe/);
  });

  assert.equal(await node.stop(), 0);
});

test('a real node pulls from it, over the connection that it opened', async (t) => {
  const bench = new Bench(t);
  const node = await (await bench.node('acme.example', ['federation.page_entries=7'])).start();
  node.writePeer('python', { nodeId: 'stigmem://python.example', peerId: SELF, addresses: [], accept: ['public'] });
  await bench.until('the node knows the peer', async () => node.peer('python'));
  const [, , host = '', , port = ''] = node.address.split('/');
  const child = spawn(PYTHON, ['-B', SERVE, '--seed', SEED, '--connect', `${host}:${port}`, '--peer-id', node.peerId]);
  t.after(() => child.kill());
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await within(STEP_MS, 'a line of the peer', lines.next());
  const served: Report = JSON.parse(value ?? 'null');
  // Its log key is drawn when it starts: an operator compares what it declares.
  const waiting = await node.peerUntil('python', 'has declared its key', (peer) => peer.key_changes.length > 0);
  const keys = waiting.key_changes.map(({ declared }) => declared);
  assert.equal((await node.post('/v1/federation/peers/python/trust-key', { keys })).status, 200);
  const isCurrent = (peer: Report): boolean => peer.state === 'current' && peer.cursors[0]?.after === 42;
  const peer: Report = await node.peerUntil('python', 'is current', isCurrent).catch((error: Error) => {
    throw new Error(`${error.message}\n${errors}`);
  });
  assert.deepEqual([peer.accepted, peer.refused], [41, 1]);
  assert.deepEqual(peer.checkpoint, { size: served.size, root: served.root });
  // Look-ups follow the journal within moments.
  for (const cid of served.cids)
    await bench.until(
      `${cid} can be read`,
      async () => (await node.get(`/v1/facts/${cid}`)).status === 200 || undefined,
    );
  const [record] = await node.audit('peer_id=python&reason=source_not_owned');
  assert.equal(record?.cid, served.lie);
  assert.equal(await node.stop(), 0);
  assert.deepEqual((await node.fsck()).problems, []);
});

test('for every lie it gives the reason that our verifier gives', async (t) => {
  const bench = new Bench(t);
  const reasons = Object.keys(FACT_EVENT) as EntryReason[];
  const names = PAGE_CASES.map(({ name }) => name);
  const [liars, cheats] = await Promise.all([
    HostileProcess.start(bench, new URL('../adversarial/fact-lies.ts', import.meta.url).href, reasons, {
      receiver: 'stigmem://python.example',
    }),
    HostileProcess.start(bench, new URL('../adversarial/page-lies.ts', import.meta.url).href, names, {
      receiver: 'stigmem://python.example',
    }),
  ]);
  const target = (hostile: HostileProcess, name: string): Target => {
    const { nodeId, peerId, addresses } = hostile.asPeer(name);
    return { nodeId, peerId, address: addresses[0] ?? '', namespace: nodeId.slice('stigmem://'.length) };
  };

  for (const reason of reasons)
    await t.test(`one fact: ${reason}`, async () => {
      const entries = ['--page-entries', String(PAGE_ENTRIES)];
      const got = await pull(target(liars, reason), '--feed', 'public', ...entries);
      assert.equal(got.ok, true, JSON.stringify(got));
      const lies = [...LIES_AT].map((index) => ({ feed_seq: index + 1, reason }));
      const isQuarantine = reason === 'instruction_inbound';
      assert.deepEqual(got.refused, isQuarantine ? [] : lies);
      assert.equal(got.quarantined, isQuarantine ? lies.length : 0);
      assert.equal(got.accepted, LOG_ENTRIES - got.refused.length);
    });

  for (const one of PAGE_CASES)
    await t.test(`a page: ${one.reason}, ${one.what}`, async () => {
      const got = await pull(target(cheats, one.name), '--feed', 'public', '--rounds', '2');
      // It has no policy of its own: what only a policy asks for, it does without.
      if (one.witnesses !== undefined || one.anchors !== undefined) {
        assert.equal(got.ok, true, JSON.stringify(got));
        return;
      }
      // It knows no relayed feeds and asks for none: a header of version 2 is none to it.
      const reason = one.relayed === undefined ? one.reason : 'page_malformed';
      assert.deepEqual([got.ok, got.reason], [false, reason], JSON.stringify(got));
      assert.equal(got.feeds.public?.after ?? 0, one.relayed === undefined ? one.cursor : 0);
    });
});
