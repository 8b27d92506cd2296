import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AuditEntry } from '../../../src/admin/api/audit-entry.ts';
import { createTestApi, type TestApi } from '../../support/api-fixture.ts';

const A = 'stigmem://a.example';
const B = 'stigmem://b.example';
let api: TestApi;

before(async () => {
  api = await createTestApi();
  for (let index = 1; index <= 60; index += 1) {
    await api.audit({
      event: index % 2 === 0 ? 'federation_integrity_rejected' : 'scope_violation',
      reason: index % 3 === 0 ? 'cid_mismatch' : 'scope_not_granted',
      peer: index % 5 === 0 ? A : B,
      feed: 'public',
      factId: `f${index}`,
    });
  }
});
after(() => api.close());

interface Page {
  entries: AuditEntry[];
  cursor: string | null;
  has_more: boolean;
}

async function page(query: string): Promise<Page> {
  const response = await api.send(`/v1/federation/audit${query}`, { as: 'audit' });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Page;
}

for (const order of ['asc', 'desc'] as const) {
  test(`following cursors, ${order}, reaches every record exactly once while new ones arrive`, async () => {
    const own = await createTestApi();
    for (let index = 0; index < 40; index += 1) await own.audit({ event: 'x' });
    const seen: number[] = [];
    let query = `?order=${order}&limit=7`;
    for (;;) {
      const response = await own.send(`/v1/federation/audit${query}`, { as: 'audit' });
      const { entries, cursor, has_more } = (await response.json()) as Page;
      seen.push(...entries.map((entry) => entry.seq));
      if (seen.length < 60) await own.audit({ event: 'y' }, { event: 'y' });
      if (!has_more) break;
      query = `?order=${order}&limit=7&cursor=${cursor}`;
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(Array.from({ length: 40 }, (_, index) => index + 1).every((seq) => seen.includes(seq)));
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => (order === 'asc' ? a - b : b - a)),
    );
    await own.close();
  });
}

test('filters combine', async () => {
  const found = await page(`?peer_id=${A}&event_type=federation_integrity_rejected&reason=cid_mismatch&limit=500`);
  assert.deepEqual(
    found.entries.map((entry) => entry.seq),
    [60, 30],
  );
  assert.deepEqual(
    (await page('?fact_id=f7')).entries.map((entry) => entry.seq),
    [7],
  );
  const middle = (await page('?fact_id=f30')).entries[0]?.ts ?? '';
  assert.equal((await page(`?since=${encodeURIComponent(middle)}&limit=500`)).entries.length, 31);
  assert.equal((await page(`?until=${encodeURIComponent(middle)}&limit=500`)).entries.length, 30);
  assert.equal((await page(`?since=${middle}&limit=500`)).entries.length, 31, 'a + that was not escaped');
  assert.equal((await page('?since=2026-11-23T13:00:00%2B01:00&limit=500')).entries.length, 60, 'another offset');
});

test('a severity is shown, and is a lane', async () => {
  const all = await page('?limit=500');
  const severe = await page('?min_severity=high&limit=500');
  assert.deepEqual(new Set(all.entries.map(({ severity }) => severity)), new Set(['high', 'medium']));
  assert.deepEqual(
    severe.entries.map(({ seq }) => seq),
    all.entries.filter(({ reason }) => reason === 'scope_not_granted').map(({ seq }) => seq),
  );
  assert.equal((await page('?min_severity=critical')).entries.length, 0);
});

test('bad parameters are named', async () => {
  for (const query of [
    '?limit=501',
    '?min_severity=urgent',
    '?limit=0',
    '?order=up',
    '?since=yesterday',
    '?cursor=-1',
    '?cursor=x',
    '?format=xml',
  ]) {
    const response = await api.send(`/v1/federation/audit${query}`, { as: 'audit' });
    assert.equal(response.status, 422, query);
    const { detail } = (await response.json()) as { detail: { loc: string[] }[] };
    assert.deepEqual(detail[0]?.loc, ['query', query.slice(1).split('=')[0]]);
  }
});

test('JSON lines: every match in sequence order, whatever the page limit', async () => {
  const many = await createTestApi();
  for (let index = 0; index < 1_203; index += 1) await many.audit({ event: index % 2 === 0 ? 'x' : 'y' });
  const all = await many.send('/v1/federation/audit', { as: 'audit', headers: { accept: 'application/x-ndjson' } });
  assert.equal(all.headers.get('content-type'), 'application/x-ndjson');
  const lines = (await all.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);
  assert.deepEqual(
    lines.map((entry) => entry.seq),
    Array.from({ length: 1_203 }, (_, index) => index + 1),
  );
  const some = await many.send('/v1/federation/audit?format=jsonl&event_type=y&cursor=1000', { as: 'audit' });
  assert.equal((await some.text()).trimEnd().split('\n').length, 101);
  await many.close();
});

test('one record with its evidence; what is not there is 404, what is no number 422', async () => {
  const response = await api.send('/v1/federation/audit/3', { as: 'federate' });
  const { record, evidence, intact } = (await response.json()) as {
    record: AuditEntry;
    evidence: unknown;
    intact: boolean;
  };
  assert.deepEqual([record.seq, evidence, intact], [3, null, true]);
  assert.equal((await api.send('/v1/federation/audit/999', { as: 'federate' })).status, 404);
  assert.equal((await api.send('/v1/federation/audit/x', { as: 'federate' })).status, 422);
  assert.equal((await api.send('/v1/federation/audit/3', { as: 'ro' })).status, 403);
});

/** Reads an event stream piece by piece. */
class Events {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = '';

  constructor(response: Response) {
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.ok(response.body);
    this.#reader = response.body.getReader();
  }

  /** The next block of the stream that has an id and data, or the text of one that has none. */
  async next(): Promise<string> {
    while (!this.#text.includes('\n\n')) {
      const { done, value } = await this.#reader.read();
      if (done) return 'end';
      this.#text += Buffer.from(value).toString();
    }
    const end = this.#text.indexOf('\n\n');
    const block = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return block;
  }

  async seqs(count: number): Promise<number[]> {
    const seqs: number[] = [];
    while (seqs.length < count) {
      const block = await this.next();
      const match = /^id: (\d+)\ndata: (.*)$/.exec(block);
      if (match === null) continue;
      assert.equal((JSON.parse(match[2] ?? '') as AuditEntry).seq, Number(match[1]));
      seqs.push(Number(match[1]));
    }
    return seqs;
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

test('the event stream gives what comes, and goes on after Last-Event-ID', async () => {
  const own = await createTestApi();
  await own.audit({ event: 'x' }, { event: 'x' }, { event: 'x' });
  const now = new Events(await own.send('/v1/federation/audit/stream', { as: 'audit' }));
  assert.match(await now.next(), /records after 3/);
  await own.audit({ event: 'x' }, { event: 'x' });
  assert.deepEqual(await now.seqs(2), [4, 5]);
  await now.close();

  const headers = { 'last-event-id': '2', accept: 'text/event-stream' };
  const later = new Events(await own.send('/v1/federation/audit', { as: 'audit', headers }));
  assert.deepEqual(await later.seqs(3), [3, 4, 5]);
  const waiting = later.seqs(1);
  await own.audit({ event: 'x' });
  assert.deepEqual(await waiting, [6]);
  await later.close();
  assert.equal(
    (await own.send('/v1/federation/audit/stream', { as: 'audit', headers: { 'last-event-id': 'x' } })).status,
    422,
  );
  await own.close();
});

test('a filtered stream shows only matches, and its heartbeat moves the client on past the rest', async () => {
  const own = await createTestApi({ limits: { streamHeartbeatMs: 5 } });
  await own.audit({ event: 'x' }, { event: 'wanted' });
  const events = new Events(await own.send('/v1/federation/audit/stream?cursor=0&event_type=wanted', { as: 'audit' }));
  assert.deepEqual(await events.seqs(1), [2]);
  await own.audit({ event: 'x' }, { event: 'x' });
  let block = await events.next();
  while (!block.endsWith('id: 4')) block = await events.next();
  assert.equal(block, ': heartbeat\nid: 4');
  await own.audit({ event: 'wanted' });
  assert.deepEqual(await events.seqs(1), [5]);
  await events.close();
  await own.close();
});

test('lines that are read slowly break off when the key is revoked', async () => {
  const own = await createTestApi();
  for (let index = 0; index < 1_203; index++) await own.audit({ event: 'x' });
  const answer = await own.send('/v1/federation/audit?format=jsonl', { as: 'audit' });
  const reader = answer.body?.getReader();
  assert.equal((await reader?.read())?.done, false);
  own.keyStore.revoke(own.keyStore.list().find(({ name }) => name === 'audit')?.id ?? '', 0);
  await assert.rejects(async () => reader?.read(), /not in force/);
  await own.close();
});

test('matches behind what one call looks at are found: in a page, as lines, and by who follows', async () => {
  const own = await createTestApi();
  for (let index = 1; index <= 30; index++) await own.audit({ event: 'x', feed: index === 30 ? 'wanted' : 'public' });
  // As the journal's reader does where no index leads to the matches.
  own.lookAt(4);
  for (const order of ['asc', 'desc']) {
    const one = await own.send(`/v1/federation/audit?feed=wanted&order=${order}`, { as: 'audit' });
    const { entries, has_more } = (await one.json()) as Page;
    assert.deepEqual([entries.map(({ seq }) => seq), has_more], [[30], false], order);
  }
  const lines = await own.send('/v1/federation/audit?feed=wanted&format=jsonl', { as: 'audit' });
  assert.equal((JSON.parse(await lines.text()) as AuditEntry).seq, 30);
  const events = new Events(await own.send('/v1/federation/audit/stream?cursor=0&feed=wanted', { as: 'audit' }));
  assert.deepEqual(await events.seqs(1), [30]);
  await events.close();
  await own.close();
});

test('a stopping server ends its streams', async () => {
  const stopping = new AbortController();
  const events = new Events(await api.send('/v1/federation/audit/stream', { as: 'audit', stopping: stopping.signal }));
  await events.next();
  const last = events.next();
  stopping.abort();
  assert.equal(await last, 'end');
});

for (const [how, end] of [
  ['is revoked', ({ keyStore }, id) => void keyStore.revoke(id, Date.parse('2026-11-23T12:00:00Z'))],
  ['has expired', ({ advance }) => advance(91 * 86_400_000)],
] as const satisfies readonly (readonly [string, (own: TestApi, id: string) => void])[])
  test(`a key that ${how} is told nothing more on the stream that it has opened`, async () => {
    const own = await createTestApi({ limits: { maxStreams: 1 } });
    const events = new Events(await own.send('/v1/federation/audit/stream', { as: 'audit' }));
    await own.audit({ event: 'before' });
    assert.deepEqual(await events.seqs(1), [1]);
    end(own, own.keyStore.list().find(({ name }) => name === 'audit')?.id ?? '');
    await own.audit({ event: 'behind' });
    assert.equal(await events.next(), 'end');
    assert.match(await (await own.send('/metrics')).text(), /^stigmem_peerd_audit_streams 0$/m, 'its place is free');
    await own.close();
  });

test('one key has its own limit of streams, and leaves others theirs', async () => {
  const own = await createTestApi({ limits: { maxStreams: 3, maxStreamsOfKey: 1 } });
  const path = '/v1/federation/audit/stream';
  const first = new Events(await own.send(path, { as: 'audit' }));
  await first.next();
  const refused = await own.send(path, { as: 'audit' });
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /1 event streams of this key are open/);
  const other = new Events(await own.send(path, { as: 'federate' }));
  await other.next();
  await Promise.all([first.close(), other.close()]);
  await own.close();
});

test('streams are counted; over the limit is 503; a stream that was left gives its place back', async () => {
  const own = await createTestApi({ limits: { maxStreams: 1 } });
  const first = new Events(await own.send('/v1/federation/audit/stream', { as: 'audit' }));
  await first.next();
  const refused = await own.send('/v1/federation/audit/stream', { as: 'audit' });
  assert.equal(refused.status, 503);
  await first.close();
  const head = await own.send('/v1/federation/audit/stream', { as: 'audit', method: 'HEAD' });
  assert.equal(head.status, 200);
  const again = new Events(await own.send('/v1/federation/audit/stream', { as: 'audit' }));
  await again.close();
  await own.close();
});
