import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';
import { keyState } from '../../../src/admin/keys.ts';
import type { PeerStatus } from '../../../src/core/peer-status.ts';
import { createTestApi, type Role } from '../../support/api-fixture.ts';
import { MemoryNode } from '../../support/memory-node.ts';

const PEER: PeerStatus = {
  name: 'beta',
  node_id: 'stigmem://b.example',
  peer_id: '12D3KooWB',
  addresses: ['/ip4/127.0.0.1/tcp/4002'],
  state: 'waiting',
  waiting_on: 'it does not answer; next attempt in 30 s',
  circuit: 'open',
  circuit_reason: 'down',
  circuit_until: null,
  share: ['public', 'company/incident-42', 'from/c.example/team'],
  accept: ['public'],
  namespaces: ['b.example'],
  cursors: [{ feed: 'public', after: 3, length: 9 }],
  lag_entries: 6,
  checkpoint: { size: 9, root: 'AAAA' },
  accepted: 3,
  refused: 1,
  acknowledged: [{ feed: 'public', to: 2 }],
  closed: [],
  refused_of_ours: [],
  last_verdicts: [],
  last_contact_at: null,
  last_error: null,
  next_attempt_at: null,
  pinned_log_key: null,
  key_changes: [],
  clock_skew_ms: null,
};

test('peers: the reference’s members, our state, found by name, node id or peer id', async () => {
  const api = await createTestApi({ peers: [PEER] });
  const list = (await (await api.send('/v1/federation/peers', { as: 'federate' })).json()) as {
    peers: Record<string, unknown>[];
  };
  const shown = list.peers[0] ?? {};
  assert.deepEqual(Object.keys(shown).slice(0, 6), [
    'peer_id',
    'node_id',
    'node_url',
    'status',
    'allowed_scopes',
    'established_at',
  ]);
  assert.equal(shown['status'], 'active');
  assert.deepEqual(shown['allowed_scopes'], ['team', 'company', 'public']);
  assert.equal(shown['waiting_on'], PEER.waiting_on);
  for (const id of ['beta', '12D3KooWB', 'stigmem://b.example', encodeURIComponent('stigmem://b.example')]) {
    const response = await api.send(`/v1/federation/peers/${id}`, { as: 'federate' });
    assert.equal(response.status, 200, id);
    assert.deepEqual(await response.json(), shown);
  }
  const metrics = await (await api.send('/metrics')).text();
  assert.match(metrics, /stigmem_peerd_peer_state\{peer="beta",state="waiting"\} 1/);
  assert.match(metrics, /stigmem_peerd_peer_state\{peer="beta",state="current"\} 0/);
  assert.match(metrics, /stigmem_peerd_peer_lag_entries\{peer="beta"\} 6/);
  await api.close();
});

test('metrics need a key where the node is not on loopback', async () => {
  const api = await createTestApi({ openMetrics: false });
  assert.equal((await api.send('/metrics')).status, 401);
  assert.equal((await api.send('/metrics', { as: 'ro' })).status, 200);
  await api.close();
});

test('readiness says which check failed', async () => {
  const api = await createTestApi({ ready: false });
  const response = await api.send('/readyz');
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), {
    status: 'not_ready',
    checks: [{ name: 'journal', ok: false, detail: 'open' }],
    notices: [],
  });
  assert.equal((await api.send('/healthz')).status, 200);
  await api.close();
});

test('a node that cannot do it now says 503 and when to come back; what failed inside stays inside', async () => {
  const api = await createTestApi();
  for (const [code, status] of [
    ['writer_busy', 503],
    ['busy', 503],
    ['closed', 503],
    ['writer_closed', 503],
    ['SQLITE_FULL', 503],
    ['other', 500],
  ] as const) {
    api.fail(code);
    const response = await api.send('/v1/facts', { as: 'full' });
    const text = await response.text();
    assert.equal(response.status, status, text);
    assert.ok(!text.includes('secret'), text);
    assert.equal(typeof (JSON.parse(text) as { detail: unknown }).detail, 'string');
  }
  assert.ok(
    api.log.some((line) => line.includes('/secret/path')),
    'the log tells the operator',
  );
  await api.close();
});

test('no answer in time is 504, and says that a write may still happen', async () => {
  const api = await createTestApi({ limits: { requestMs: 5 } });
  void api.hang();
  const response = await api.send('/v1/facts', { as: 'full' });
  assert.equal(response.status, 504);
  assert.match(
    ((await response.json()) as { detail: string }).detail,
    /send it again, a repeat changes nothing\. Of any other change look first/,
  );
  await api.close();
});

test('a quota refills', async () => {
  const tight = { burst: 2, perSecond: 1 };
  const api = await createTestApi({
    limits: { quotas: { ...DEFAULT_API_LIMITS.quotas, fact_read: tight } },
  });
  const statuses = async (): Promise<number[]> => {
    const all: number[] = [];
    for (let index = 0; index < 3; index += 1) all.push((await api.send('/v1/facts', { as: 'full' })).status);
    return all;
  };
  assert.deepEqual(await statuses(), [200, 200, 429]);
  api.advance(1_000);
  assert.deepEqual(await statuses(), [200, 429, 429]);
  assert.equal((await api.send('/v1/facts', { as: 'ro' })).status, 200, 'another key has its own');
  assert.equal((await api.send('/v1/federation/audit', { as: 'full' })).status, 200, 'other routes have another');
  await api.close();
});

test('every route of a key has a bucket, and no flood of it stands in the way of ending the trouble', async () => {
  const tight = { burst: 1, perSecond: 0.5 };
  const { remedy, failed_authentication, sign_in_begun, sign_in_link } = DEFAULT_API_LIMITS.quotas;
  const rates = { fact_read: tight, fact_write: tight, operator_read: tight, admin_action: tight, witness: tight };
  const api = await createTestApi({
    limits: { quotas: { ...rates, remedy, failed_authentication, sign_in_begun, sign_in_link } },
  });
  const flood = ['/v1/federation/audit', '/v1/facts', '/v1/federation/peers/x', '/v1/me', '/v1/federation/notices'];
  for (let round = 0; round < 3; round += 1) {
    for (const path of flood) await api.send(path, { as: 'admin' });
    await api.send('/v1/admin/keys', { as: 'admin', body: { name: `k${round}`, role: 'reader' } });
  }
  const over = await api.send('/v1/federation/audit', { as: 'admin' });
  assert.equal(over.status, 429);
  assert.equal(over.headers.get('retry-after'), '2');
  assert.deepEqual(await over.json(), {
    error: 'quota_exceeded',
    dimension: 'operator_read',
    principal: 'agent:admin',
    retry_after: 2,
  });
  // What `status` and `key revoke` ask.
  for (const path of ['/v1/admin/keys', '/v1/federation/peers', '/v1/keys', '/v1/anchors?limit=1', '/v1/journal/head'])
    assert.equal((await api.send(path, { as: 'admin' })).status, 200, path);
  const [key] = api.keyStore.list().filter(({ name }) => name === 'k0');
  assert.equal((await api.send(`/v1/admin/keys/${key?.id}`, { as: 'admin', method: 'DELETE' })).status, 200);
  await api.close();
});

test('who fails to authenticate is slowed by address, and no good key with it', async () => {
  const api = await createTestApi();
  const { burst } = DEFAULT_API_LIMITS.quotas.failed_authentication;
  const from = (address: string, as?: Role): Promise<Response> => {
    const authorization = as === undefined ? `Bearer smk_00000000_${'A'.repeat(43)}` : `Bearer ${api.keys[as]}`;
    return Promise.resolve(api.api.request('/v1/me', { headers: { authorization } }, { address }));
  };
  for (let index = 0; index < burst; index += 1) assert.equal((await from('192.0.2.7')).status, 401);
  const over = await from('::ffff:192.0.2.7');
  assert.equal(over.status, 429);
  assert.equal(over.headers.get('retry-after'), '1');
  assert.equal(((await over.json()) as { dimension: string }).dimension, 'failed_authentication');
  assert.equal((await from('192.0.2.7', 'ro')).status, 200, 'a good key of the same address');
  assert.equal((await from('192.0.2.8')).status, 401, 'another address');
  api.advance(1_000);
  assert.equal((await from('192.0.2.7')).status, 401);
  // Many addresses cost bounded memory and make nobody else forget.
  for (let index = 0; index < 12_000; index += 1) await from(`10.${index >> 8}.${index & 255}.1`);
  assert.equal((await from('192.0.2.8', 'ro')).status, 200);
  await api.close();
});

test('a key of a role, and one of automation, which is refused what people decide', async () => {
  const api = await createTestApi();
  const make = async (body: object): Promise<Record<string, unknown>> =>
    (await (await api.send('/v1/admin/keys', { as: 'admin', body })).json()) as Record<string, unknown>;
  const operator = await make({ name: 'olga', role: 'operator' });
  assert.deepEqual([operator['class'], operator['role']], ['human', 'operator']);
  const agent = await make({ name: 'agent', role: 'writer' });
  assert.equal(agent['class'], 'automation');
  const refused = await api.send('/v1/admin/keys', {
    as: 'admin',
    body: { name: 'bad', role: 'reviewer', class: 'automation' },
  });
  assert.equal(refused.status, 422);
  assert.match(await refused.text(), /class automation cannot have review/);
  assert.equal((await api.send('/v1/admin/keys', { as: 'admin', body: { name: 'none' } })).status, 422);

  const withKey = (key: Record<string, unknown>, path: string, method = 'GET'): Promise<Response> =>
    api.send(path, { method, headers: { authorization: `Bearer ${key['secret']}` } });
  assert.equal((await withKey(operator, '/v1/federation/peers/x/resume', 'POST')).status, 404, 'it may; there is no x');
  assert.equal((await withKey(operator, '/v1/admin/keys')).status, 403);
  assert.equal((await withKey(agent, '/v1/federation/peers/x/resume', 'POST')).status, 403);

  // Written into the file by hand: the class decides all the same.
  const file = api.keyFile;
  const text = readFileSync(file, 'utf8');
  const edited = JSON.parse(text) as { keys: { name: string; permissions: string[] }[] };
  for (const key of edited.keys) if (key.name === 'agent') key.permissions = ['admin', 'read', 'review', 'write'];
  writeFileSync(file, JSON.stringify(edited), { mode: 0o600 });
  for (const path of ['/v1/admin/keys', '/v1/federation/peers/x/grants']) {
    const answer = await withKey(agent, path);
    assert.equal(answer.status, 403, path);
    assert.match(await answer.text(), /class automation, which may not have it/);
  }
  const { keys } = (await (await api.send('/v1/admin/keys', { as: 'admin' })).json()) as {
    keys: { name: string; last_used_at: string | null }[];
  };
  assert.deepEqual(
    keys.filter(({ last_used_at }) => last_used_at !== null).map(({ name }) => name),
    ['admin', 'olga', 'agent'],
  );
  await api.close();
});

test('keys: created, listed without secrets, revoked, and every change audited', async () => {
  const api = await createTestApi();
  const created = await api.send('/v1/admin/keys', {
    as: 'admin',
    body: { name: 'new', permissions: ['read'], days: 7 },
  });
  assert.equal(created.status, 201);
  const key = (await created.json()) as { id: string; secret: string };
  const use = (): Promise<Response> => api.send('/v1/me', { headers: { authorization: `bearer ${key.secret}` } });
  assert.equal((await use()).status, 200);
  const list = await (await api.send('/v1/admin/keys', { as: 'admin' })).text();
  assert.ok(list.includes(key.id) && !list.includes(key.secret) && !list.includes('sha256'));
  assert.equal(
    (await api.send('/v1/admin/keys', { as: 'admin', body: { name: 'new', permissions: ['read'] } })).status,
    409,
  );
  assert.equal(
    (await api.send('/v1/admin/keys', { as: 'admin', body: { name: 'x', permissions: ['root'] } })).status,
    422,
  );
  assert.equal(
    (await api.send('/v1/admin/keys', { as: 'full', body: { name: 'x', permissions: ['read'] } })).status,
    403,
  );
  // Once more changes nothing, and is no second record.
  for (let i = 0; i < 2; i++)
    assert.equal((await api.send(`/v1/admin/keys/${key.id}`, { as: 'admin', method: 'DELETE' })).status, 200);
  assert.equal((await use()).status, 401);
  assert.equal((await api.send('/v1/admin/keys/00000000', { as: 'admin', method: 'DELETE' })).status, 404);
  const audit = (await (await api.send('/v1/federation/audit?order=asc', { as: 'audit' })).json()) as {
    entries: { event_type: string }[];
  };
  assert.deepEqual(
    audit.entries.map((entry) => entry.event_type),
    ['api_key_created', 'api_key_revoked'],
  );
  await api.close();
});

test('keys: what a crash or a full disk left without a record has one when it is asked for again', async (t) => {
  const api = await createTestApi();
  const create = (name: string): Promise<Response> =>
    api.send('/v1/admin/keys', { as: 'admin', body: { name, permissions: ['read'] } });
  const events = async (): Promise<readonly string[]> => {
    const page = await (await api.send('/v1/federation/audit?order=asc', { as: 'audit' })).json();
    return (page as { entries: { event_type: string }[] }).entries.map(({ event_type }) => event_type);
  };
  const { id, created_at } = (await (await create('old')).json()) as { id: string; created_at: string };
  // Killed behind the file of keys.
  api.keyStore.revoke(id, Date.parse(created_at));
  for (let i = 0; i < 2; i++)
    assert.equal((await api.send(`/v1/admin/keys/${id}`, { as: 'admin', method: 'DELETE' })).status, 200);
  assert.deepEqual(await events(), ['api_key_created', 'api_key_revoked'], 'one record, and no second one');

  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const audit = t.mock.method(MemoryNode.prototype, 'audit', () => Promise.reject(full), { times: 1 });
  assert.equal((await create('new')).status >= 500, true);
  assert.equal(audit.mock.callCount(), 1);
  const left = api.keyStore.list().filter(({ name }) => name === 'new');
  assert.deepEqual(
    left.map((key) => keyState(key, Date.parse(created_at))),
    ['revoked'],
    'no key in force that nobody has, and nobody knows of',
  );
  assert.equal((await create('new')).status, 201, 'and its name is free');
  await api.close();
});

test('an expired key is nobody', async () => {
  const api = await createTestApi();
  api.advance(91 * 86_400_000);
  assert.equal((await api.send('/v1/me', { as: 'full' })).status, 401);
  assert.match(await (await api.send('/metrics')).text(), /stigmem_peerd_auth_failures_total 1/);
  await api.close();
});

test('journal endpoints: head, checkpoint of either log, proof by id and CID', async () => {
  const api = await createTestApi();
  const body = { entity: 'e:1', relation: 'x:y', value: { type: 'string', v: 'v' }, source: 's' };
  const fact = (await (await api.send('/v1/facts', { as: 'full', body })).json()) as { id: string; cid: string };
  const head = (await (await api.send('/v1/journal/head', { as: 'ro' })).json()) as Record<string, unknown>;
  assert.equal(head['size'], 1);
  const note = await api.send('/v1/journal/checkpoint', { as: 'ro' });
  assert.equal(note.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(await note.text(), head['checkpoint']);
  assert.match(await (await api.send('/v1/journal/checkpoint?log=audit', { as: 'ro' })).text(), /^example\/audit/);
  const byId = await (await api.send(`/v1/facts/${fact.id}/proof`, { as: 'ro' })).json();
  const byCid = await (await api.send(`/v1/facts/${fact.cid}/proof`, { as: 'ro' })).json();
  assert.deepEqual(byId, byCid);
  assert.equal((await api.send('/v1/facts/sha256:x/proof', { as: 'ro' })).status, 400);
  assert.equal((await api.send('/v1/facts/none/proof', { as: 'ro' })).status, 404);
  await api.close();
});

test('a log whose checkpoints were cosigned too often is told when the next one is', async () => {
  const busy = { kind: 'busy', retryAfterMs: 1_728 } as const;
  const witness = { add: async () => busy, monitored: async () => null, state: async () => assert.fail('not asked') };
  const api = await createTestApi({ witness });
  const response = await api.send('/witness/add-checkpoint', { method: 'POST', raw: 'old 0\n\nlog.example\n1\n' });
  assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '2']);
  await api.close();
});
