/** Two real nodes in one process, over loopback: what one asserts the other can read, and grants mean what they say. */
import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type RunningNode, runDaemon } from '../../src/app.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import { createFolder, type DataFolder } from '../support/data-folder.ts';
import { logVkeyIn } from '../support/log-vkey.ts';
import { peerText } from '../support/node-process.ts';

/** Polling has no part in anything here. */
const POLL_S = 3_600;
/** For a busy machine; news takes milliseconds. */
const DEADLINE_MS = 45_000;
const LOOK_EVERY_MS = 20;

class TestNode {
  readonly folder: DataFolder;
  /** Kept over restarts, so that peer files stay right. */
  listen = '/ip4/127.0.0.1/tcp/0';
  #running: RunningNode | undefined;

  constructor(folder: DataFolder) {
    this.folder = folder;
  }

  async start(): Promise<void> {
    const flags = { 'api.port': '0', 'listen.p2p': this.listen, 'log.level': 'fatal' };
    const timing = { 'federation.poll_interval_s': String(POLL_S), gardens: 'incident-42' };
    this.#running = await runDaemon(this.folder.dir, { ...flags, ...timing });
    this.listen = /^\/ip4\/[^/]+\/tcp\/\d+/.exec(this.#running.addresses[0] ?? '')?.[0] ?? this.listen;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  writePeer(name: string, other: TestNode, grants: { share?: readonly string[]; accept?: readonly string[] }): void {
    const { dir, nodeId, peerId } = other.folder;
    const logKey = logVkeyIn(dir);
    const fresh = join(this.folder.dir, `${name}.new`);
    writeFileSync(fresh, peerText({ nodeId, peerId, addresses: [other.listen], logKey, ...grants }), { mode: 0o600 });
    renameSync(fresh, join(dataPaths(this.folder.dir).peers, `${name}.toml`));
  }

  removePeer(name: string): void {
    rmSync(join(dataPaths(this.folder.dir).peers, `${name}.toml`));
  }

  /** @returns the id of the new fact */
  async assertFact(name: string, scope: string, more: object = {}): Promise<string> {
    const authority = this.folder.nodeId;
    const body = {
      entity: `${authority}/service/${name}`,
      relation: 'ops:state',
      source: `${authority}/agent/a1`,
      value: { type: 'text', v: 'up' },
      scope,
      ...more,
    };
    const { status, json } = await this.ask('POST', '/v1/facts', body);
    assert.equal(status, 201, JSON.stringify(json));
    return (json as { id: string }).id;
  }

  async has(id: string): Promise<boolean> {
    const { status } = await this.ask('GET', `/v1/facts/${id}`);
    assert.ok(status === 200 || status === 404, `${status}`);
    return status === 200;
  }

  async until(what: string, look: () => Promise<boolean>): Promise<number> {
    const start = performance.now();
    while (performance.now() - start < DEADLINE_MS) {
      if (await look()) return performance.now() - start;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    const peers = await this.ask('GET', '/v1/federation/peers');
    throw new Error(`not within ${DEADLINE_MS} ms: ${what}; ${JSON.stringify(peers.json)}`);
  }

  async peer(name: string): Promise<PeerStatus | undefined> {
    const { status, json } = await this.ask('GET', `/v1/federation/peers/${name}`);
    return status === 200 ? (json as PeerStatus) : undefined;
  }

  async ask(method: string, path: string, body?: object): Promise<{ status: number; json: unknown }> {
    const role = path.startsWith('/v1/federation') ? 'federate' : 'full';
    const response = await fetch(`${this.#running?.api}${path}`, {
      method,
      // A connection that was idle may be closed at the moment in which it is used again.
      headers: {
        authorization: `Bearer ${this.folder.keys[role]}`,
        'content-type': 'application/json',
        connection: 'close',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  }
}

let a: TestNode;
let b: TestNode;

before(async () => {
  a = new TestNode(await createFolder('acme.example'));
  b = new TestNode(await createFolder('globex.example'));
  await a.start();
  await b.start();
  a.writePeer('globex', b, { share: ['public'] });
  b.writePeer('acme', a, { accept: ['public', 'company', 'company/incident-42'] });
});
after(async () => {
  for (const node of [a, b]) {
    await node?.stop();
    node?.folder.remove();
  }
});

/** A fact in a granted feed, asserted last: once it is there, what was granted before has had its chance too. */
async function marker(name: string): Promise<void> {
  const id = await a.assertFact(name, 'public');
  await b.until(`marker ${name}`, () => b.has(id));
}

test('a fact asserted at A becomes readable at B long before the next poll', async (t) => {
  const first = await a.assertFact('s1', 'public');
  await b.until('the first fact', () => b.has(first));
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const id = await a.assertFact(`w${i}`, 'public');
    times.push(await b.until(`fact ${i}`, () => b.has(id)));
  }
  t.diagnostic(`ms until readable: ${times.map((ms) => ms.toFixed(0)).join(' ')}`);
  const { status, json } = await b.ask('GET', `/v1/facts/${first}`);
  assert.equal(status, 200);
  assert.equal((json as { received_from: string }).received_from, a.folder.nodeId);
  assert.ok(Math.max(...times) < (POLL_S * 1000) / 10);
});

test('what is not granted is not there: local, other scopes, gardens; and its names and lengths are not told', async () => {
  const hidden = [
    await a.assertFact('h1', 'local'),
    await a.assertFact('h2', 'company'),
    await a.assertFact('h3', 'team'),
    await a.assertFact('h4', 'company', { garden_id: 'incident-42' }),
    await a.assertFact('h5', 'public', { garden_id: 'incident-42' }),
  ];
  await marker('m1');
  for (const id of hidden) assert.equal(await b.has(id), false);
  const lengths = (await b.peer('acme'))?.cursors.filter(({ feed }) => feed !== 'public').map(({ length }) => length);
  assert.ok(
    (lengths ?? []).every((length) => length === null || length === 0),
    JSON.stringify(lengths),
  );
});

test('a restart of B: it goes on where it was, and hears of what came meanwhile', async () => {
  await b.stop();
  const meanwhile = await a.assertFact('while-b-was-away', 'public');
  await b.start();
  await b.until('the fact asserted meanwhile', () => b.has(meanwhile));
  const later = await a.assertFact('after-b-came-back', 'public');
  await b.until('a fact asserted later', () => b.has(later));
  const { json } = await b.ask('GET', '/v1/federation/audit?limit=500');
  const refused = (json as { entries: { event_type: string }[] }).entries.filter((r) => /rejected/.test(r.event_type));
  assert.deepEqual(refused, [], 'nothing was pulled twice in a way that looks like a rewrite');
});

test('a restart of A: B finds it again by itself', async () => {
  await a.stop();
  await a.start();
  const id = await a.assertFact('after-a-came-back', 'public');
  await b.until('the fact of the restarted node', () => b.has(id));
});

test('a grant added while both run brings what was there before, a grant removed ends it', async () => {
  const before = await a.assertFact('c1', 'company');
  a.writePeer('globex', b, { share: ['public', 'company'] });
  await b.until('a fact from before the grant', () => b.has(before));
  const during = await a.assertFact('c2', 'company');
  await b.until('a fact under the grant', () => b.has(during));

  a.writePeer('globex', b, { share: ['public'] });
  await a.until('the file is read', async () => (await a.peer('globex'))?.share.join() === 'public');
  const late = await a.assertFact('c3', 'company');
  await marker('m2');
  assert.equal(await b.has(late), false);
  assert.equal(await b.has(during), true, 'what was received stays');
});

test('accept at B counts as much as share at A', async () => {
  b.writePeer('acme', a, { accept: ['public'] });
  await b.until('the file is read', async () => (await b.peer('acme'))?.accept.join() === 'public');
  a.writePeer('globex', b, { share: ['public', 'company'] });
  await a.until('the file is read', async () => (await a.peer('globex'))?.share.join() === 'public,company');
  const id = await a.assertFact('c4', 'company');
  await marker('m3');
  assert.equal(await b.has(id), false);
  b.writePeer('acme', a, { accept: ['public', 'company'] });
  await b.until('the feed that is accepted again', () => b.has(id));
});

test('a peer whose file is gone gets nothing more', async () => {
  a.removePeer('globex');
  await a.until('the file is gone', async () => (await a.peer('globex')) === undefined);
  const id = await a.assertFact('p1', 'public');
  await b.until('B knows that it gets no answer', async () => (await b.peer('acme'))?.last_error != null);
  assert.equal(await b.has(id), false);
  a.writePeer('globex', b, { share: ['public'] });
  await b.until('the peer that is back', () => b.has(id));
});
