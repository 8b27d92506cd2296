/** Keys that come to their end: told once for each step, over restarts; a log key past its end is not pulled by. */
import assert from 'node:assert/strict';
import fs, { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AuditEntry } from '../../src/admin/api/audit-entry.ts';
import { type RunningNode, runDaemon } from '../../src/app.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { KeyStatus } from '../../src/core/key-status.ts';
import type { PeerStatus } from '../../src/core/peer-status.ts';
import { HostilePeer } from '../../src/drill/hostile-peer.ts';
import type { PeerLogOptions } from '../../src/drill/peer-log.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { KeyStatuses } from '../../src/node/keys.ts';
import { startKeysWatch } from '../../src/node/keys-watch.ts';
import type { Clock } from '../../src/transport/clock.ts';
import { createFolder, type DataFolder } from '../support/data-folder.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { type PeerLine, peerText } from '../support/node-process.ts';
import { until } from '../support/until.ts';

const AUTHORITY = 'acme.example';
const ENTRIES = 3;
const DAY = 86_400_000;
const HOUR = 3_600_000;

const logOf = (options: PeerLogOptions): HonestPeer =>
  new HonestPeer({ authority: AUTHORITY, ...options }).appendMany(ENTRIES);

async function meet(t: TestContext, log: HonestPeer): Promise<PeerLine & { close(): Promise<void> }> {
  const peer = new HostilePeer(AUTHORITY, { log });
  t.after(() => peer.close());
  const { nodeId, peerId, address, logKey } = await peer.listen();
  return { nodeId, peerId, addresses: [address], logKey, accept: ['public'], close: () => peer.close() };
}

test('a daemon tells of a peer’s key that ends in 6 days: once, in all places, and not again after a restart', async (t) => {
  const folder = await createFolder('globex.example');
  t.after(() => folder.remove());
  const peer = await meet(t, logOf({ keysEndMs: Date.now() + 6 * DAY + HOUR }));
  writeFileSync(join(dataPaths(folder.dir).peers, 'acme.toml'), peerText(peer), { mode: 0o600 });

  const first = await run(t, folder);
  await until('both keys are told', async () => (await audited(first, folder)).length === 2);
  const records = await audited(first, folder);
  assert.deepEqual(
    records.map(({ peer_id, detail }) => [
      peer_id,
      detail?.['owner'],
      detail?.['use'],
      detail?.['step'],
      detail?.['days_left'],
    ]),
    [
      [peer.nodeId, peer.nodeId, 'log', 7, 6],
      [peer.nodeId, peer.nodeId, 'anchor', 7, 6],
    ],
  );

  const { keys } = await get<{ keys: readonly KeyStatus[] }>(first, folder, '/v1/keys');
  const own = keys.filter((key) => key.peer === null);
  assert.deepEqual(
    own.map(({ use, state, days_left, warning }) => [use, state, days_left, warning]),
    ['log', 'log', 'anchor', 'witness'].map((use) => [use, 'valid', null, null]),
  );
  const theirs = keys.find((key) => key.peer === 'acme' && key.use === 'log');
  assert.equal(theirs?.days_left, 6);
  assert.equal(theirs?.warning?.step, 7);
  const { name, key_id, not_after } = theirs;
  const sentence = `acme’s log key of ${name} (${key_id}) ends in 6 days (${not_after}): acme has to run \`stigmem-peerd keys rotate log\``;
  assert.equal(theirs.warning.sentence, sentence);

  const metrics = await (await fetch(`${first.api}/metrics`)).text();
  const series = metrics.split('\n').filter((line) => line.startsWith('stigmem_peerd_key_expiry_seconds{'));
  assert.equal(series.length, 2, 'none for keys without an end');
  const log = series.find((line) => line.includes(`node="${peer.nodeId}",use="log",key_id="${key_id}"`));
  const seconds = Number(log?.split(' ').at(-1));
  assert.ok(seconds > (6 * DAY) / 1000 && seconds <= (6 * DAY + HOUR) / 1000, log);

  await first.stop();
  const second = await run(t, folder);
  await until('the peer is greeted again', async () => {
    return (await get<PeerStatus>(second, folder, '/v1/federation/peers/acme')).state === 'current';
  });
  assert.deepEqual(await audited(second, folder), records);
  await second.stop();
  assert.deepEqual((await runFsck(folder.dir, {})).problems, []);
});

test('with an advancing clock each step is told as it is passed; a renewal ends the warnings', async (t) => {
  const node = await MeshNode.create('globex.example').then((made) => made.start());
  t.after(() => node.stop());
  const endMs = Date.now() + 40 * DAY;
  const peer = await meet(t, logOf({ keysEndMs: endMs }));
  node.writePeer('acme', peer);
  await until('it is taken', async () => (await node.base.writer.stats()).entries === ENTRIES);

  let nowMs = endMs - 40 * DAY;
  const clock: Clock = { nowMs: () => nowMs, after: () => () => {} };
  const owned = new AsyncDisposableStack();
  t.after(() => owned.disposeAsync());
  const watch = startKeysWatch(node.base, node.federation, owned, clock);
  for (const daysLeft of [40, 30.1, 30, 29, 14, 13, 7, 2, 1, 0.5, 0, -1]) {
    nowMs = endMs - daysLeft * DAY;
    await watch.look();
    await watch.look();
  }
  const told = [...(await node.audit('key_expiring')), ...(await node.audit('key_expired'))];
  const steps = told.filter(({ detail }) => detail['use'] === 'log').map(({ detail }) => detail['step']);
  assert.deepEqual(steps, [30, 14, 7, 1, 0]);
  assert.equal(told.length, 10, 'five steps of two keys');

  // After each record of the audit log it is looked, with however many partners: no file is read for it.
  const reads = t.mock.method(fs, 'readFileSync');
  syncBuiltinESMExports();
  await watch.look();
  const count = reads.mock.callCount();
  t.mock.restoreAll();
  syncBuiltinESMExports();
  assert.equal(count, 0);

  await peer.close();
  const renewed = await meet(t, logOf({ keysEndMs: endMs + 400 * DAY, declaredMs: Date.now() }));
  node.writePeer('acme', renewed);
  await until('the renewal is kept', async () => (await node.audit('peer_keys_renewed')).length === 1);
  const keys = (await new KeyStatuses(node.base, node.federation.files).at(nowMs)).filter((key) => key.peer === 'acme');
  assert.deepEqual(
    keys.map(({ days_left, warning }) => [days_left, warning]),
    [
      [399, null],
      [399, null],
    ],
  );
  await node.halt();
  assert.deepEqual((await runFsck(node.folder.dir, {})).problems, []);
});

const REFUSED: readonly (readonly [what: string, log: PeerLogOptions, code: string, says: RegExp])[] = [
  [
    'has ended',
    { keysEndMs: Date.now() - HOUR },
    'log_key_expired',
    /its log key acme\.example\/journal\/\S+ has ended at \S+: the partner has to run `stigmem-peerd keys rotate log`/,
  ],
  [
    'has not begun',
    { startMs: Date.now() + HOUR },
    'log_key_not_yet_valid',
    /its log key \S+ begins at \S+: compare the clocks/,
  ],
];
for (const [what, options, code, says] of REFUSED) {
  test(`a peer whose log key ${what} is refused, and status says who has to act`, async (t) => {
    const node = await MeshNode.create('globex.example').then((made) => made.start());
    t.after(() => node.stop());
    node.writePeer('acme', await meet(t, logOf(options)));
    await until('it is refused', async () => (await node.audit('peer_declaration_refused')).length > 0);
    assert.equal((await node.audit('peer_declaration_refused'))[0]?.reason, code);
    const sentence = new RegExp(`its declaration is refused \\(${code}\\): ${says.source}`);
    // Between two tries it says what the last one came to.
    await until('its state says so', async () => sentence.test((await shown(node)).waiting_on ?? ''));
    assert.notEqual((await shown(node)).state, 'current');
    assert.equal((await node.audit('peer_verified')).length, 0, 'nothing is pinned');
    assert.equal((await node.base.writer.stats()).entries, 0);
  });
}

async function shown(node: MeshNode): Promise<PeerStatus> {
  return JSON.parse((await node.get('/v1/federation/peers/acme')).text);
}

async function run(t: TestContext, { dir }: DataFolder): Promise<RunningNode> {
  const running = await runDaemon(dir, { 'listen.p2p': '/ip4/127.0.0.1/tcp/0', 'api.port': '0', 'log.level': 'fatal' });
  t.after(() => running.stop());
  return running;
}

async function audited(node: RunningNode, folder: DataFolder): Promise<readonly AuditEntry[]> {
  const path = '/v1/federation/audit?event_type=key_expiring&order=asc';
  return (await get<{ entries: readonly AuditEntry[] }>(node, folder, path)).entries;
}

async function get<T>(node: RunningNode, { keys }: DataFolder, path: string): Promise<T> {
  const answer = await fetch(`${node.api}${path}`, { headers: { authorization: `Bearer ${keys.full}` } });
  assert.equal(answer.status, 200, path);
  return (await answer.json()) as T;
}
