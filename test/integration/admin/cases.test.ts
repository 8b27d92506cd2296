/** Cases over the API: found, read, changed by version, many at once after a preview, and told as they change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openKeyStore } from '../../../src/admin/keys.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { isoMicros } from '../../../src/core/time.ts';
import type { SendOptions } from '../../support/api-fixture.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';

const ACME = 'stigmem://acme.example';
const refusal = (reason: string, feed = 'public', peer = ACME) =>
  ({ event: 'federation_integrity_rejected', reason, peer, feed, detail: { key_id: '0a0b0c0d' } }) as const;

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every shape
  readonly body: any;
}

async function ask(node: FolderApi, path: string, options: SendOptions = {}): Promise<Answered> {
  const response = await node.send(path, { as: 'admin', ...options });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const post = (node: FolderApi, path: string, body: object, options: SendOptions = {}): Promise<Answered> =>
  ask(node, path, { method: 'POST', body, ...options });

test('a case is found, read with its records, changed by the version that was seen; who comes late learns who was there', async (t) => {
  const node = await openFolderApi();
  t.after(() => node.close());
  await node.audit(refusal('cid_mismatch'), refusal('cid_mismatch'), refusal('feed_gap'));
  await node.audit({ event: 'own_history_forked' }, { event: 'api_key_created' });
  const list = await ask(node, '/v1/cases?severity=critical&state=open');
  assert.deepEqual(
    list.body.cases.map((one: { reason: string; topic: string }) => one.reason ?? one.topic),
    ['own_history_forked', 'feed_gap'],
  );
  assert.equal((await ask(node, '/v1/cases?state=lost')).status, 422);
  assert.deepEqual((await ask(node, '/v1/cases?drills=only')).body.cases, []);
  assert.equal((await ask(node, '/v1/cases?drills=some')).status, 422);
  assert.equal((await node.send('/v1/cases', { as: 'ro' })).status, 403);
  assert.equal((await node.send('/v1/cases', { as: 'audit' })).status, 200);

  const found = (await ask(node, `/v1/cases?reason=cid_mismatch&peer_id=${encodeURIComponent(ACME)}`)).body.cases;
  const [{ id, uid, version, seen, key_id }] = found;
  assert.deepEqual([found.length, seen, key_id], [1, 2, '0a0b0c0d']);
  assert.equal((await ask(node, `/v1/cases/${uid}`)).body.case.id, id);
  assert.equal((await ask(node, '/v1/cases/999999')).status, 404);

  const seenBy = await post(node, `/v1/cases/${id}/acknowledge`, { version });
  assert.deepEqual([seenBy.status, seenBy.body.case.state], [200, 'acknowledged']);
  const late = await post(node, `/v1/cases/${id}/investigate`, { version });
  assert.deepEqual([late.status, late.body.detail.code], [409, 'version_stale']);
  assert.match(late.body.detail.message, /agent:admin#.* \(acknowledge\)/);
  assert.equal((await post(node, `/v1/cases/${id}/acknowledge`, { version }, { as: 'audit' })).status, 403);
  const now = seenBy.body.case.version;
  assert.equal((await post(node, `/v1/cases/${id}/resolve`, { version: now, why: 'x' })).status, 422);
  assert.equal((await post(node, `/v1/cases/${id}/acknowledge`, { version: now })).body.detail.code, 'state_forbids');
  await post(node, `/v1/cases/${id}/note`, { why: 'asked <b>them</b> by 100% telephone' });
  assert.equal((await ask(node, `/v1/cases?text=${encodeURIComponent('100%')}`)).body.cases.length, 1);
  assert.equal((await ask(node, '/v1/cases?text=never')).body.cases.length, 0);

  const file = (await ask(node, `/v1/cases/${id}?order=oldest`)).body;
  assert.deepEqual(
    file.timeline.events.map((one: { kind: string; record: { reason: string } }) => [one.kind, one.record.reason]),
    [
      ['seen', 'cid_mismatch'],
      ['seen', 'cid_mismatch'],
      ['change', 'acknowledged'],
      ['change', 'noted'],
    ],
  );
  assert.match(file.timeline.events[2].record.actor, /^agent:admin#/);
  const counts = (await ask(node, '/v1/cases/counts')).body.counts;
  assert.equal(counts.find((one: { state: string }) => one.state === 'acknowledged').count, 1);
});

test('all steps: assign, ticket, wait, suppress with owner and end, reopen, resolve', async (t) => {
  const node = await openFolderApi();
  t.after(() => node.close());
  const id = await node.audit(refusal('cid_mismatch'));
  const step = async (move: string, said: object): Promise<Answered> => {
    const { version } = (await ask(node, `/v1/cases/${id}`)).body.case;
    return post(node, `/v1/cases/${id}/${move}`, { version, ...said });
  };
  assert.equal((await step('assign', { assignee: 'ann' })).body.case.assignee, 'ann');
  assert.equal((await step('assign', { assignee: 'ann' })).status, 409);
  assert.equal((await ask(node, '/v1/cases?assignee=ann')).body.cases.length, 1);
  assert.equal((await ask(node, '/v1/cases?assignee=none')).body.cases.length, 0);
  assert.equal((await step('ticket', { ticket: 'SEC-42' })).body.case.ticket, 'SEC-42');
  assert.equal((await step('wait', { why: 'they look for it' })).body.case.state, 'waiting');
  const until = new Date(Date.now() + 3_600_000).toISOString();
  assert.equal((await step('suppress', { why: 'known', owner: 'ann' })).status, 422);
  assert.equal((await step('suppress', { why: 'known', owner: 'ann', until: '2020-01-01' })).status, 422);
  const suppressed = await step('suppress', { why: 'known', owner: 'ann', until });
  assert.deepEqual(suppressed.body.case.suppression, {
    owner: 'ann',
    reason: 'known',
    until: isoMicros(Date.parse(until) * 1000),
    absorbed: 0,
    expired: false,
  });
  assert.equal((await step('reopen', { why: 'not known at all' })).body.case.suppression, null);
  assert.equal((await step('resolve', { why: 'fixed in 2.1', verdict: 'peer_bug' })).body.case.verdict, 'peer_bug');
  await node.audit(refusal('cid_mismatch'));
  assert.equal((await ask(node, `/v1/cases/${id}`)).body.case.state, 'reopened');
});

test('paging loses no case while cases change, and a copy can follow the changes', async (t) => {
  const node = await openFolderApi();
  t.after(() => node.close());
  for (let i = 0; i < 30; i++) await node.audit(refusal('cid_mismatch', `feed-${i}`));
  const ids = new Set<number>();
  let cursor = '';
  do {
    const page = (await ask(node, `/v1/cases?limit=7${cursor}`)).body;
    for (const { id } of page.cases) ids.add(id);
    await node.audit(refusal('cid_mismatch', `feed-${ids.size}`), refusal('feed_gap', `feed-${ids.size}`));
    cursor = page.has_more ? `&cursor=${page.cursor}` : '';
  } while (cursor !== '');
  assert.equal(ids.size, 30);
  const all = (await ask(node, '/v1/cases?order=changed&limit=500')).body;
  await node.audit(refusal('cid_mismatch', 'feed-3'));
  const later = (await ask(node, `/v1/cases?order=changed&cursor=${all.cursor}`)).body;
  assert.deepEqual(
    later.cases.map((one: { feed: string }) => one.feed),
    ['feed-3'],
  );
});

test('many at once: what the preview says is what happens, or nothing', async (t) => {
  const node = await openFolderApi();
  t.after(() => node.close());
  await node.audit(refusal('cid_mismatch', 'a'), refusal('cid_mismatch', 'b'), refusal('feed_gap', 'c'));
  const body = { filter: { reason: 'cid_mismatch', state: 'open' }, move: 'resolve', verdict: 'clock', why: 'a batch' };
  const preview = (await post(node, '/v1/cases/bulk', body)).body;
  assert.equal(preview.would_change.length, 2);
  assert.equal((await ask(node, '/v1/cases?state=resolved')).body.cases.length, 0);
  await node.audit(refusal('cid_mismatch', 'd'));
  const stale = await post(node, '/v1/cases/bulk', { ...body, token: preview.token });
  assert.deepEqual([stale.status, stale.body.detail.code], [409, 'set_changed']);
  const done = await post(node, '/v1/cases/bulk', { ...body, token: stale.body.detail.preview.token });
  assert.deepEqual([done.status, done.body.changed.length], [200, 3]);
  assert.equal((await ask(node, '/v1/cases?state=resolved')).body.cases.length, 3);
  assert.equal((await post(node, '/v1/cases/bulk', { move: 'note', why: 'x' })).status, 422);
});

test('two persons close a case where review.four_eyes says so; who follows is told of each step', async (t) => {
  const node = await openFolderApi(undefined, { 'review.four_eyes': 'case.resolve' });
  t.after(() => node.close());
  const bob = openKeyStore(dataPaths(node.dir).apiKeys).create(
    { name: 'bob', permissions: ['review'] },
    Date.now(),
  ).secret;
  const stop = new AbortController();
  t.after(() => stop.abort());
  const stream = (
    await node.send('/v1/cases/stream?cursor=0', { as: 'admin', stopping: stop.signal })
  ).body?.getReader();
  const id = await node.audit(refusal('feed_gap'));
  const proposed = await post(node, `/v1/cases/${id}/resolve`, { version: id, verdict: 'malicious', why: 'they lied' });
  assert.equal(proposed.status, 202);
  const proposal = proposed.body.proposal.id;
  assert.equal((await ask(node, `/v1/cases/${id}`)).body.proposals[0].id, proposal);
  const read = async (number: number): Promise<Answered> => {
    const answer = await node.send(`/v1/approvals/${number}/approve`, {
      method: 'POST',
      body: { reason: 'read it' },
      headers: { authorization: `Bearer ${bob}` },
    });
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  const other = await node.audit(refusal('cid_mismatch'));
  const said = { version: other, verdict: 'clock', why: 'their clock' };
  const stale = (await post(node, `/v1/cases/${other}/resolve`, said)).body.proposal;
  assert.deepEqual(stale.params, { verdict: 'clock', version: other });
  const cli = await createCliFixture();
  t.after(() => cli.close());
  cli.node.openOffline = async () => ({
    fetch: (request) => node.send(new URL(request.url).pathname + new URL(request.url).search, { as: 'admin' }),
    close: async () => undefined,
  });
  const listed = await cli.runBare(['approval', 'list', '--data', cli.dir]);
  assert.match(
    listed.stdout,
    new RegExp(`case:${other} +verdict clock, version ${other} `),
    listed.stdout + listed.stderr,
  );
  await post(node, `/v1/cases/${other}/acknowledge`, { version: other });
  const late = await read(stale.id);
  assert.deepEqual([late.status, late.body.detail.code], [409, 'version_stale']);
  assert.equal((await ask(node, `/v1/cases/${other}`)).body.case.state, 'acknowledged');

  const { version } = (await ask(node, `/v1/cases/${other}`)).body.case;
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const quiet = { version, why: 'known', owner: 'ann', until };
  const asked = await post(node, `/v1/cases/${other}/suppress`, quiet);
  assert.equal(asked.status, 202, 'whoever may not resolve alone may not suppress alone');
  assert.equal(asked.body.proposal.action, 'case.suppress');
  const hushed = await read(asked.body.proposal.id);
  assert.deepEqual([hushed.status, hushed.body.case.suppression.owner], [200, 'ann'], JSON.stringify(hushed.body));
  assert.deepEqual((await ask(node, '/v1/approvals')).body.four_eyes, ['case.resolve', 'case.suppress']);

  const path = `/v1/approvals/${proposal}/approve`;
  assert.equal((await post(node, path, { reason: 'me too' })).body.detail.code, 'same_actor');
  const approved = await read(proposal);
  assert.deepEqual([approved.status, approved.body.case.state], [200, 'resolved'], JSON.stringify(approved.body));
  let text = '';
  while (!text.includes('"move":"resolve"')) {
    const piece = await stream?.read();
    assert.equal(piece?.done, false, text);
    text += new TextDecoder().decode(piece.value);
  }
  assert.match(text, new RegExp(`id: ${id}\ndata: {"kind":"seen"`));
});
