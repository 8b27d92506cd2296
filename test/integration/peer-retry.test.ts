/** Facts that were refused are judged again when their cause is corrected: taken once, told to their author, over kill -9 too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openKeyStore } from '../../src/admin/keys.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { rotateKey } from '../../src/node/rotate-key.ts';
import { openRaw } from '../support/journal-fixture.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { Bench, type NodeProcess, type PeerLine } from '../support/node-process.ts';
import { until } from '../support/until.ts';

const FACTS = 40;

test('what was refused is taken once, both sides show it closed, and fsck accounts for each entry', async (t) => {
  const [a, b] = await pair(t);
  await a.assertFacts(Array.from({ length: FACTS }, (_, i) => `s${i}`));
  await a.base.writer.assert([instruction(a)], { mayWriteInstructions: true });
  b.writePeer('a', without(a));
  const all = FACTS + 1;
  await until('all is refused', async () => (await status(b, 'a')).refused === all);
  await until('A was told', async () => (await status(a, 'b')).refused_of_ours[0]?.refused > 0);
  const recordsBefore = (await b.audit('rejected_fact')).length;
  assert.ok(recordsBefore < FACTS, 'the others are in a summary, or wait for it');

  const early = await retry(b, 'nothing was corrected yet');
  assert.deepEqual([early.body.resolved, early.body.standing], [{}, { source_not_owned: all }]);
  assert.equal((await b.audit('rejected_fact')).length, recordsBefore, 'no second flood of records');
  assert.equal((await retry(b, '')).status, 422);

  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  await until('the file is read', async () => (await status(b, 'a')).namespaces.includes('a.example'));
  const { body } = await retry(b, 'namespaces were missing');
  assert.deepEqual([body.judged, body.resolved, body.standing, body.next], [all, { source_not_owned: all }, {}, null]);
  const shown = await status(b, 'a');
  assert.deepEqual([shown.accepted, shown.refused], [all, 0]);
  assert.equal((await b.base.writer.stats()).entries, all);
  const [hidden] = await b.audit('quarantine_ingest');
  assert.equal(hidden?.reason, 'instruction_inbound', 'what is hidden when it is pulled is hidden now, too');
  const resolved = await b.audit('refusal_resolved');
  assert.equal(
    resolved.reduce((sum, { detail }) => sum + Number(detail['count']), 0),
    all,
  );
  assert.deepEqual(resolved[0]?.detail['why'], 'namespaces were missing');
  const named = resolved.flatMap(({ detail }) => detail['records'] as readonly number[]).sort((x, y) => x - y);
  assert.deepEqual(
    named,
    (await b.audit('rejected_fact')).map(({ seq }) => seq),
    'each record of a refusal is named',
  );
  const [, , run] = await b.audit('refusals_retried');
  assert.equal(run, undefined, 'one record a run');

  await until('A shows it closed', async () => {
    const [group] = (await status(a, 'b')).refused_of_ours;
    return group !== undefined && group.resolved === group.refused;
  });
  assert.deepEqual((await retry(b, 'again')).body.judged, 0);
  assert.equal((await b.base.writer.stats()).entries, all, 'nothing is taken twice');
  await a.assertFacts(['later']);
  await until('the feed goes on', async () => (await b.base.writer.stats()).entries === all + 1);
  for (const node of [a, b]) await node.halt();
  for (const node of [a, b]) assert.deepEqual((await runFsck(node.folder.dir, {})).problems, []);

  const found = async (sql: string): Promise<readonly string[]> => {
    const db = openRaw(b.folder.dir);
    const guards = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as Guard[];
    for (const { name } of guards) db.exec(`DROP TRIGGER ${name}`);
    db.exec(sql);
    for (const guard of guards) db.exec(guard.sql);
    db.close();
    return (await runFsck(b.folder.dir, {})).problems.map(({ table, code }) => `${table} ${code}`);
  };
  const deleted = await found('DELETE FROM page_retries');
  assert.ok(
    deleted.includes('entries received_without_page') && deleted.includes('page_retries resolved_mismatch'),
    `${deleted}`,
  );
});

test('a page that was signed by a key which is no longer declared is judged again by the statements that lead to it', async (t) => {
  const [a, b] = await pair(t);
  await a.assertFacts(['one', 'two']);
  b.writePeer('a', without(a));
  await until('all is refused', async () => (await status(b, 'a')).refused === 2);
  await a.halt();
  await rotateKey(a.folder.dir, 'log', { overlapMs: 0, actor: 'test' });
  await a.start();
  a.writePeer('b', b.asPeer({ share: ['public'] }, false));
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  await until('b has followed', async () => (await b.audit('peer_key_succession')).length === 1);
  const { body } = await retry(b, 'namespaces were missing');
  assert.deepEqual([body.resolved, body.unreadable], [{ source_not_owned: 2 }, 0]);
});

test('kill -9 in the middle of a retry: nothing is lost, nothing is taken twice', async (t) => {
  const bench = new Bench(t);
  const settings = ['federation.poll_interval_s=1', 'federation.page_entries=10'];
  const [a, b] = await Promise.all(['a.example', 'b.example'].map((name) => bench.node(name, settings)));
  assert.ok(a !== undefined && b !== undefined);
  await Promise.all([a.start(), b.start()]);
  a.writePeer('b', { ...b.asPeer({ share: ['public'] }), addresses: [] });
  const count = 400;
  await say(a, count);
  b.writePeer('a', { ...a.asPeer({ accept: ['public'] }), namespaces: ['elsewhere.example'] });
  await b.peerUntil('a', 'has refused', (peer) => peer.refused === count);
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  await b.peerUntil('a', 'knows the namespace', (peer) => peer.namespaces.includes('a.example'));
  const running = b.post('/v1/federation/peers/a/retry', { reason: 'corrected' }).catch(() => null);
  await b.peerUntil('a', 'has begun', (peer) => peer.accepted > 0);
  await b.kill();
  await running;
  await b.start();
  const after = await b.peerUntil('a', 'is known again', (peer) => peer.accepted + peer.refused === count);
  assert.ok(after.accepted > 0);
  const out = await bench.cli(b, ['peer', 'retry', 'a', '--reason', 'corrected']);
  if (after.refused > 0)
    assert.match(out, new RegExp(`^${after.refused} facts of a stood refused\\.\\nTaken now: ${after.refused} `));
  await b.peerUntil('a', 'has all of them', (peer) => peer.accepted === count && peer.refused === 0);
  await a.peerUntil('b', 'shows it closed', ({ refused_of_ours: [group] }) => group?.resolved === group?.refused);
  assert.match(await bench.cli(a, ['peer', 'notices', 'b']), /and has taken all of it since/);
  for (const node of [a, b]) assert.equal(await node.stop(), 0);
  const report = await b.fsck();
  assert.deepEqual(report.problems, []);
  assert.equal(report.checked.entries, count);
});

test('refused facts are let in by two persons where the configuration says so', async (t) => {
  const [a, b] = await pair(t, { 'review.four_eyes': 'peer.retry' });
  await a.assertFacts(['one', 'two']);
  b.writePeer('a', without(a));
  await until('all is refused', async () => (await status(b, 'a')).refused === 2);
  b.writePeer('a', a.asPeer({ accept: ['public'] }));
  await until('the file is read', async () => (await status(b, 'a')).namespaces.includes('a.example'));
  const proposed = await retry(b, 'namespaces were missing');
  assert.deepEqual([proposed.status, proposed.body.proposal?.action], [202, 'peer.retry']);
  assert.equal((await status(b, 'a')).refused, 2);
  const key = openKeyStore(dataPaths(b.folder.dir).apiKeys).create({ name: 'bob', permissions: ['admin'] }, Date.now());
  const approve = (secret: string): Promise<Response> => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const path = `http://127.0.0.1/v1/approvals/${proposed.body.proposal.id}/approve`;
    return Promise.resolve(b.fetch(new Request(path, { method: 'POST', headers, body: '{"reason":"compared"}' })));
  };
  assert.equal((await approve(b.folder.keys.admin)).status, 403);
  const done = JSON.parse(await (await approve(key.secret)).text());
  assert.deepEqual(done.resolved, { source_not_owned: 2 });
  const [record] = await b.audit('refusal_resolved');
  assert.match(String(record?.actor), /^agent:bob#/);
  assert.equal(record?.detail['why'], 'namespaces were missing');
});

interface Guard {
  readonly name: string;
  readonly sql: string;
}

async function pair(
  t: { after(clean: () => Promise<void>): void },
  flags: ConfigFlags = {},
): Promise<readonly [MeshNode, MeshNode]> {
  const [a, b] = await Promise.all([MeshNode.create('a.example'), MeshNode.create('b.example')]);
  for (const node of [a, b]) t.after(() => node.stop());
  for (const node of [a, b]) await node.start(flags);
  a.writePeer('b', b.asPeer({ share: ['public'] }, false));
  return [a, b];
}

/** B does not know yet that A speaks for its own namespace. */
function without(a: MeshNode): PeerLine {
  return { ...a.asPeer({ accept: ['public'] }), namespaces: ['elsewhere.example'] };
}

function instruction(node: MeshNode): Parameters<MeshNode['base']['writer']['assert']>[0][number] {
  return {
    entity: `${node.nodeId}/agent/a1`,
    relation: 'ops:order',
    source: `${node.nodeId}/agent/a1`,
    value: 'restart',
    value_type: 'text',
    scope: 'public',
    confidence: 1,
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'instruction',
  };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
async function status(node: MeshNode, peer: string): Promise<any> {
  const { text } = await node.get(`/v1/federation/peers/${peer}`);
  const found = JSON.parse(text);
  return found.name === undefined ? { refused_of_ours: [], namespaces: [] } : found;
}

async function retry(
  node: MeshNode,
  reason: string,
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
): Promise<{ readonly status: number; readonly body: any }> {
  const headers = { authorization: `Bearer ${node.folder.keys.admin}`, 'content-type': 'application/json' };
  const path = 'http://127.0.0.1/v1/federation/peers/a/retry';
  const response = await node.fetch(new Request(path, { method: 'POST', headers, body: JSON.stringify({ reason }) }));
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function say(node: NodeProcess, count: number): Promise<void> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `stigmem://a.example/thing/${i}`,
    relation: 'test:value',
    value: { type: 'string', v: `value ${i}` },
    source: 'stigmem://a.example/agent/a',
    confidence: 1,
    scope: 'public',
  }));
  const { status: code, body } = await node.post('/v1/facts', { facts });
  assert.equal(code, 201, JSON.stringify(body));
}
