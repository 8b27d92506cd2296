/** A row that was edited with its guards off: 409 wherever it is asked for, never part of an answer, never sent to a peer. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { answerPull } from '../../../src/serve/answer-pull.ts';
import type { ServeDeps } from '../../../src/serve/deps.ts';
import { decodePullEnd, isPullEnd } from '../../../src/wire/pull-end.ts';
import { encodePullRequest } from '../../../src/wire/pull-request.ts';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';

/** Stored column -> what somebody writes there, and the code it is found under. */
const EDITS = [
  ['value_v', 'forged', 'cid_mismatch'],
  ['scope', 'team', 'cid_mismatch'],
  ['confidence', 0.25, 'cid_mismatch'],
  ['interpret_as', 'instruction', 'leaf_mismatch'],
  ['valid_until', '2999-01-01T00:00:00Z', 'leaf_mismatch'],
  ['timestamp', '2020-01-01T00:00:00.000000+00:00', 'leaf_mismatch'],
] as const;

interface Fact {
  readonly id: string;
  readonly cid: string;
}

let api: FolderApi;
let good: Fact;
let edited: Fact;

before(async () => {
  api = await openFolderApi();
});
after(() => api.close());

let made = 0;
/** Two public facts about two things; the second is for the test to edit. */
beforeEach(async () => {
  const n = ++made;
  const facts = ['good', 'edited'].map((name) => ({
    entity: `stigmem://example/service/${name}${n}`,
    relation: 'ops:state',
    source: 'stigmem://example/agent/a1',
    value: { type: 'text', v: `true ${n}` },
    scope: 'public',
  }));
  const response = await api.send('/v1/facts', { as: 'full', body: { facts } });
  const { results } = (await response.json()) as { results: { fact: Fact }[] };
  [good, edited] = results.map(({ fact }) => fact) as [Fact, Fact];
});

async function refusal(path: string, method = 'GET'): Promise<Record<string, unknown>> {
  const response = await api.send(path, { as: 'full', method, ...(method === 'POST' ? { body: {} } : {}) });
  const text = await response.text();
  assert.equal(response.status, 409, `${path}: ${text}`);
  assert.doesNotMatch(text, /forged/, 'what was written over it is not shown');
  return (JSON.parse(text) as { detail: Record<string, unknown> }).detail;
}

/** The answer to a peer that pulls everything: which facts it holds, how it ends, and which rows were found corrupt. */
async function pulled(): Promise<{
  readonly text: string;
  readonly end: unknown;
  readonly corrupt: readonly string[];
}> {
  const corrupt: string[] = [];
  const { reader, writer } = api.base;
  const share = [{ feed: 'public', notBeforeMs: null, notAfterMs: null }];
  const deps: ServeDeps = {
    peerOf: () => ({ share, nodeId: 'stigmem://b.example' }) as unknown as ReturnType<ServeDeps['peerOf']>,
    rules: { gardens: new Map(), permits: new Map(), confirmed: new Set() },
    disclose: (disclosure) => writer.disclose(disclosure),
    head: () => writer.head(),
    served: (knownSize) => writer.servedHead(knownSize),
    reader,
    successions: async () => [],
    onLost: async () => {},
    onCorrupt: ({ factId }) => corrupt.push(factId),
    nowMs: Date.now,
  };
  const feeds = [{ after: 0, feed: 'public' }];
  const request = { accept: [], feeds, known_size: 0, page_bytes: 524_288, page_entries: 1_000, pages: 64 };
  let text = '';
  let end: unknown;
  for await (const frame of answerPull(encodePullRequest(request), 'any', deps)) {
    if (isPullEnd(frame)) {
      const decoded = decodePullEnd(frame);
      end = decoded.ok ? decoded.value : null;
    } else text += Buffer.from(frame).toString('latin1');
  }
  return { text, end, corrupt };
}

for (const [column, value, code] of EDITS) {
  test(`${column}: 409 ${code} by id, CID, query and proof; the peer gets nothing; put back, it is served again`, async () => {
    const before = await pulled();
    assert.deepEqual(before.end, { end: true, has_more: false, v: 1 });
    assert.ok(before.text.includes(edited.id) && before.text.includes(good.id));

    const original = await stored(column);
    await api.tamper(edited.id, column, value);
    for (const path of [`/v1/facts/${edited.id}`, `/v1/facts/${edited.cid}`, `/v1/facts/${edited.id}/proof`]) {
      const detail = await refusal(path);
      assert.deepEqual([detail['code'], detail['fact_id'], detail['field']], [code, edited.id, column], path);
    }
    const query = `/v1/facts?entity=${encodeURIComponent(`stigmem://example/service/edited${made}`)}`;
    assert.equal((await refusal(query))['fact_id'], edited.id);
    assert.equal((await refusal('/v1/facts?limit=5'))['fact_id'], edited.id);
    const check = await api.send(`/v1/facts/${edited.id}/verify-cid`, { as: 'full', body: {} });
    const verdict = (await check.json()) as Record<string, unknown>;
    assert.deepEqual([verdict['cid_valid'], verdict['leaf_valid']], [code !== 'cid_mismatch', false]);
    assert.equal((await api.send(`/v1/facts/${good.id}`, { as: 'ro' })).status, 200, 'the fact beside it is served');

    const damaged = await pulled();
    assert.ok(!damaged.text.includes(edited.id), 'not one byte of the row leaves');
    assert.deepEqual(damaged.end, { error: 'unavailable', retry_after_ms: 60_000, v: 1 });
    assert.deepEqual(damaged.corrupt, [edited.id]);

    await api.tamper(edited.id, column, original as string);
    assert.equal((await api.send(`/v1/facts/${edited.id}`, { as: 'ro' })).status, 200);
    assert.deepEqual((await pulled()).end, { end: true, has_more: false, v: 1 });
  });
}

/** What the column holds, as SQL will take it back. */
async function stored(column: string): Promise<unknown> {
  const response = await api.send(`/v1/facts/${edited.id}`, { as: 'ro' });
  const fact = (await response.json()) as Record<string, unknown> & { value: Record<string, unknown> };
  if (column === 'value_v') return fact.value['v'];
  return column === 'interpret_as' ? fact.value['interpret_as'] : fact[column];
}

test('each damaged row stands in the audit log, once', async () => {
  await api.tamper(edited.id, 'value_v', 'forged');
  for (let i = 0; i < 3; i++) await refusal(`/v1/facts/${edited.id}`);
  const response = await api.send(`/v1/federation/audit?fact_id=${edited.id}`, { as: 'audit' });
  const { entries } = (await response.json()) as { entries: { event_type: string; reason: string; cid: string }[] };
  assert.deepEqual(
    entries.map(({ event_type, reason, cid }) => [event_type, reason, cid]),
    [['journal_verification_failed', 'cid_mismatch', edited.cid]],
  );
});
