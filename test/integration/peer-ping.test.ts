/** A partner is reached now: what answers, over which address, how fast; and no session, record or counter notices. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type AdminServer, startServer } from '../../src/admin/server.ts';
import type { Node } from '../../src/cli/runtime.ts';
import { writeDaemonFile } from '../../src/config/daemon-file.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import { writeSecretFile } from '../../src/config/secret-file.ts';
import type { PingReport } from '../../src/core/ping-report.ts';
import { type PingDeps, pingPeer } from '../../src/onboard/ping-peer.ts';
import { TransportError } from '../../src/transport/errors.ts';
import { identityFromSeed } from '../../src/transport/identity.ts';
import { encodeHello } from '../../src/wire/hello.ts';
import { runOnce } from '../support/cli-fixture.ts';
import { logVkeyIn } from '../support/log-vkey.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

let a: MeshNode;
let b: MeshNode;
let server: AdminServer | undefined;
before(async () => {
  [a, b] = await Promise.all([MeshNode.create('a.example'), MeshNode.create('b.example')]);
  for (const node of [a, b]) await node.start();
  a.writePeer('b', b.asPeer({ share: ['public'], accept: ['public'] }));
  b.writePeer('a', a.asPeer({ share: ['public'], accept: ['public'] }));
  await until('they are connected', () => a.federation.connected(b.folder.peerId));
  for (const [node, peer] of [
    [a, 'b'],
    [b, 'a'],
  ] as const)
    await until(`the session with ${peer} is at its end`, async () => {
      const { next_attempt_at, state } = await statusOf(peer, node);
      return state === 'current' && next_attempt_at !== null;
    });
  server = await startServer({
    api: { fetch: (request) => a.fetch(request) },
    host: '127.0.0.1',
    port: 0,
    behindProxy: false,
  });
  writeDaemonFile(a.folder.dir, { pid: process.pid, api: server.url, started_at: '2026-11-23T12:00:00Z' });
  writeSecretFile(dataPaths(a.folder.dir).cliToken, a.folder.keys.admin);
});
after(async () => {
  await server?.close({ graceMs: 0 });
  for (const node of [a, b]) await node.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
async function statusOf(peer: string, node: MeshNode = a): Promise<any> {
  return JSON.parse((await node.get(`/v1/federation/peers/${peer}`)).text);
}

async function ping(name: string, body: object = {}): Promise<{ readonly status: number; readonly body: PingReport }> {
  const headers = { authorization: `Bearer ${a.folder.keys.admin}`, 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await a.fetch(new Request(`http://127.0.0.1/v1/federation/peers/${name}/ping`, init));
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const okOf = ({ checks }: PingReport): readonly (readonly [string, boolean])[] =>
  checks.map(({ name, ok }) => [name, ok]);
const ALL_WELL = [
  ['reach', true],
  ['key', true],
  ['clock', true],
  ['versions', true],
];

test('over the connection that is open: four answers, and nothing is recorded, pulled or greeted anew', async () => {
  const noted = async (): Promise<unknown> => {
    // The session goes on by itself, asks now and then, and says when it last did.
    const goesOn = new Set(['clock_skew_ms', 'last_contact_at', 'next_attempt_at', 'state', 'waiting_on']);
    const rest = Object.entries(await statusOf('b')).filter(([name]) => !goesOn.has(name));
    return [rest, await a.base.writer.stats(), await b.base.writer.stats()];
  };
  const before = await noted();
  const { status, body } = await ping('b');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.ok, okOf(body)], [true, ALL_WELL]);
  assert.deepEqual([body.sent, body.round_trips_ms.length, body.dial_ms], [4, 4, null]);
  assert.ok(
    body.round_trips_ms.every((ms) => ms > 0 && ms < 5_000),
    String(body.round_trips_ms),
  );
  assert.match(body.address ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\/\d+/);
  assert.match(body.software ?? '', /^stigmem-peerd\//);
  assert.ok(Math.abs(body.clock_skew_ms ?? Number.NaN) < 1_000, String(body.clock_skew_ms));
  assert.deepEqual(await noted(), before);
});

test('bounds: 1 to 10 hellos, one run at a time, and a partner that is there', async () => {
  assert.equal((await ping('b', { count: 0 })).status, 422);
  assert.equal((await ping('b', { count: 11 })).status, 422);
  assert.equal((await ping('b', { count: 1 })).body.round_trips_ms.length, 1);
  const [one, two] = await Promise.all([ping('b', { count: 2 }), ping('b')]);
  assert.deepEqual([one.status, two.status], [200, 409]);
  assert.match(JSON.stringify(two.body), /ping_runs/);
  assert.equal((await ping('nobody')).status, 404);
  a.writePeer('off', { nodeId: 'stigmem://off.example', peerId: await strangerId(), addresses: [] });
  const file = join(dataPaths(a.folder.dir).peers, 'off.toml');
  writeFileSync(file, `disabled = true\n${readFileSync(file, 'utf8')}`);
  await until('the file is read', () => a.federation.files().get('off')?.disabled === true);
  assert.match(JSON.stringify((await ping('off')).body), /peer_disabled/);
});

test('a partner that is down, one that does not let us in, and one with another key: which, and what to do', async (t) => {
  const addresses = ['/ip4/127.0.0.1/tcp/1'];
  a.writePeer('down', { nodeId: 'stigmem://down.example', peerId: await strangerId(), addresses });
  await until('the file is read', () => a.federation.files().has('down'));
  const down = (await ping('down')).body;
  assert.deepEqual([down.ok, down.sent, down.address, okOf(down)], [false, 0, null, [['reach', false]]]);
  assert.match(down.checks[0]?.detail ?? '', /ECONNREFUSED|is it up/);
  assert.match(down.checks[0]?.fix ?? '', /peers\/down\.toml .*`peer show self`/);

  const c = await MeshNode.create('c.example');
  t.after(() => c.stop());
  await c.start();
  a.writePeer('c', { ...c.asPeer({}), logKey: logVkeyIn(b.folder.dir).replaceAll('b.example', 'c.example') });
  await until('the file is read', () => a.federation.files().has('c'));
  const refused = (await ping('c')).body;
  assert.deepEqual(okOf(refused), [['reach', false]]);
  assert.match(refused.checks[0]?.fix ?? '', /peer id in a peer file that is not disabled|try again/i);

  c.writePeer('a', a.asPeer({}));
  await until('its file is read', () => c.federation.files().has('a'));
  const other = (await ping('c')).body;
  assert.deepEqual([other.ok, okOf(other)[1]], [false, ['key', false]]);
  assert.match(other.checks[1]?.detail ?? '', /the peer file insists on .* is declared/);
  assert.match(other.checks[1]?.fix ?? '', /peer show c/);
});

test('on the command line: a line of times, what was looked at, exit 1 for what is not well, and numbers', async () => {
  const run = (...args: string[]): ReturnType<typeof runOnce> =>
    runOnce(['peer', 'ping', ...args, '--data', a.folder.dir], NO_NODE, { isAlive: () => true });
  const well = await run('b', '--count', '2');
  assert.equal(well.code, 0, well.stderr);
  assert.match(
    well.stdout,
    /^b \(stigmem:\/\/b\.example\) answers: min [\d.]+ ms, avg [\d.]+ ms, max [\d.]+ ms\n\nreach +ok +2 of 2 answers; /,
  );
  const numbers = (await run('b', '--json')).json();
  assert.ok(numbers.min_ms > 0 && numbers.min_ms <= numbers.avg_ms && numbers.avg_ms <= numbers.max_ms);
  const down = await run('down');
  assert.deepEqual([down.code, /is not well: no answer\n\nreach +FAIL /.test(down.stdout)], [1, true], down.stdout);
  assert.equal((await run('nobody')).code, 3);
  const none = await runOnce(['peer', 'ping', 'b', '--data', a.folder.dir], NO_NODE, { isAlive: () => false });
  assert.deepEqual([none.code, /it is what connects to partners\nStart it/.test(none.stderr)], [5, true], none.stderr);
});

test('behind a hello without an answer none is sent; the clock is read in the middle of the fastest', async () => {
  const peer = [...a.federation.files().values()].find(({ name }) => name === 'b');
  assert.ok(peer);
  const sentAtMs = Date.now();
  let ticksMs = 0;
  let asked = 0;
  const deps: PingDeps = {
    transport: {
      connected: () => true,
      dial: () => assert.fail('a connection is open'),
      route: () => ({ address: '/ip4/192.0.2.7/tcp/1', direction: 'inbound' }),
      request: async function* () {
        asked++;
        if (asked === 3) throw new TransportError('timeout', 'not done after 5000 ms');
        ticksMs += asked * 100;
        yield encodeHello({
          clock_ms: sentAtMs + 300_050,
          declaration: b.base.declaration,
          heads: [],
          protocols: [],
          software: 'x/1',
          successions: [],
        });
      },
    },
    journal: a.base.writer,
    hello: () => new Uint8Array(1),
    ownSoftware: 'x/1',
    maxFutureSkewMs: 60_000,
    nowMs: () => sentAtMs,
    ticksMs: () => ticksMs,
    pause: async () => {},
  };
  const report = await pingPeer(peer, 9, deps);
  assert.deepEqual([report.sent, report.round_trips_ms, report.clock_skew_ms], [3, [100, 200], 300_000]);
  assert.match(report.checks[0]?.detail ?? '', /^2 of 3 answers; .*not done after 5000 ms/);
  assert.deepEqual(okOf(report), [
    ['reach', false],
    ['key', true],
    ['clock', false],
    ['versions', false],
  ]);
  assert.match(report.checks[2]?.fix ?? '', /Set both clocks by NTP/);
});

const NO_NODE = new Proxy({} as Node, { get: (_, name) => () => assert.fail(`${String(name)}: the daemon answers`) });

async function strangerId(): Promise<string> {
  return (await identityFromSeed(randomBytes(32))).peerId;
}
