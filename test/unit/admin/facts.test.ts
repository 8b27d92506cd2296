import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApi, type TestApi } from '../../support/api-fixture.ts';

const FACT = {
  entity: 'stigmem://example/entity/a',
  relation: 'memory:role',
  value: { type: 'string', v: 'CEO' },
  source: 'stigmem://example/agent/a',
  scope: 'company',
};
let api: TestApi;
before(async () => {
  api = await createTestApi();
});
after(() => api.close());

let serial = 0;
function fresh(more: object = {}): typeof FACT {
  serial += 1;
  return { ...FACT, entity: `stigmem://example/entity/n${serial}`, ...more };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
async function post(body: unknown, as: 'full' | 'ro' = 'full'): Promise<{ status: number; body: any }> {
  const response = await api.send('/v1/facts', { as, body });
  return { status: response.status, body: await response.json() };
}

test('a batch is judged fact by fact: the good ones are stored, each bad one says why', async () => {
  const known = fresh();
  await post(known);
  const batch = [
    fresh(),
    known,
    fresh({ scope: 'galaxy' }),
    fresh({ entity: ' ' }),
    fresh({ garden_id: 'nowhere' }),
    7,
    fresh(),
  ];
  const { status, body } = await post({ facts: batch });
  assert.equal(status, 207);
  assert.deepEqual(
    body.results.map((result: { status: number }) => result.status),
    [201, 201, 422, 400, 404, 422, 201],
  );
  assert.deepEqual(
    body.results.map((result: { index: number }) => result.index),
    [0, 1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual([body.stored, body.repeated, body.refused], [2, 1, 4]);
  assert.equal(body.results[1].repeated, true);
  assert.deepEqual(body.results[2].detail[0].loc, ['body', 'facts', 2, 'scope']);
  assert.equal(body.results[0].fact.entity, batch[0] && (batch[0] as typeof FACT).entity);
});

test('a batch as a bare array, all good, is 201', async () => {
  const { status, body } = await post([fresh(), fresh()]);
  assert.equal(status, 201);
  assert.deepEqual([body.stored, body.repeated, body.refused], [2, 0, 0]);
});

test('empty and over-long batches are refused whole', async () => {
  const empty = await post([]);
  assert.equal(empty.status, 422);
  assert.equal(empty.body.detail[0].type, 'too_short');
  const long = await post({ facts: Array.from({ length: 1_001 }, () => FACT) });
  assert.equal(long.status, 422);
  assert.equal(long.body.detail[0].type, 'too_long');
  assert.deepEqual(long.body.detail[0].loc, ['body', 'facts']);
});

test('numbers keep their text from request to answer', async () => {
  for (const lexeme of ['5', '5.0', '9007199254740993', '1e400']) {
    const raw = JSON.stringify(fresh()).replace('{"type":"string","v":"CEO"}', `{"type":"number","v":${lexeme}}`);
    const response = await api.send('/v1/facts', { as: 'full', raw, headers: { 'content-type': 'application/json' } });
    const text = await response.text();
    if (lexeme === '1e400') assert.equal(response.status, 422, text);
    else assert.ok(text.includes(`"v":${lexeme},`), text);
  }
});

test('NaN, a lone surrogate and a value over the limit are refused with the field', async () => {
  const cases: readonly [string, string, string][] = [
    ['NaN', 'number', 'value_not_finite'],
    ['"\\ud800"', 'string', 'text_not_utf8'],
    [JSON.stringify('x'.repeat(65_537)), 'string', 'value_too_large'],
  ];
  for (const [v, type, code] of cases) {
    const raw = JSON.stringify(fresh()).replace('{"type":"string","v":"CEO"}', `{"type":"${type}","v":${v}}`);
    const response = await api.send('/v1/facts', { as: 'full', raw, headers: { 'content-type': 'application/json' } });
    const { detail } = (await response.json()) as { detail: { loc: unknown; ctx: { code: string } }[] };
    assert.equal(response.status, 422);
    assert.deepEqual(detail[0]?.loc, ['body', 'value', 'v']);
    assert.equal(detail[0]?.ctx.code, code);
  }
});

test('pydantic takes numeric text and booleans as confidence, and so do we; nothing else', async () => {
  for (const [given, shown] of [
    ['0.5', 0.5],
    ['1e-3', 0.001],
    [true, 1],
    [0, 0],
  ] as const) {
    const { status, body } = await post(fresh({ confidence: given }));
    assert.equal(status, 201);
    assert.equal(body.confidence, shown);
  }
  for (const [given, type] of [
    ['x', 'float_type'],
    [null, 'float_type'],
    [-1, 'greater_than_equal'],
    [2, 'less_than_equal'],
    [[], 'float_type'],
  ] as const) {
    const { status, body } = await post(fresh({ confidence: given }));
    assert.equal(status, 422);
    assert.equal(body.detail[0].type, type);
  }
});

test('a misspelt member is not lost in silence', async () => {
  const { status, body } = await post(fresh({ valid_untill: '2030-01-01T00:00:00Z' }));
  assert.equal(status, 201);
  assert.deepEqual(body.warnings, ["member 'valid_untill' is unknown and was ignored"]);
});

test('a repeat answers with the fact that stands, and says what it left out', async () => {
  const fact = fresh();
  const first = await post(fact);
  const same = await post(fact);
  assert.equal(same.status, 201);
  assert.deepEqual(same.body, first.body);
  const longer = await post({ ...fact, valid_until: '2099-01-01T00:00:00Z' });
  assert.equal(longer.body.id, first.body.id);
  assert.deepEqual(longer.body.warnings, ['this fact exists already; the valid_until of the repeat was ignored']);
});

test('a body must say that it is JSON, be UTF-8 and not too long', async () => {
  const text = JSON.stringify(fresh());
  assert.equal(
    (await api.send('/v1/facts', { as: 'full', raw: text, headers: { 'content-type': 'text/plain' } })).status,
    422,
  );
  const bad = await api.send('/v1/facts', {
    as: 'full',
    raw: new Uint8Array([0x7b, 0xff]),
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(bad.status, 422);
  const long = await api.send('/v1/facts', {
    as: 'full',
    raw: ' '.repeat(4_194_305),
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(long.status, 413);
  assert.match(((await long.json()) as { detail: string }).detail, /4194304 bytes; send the facts in smaller batches/);
});

test('a body that comes in drops is counted while it comes', async () => {
  const small = await createTestApi({ limits: { maxBodyBytes: 100 } });
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      controller.enqueue(new Uint8Array(64).fill(0x20));
    },
  });
  const headers = { authorization: `Bearer ${small.keys.full}`, 'content-type': 'application/json' };
  const request = new Request('http://localhost/v1/facts', {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit);
  assert.equal((await small.api.fetch(request)).status, 413);
  assert.ok(sent <= 4, `${sent} chunks were taken`);
  await small.close();
});

test('a body that stops coming is given up', async () => {
  const hasty = await createTestApi({ limits: { bodyMs: 5 } });
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([0x7b])) });
  const headers = { authorization: `Bearer ${hasty.keys.full}`, 'content-type': 'application/json' };
  const request = new Request('http://localhost/v1/facts', {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as RequestInit);
  assert.equal((await hasty.api.fetch(request)).status, 408);
  await hasty.close();
});

test('a corrupt row is never served, is recorded once, and the answer says which field', async () => {
  const { body } = await post(fresh());
  await api.tamper(body.id, 'interpret_as', 'instruction');
  const get = await api.send(`/v1/facts/${body.id}`, { as: 'full' });
  assert.equal(get.status, 409);
  const { detail } = (await get.json()) as { detail: Record<string, unknown> };
  assert.equal(detail['code'], 'leaf_mismatch');
  assert.equal(detail['field'], 'interpret_as');
  assert.match(String(detail['message']), /interpret_as was changed/);
  assert.equal((await api.send(`/v1/facts/${body.id}`, { as: 'full' })).status, 409);
  assert.equal((await api.send(`/v1/facts?entity=${body.entity}`, { as: 'full' })).status, 409);
  assert.equal((await api.send(`/v1/facts/${body.id}/proof`, { as: 'full' })).status, 409);
  assert.equal((await api.send(`/v1/facts/${body.id}/provenance`, { as: 'full' })).status, 409);
  const verdict = (await (
    await api.send(`/v1/facts/${body.id}/verify-cid`, { as: 'full', method: 'POST' })
  ).json()) as Record<string, unknown>;
  assert.equal(verdict['leaf_valid'], false);
  assert.equal(verdict['cid_valid'], true);
  const audit = await api.send(`/v1/federation/audit?fact_id=${body.id}`, { as: 'full' });
  const { entries } = (await audit.json()) as { entries: { event_type: string; actor: string }[] };
  assert.deepEqual(
    entries.map((entry) => entry.event_type),
    ['journal_verification_failed'],
  );
  assert.match(entries[0]?.actor ?? '', /^agent:full#[0-9a-f]{8}$/);
});

test('a fact in quarantine is for operators', async () => {
  const { body } = await post(fresh());
  await api.quarantine(body.id);
  assert.equal((await api.send(`/v1/facts/${body.id}`, { as: 'full' })).status, 404);
  assert.equal((await api.send(`/v1/facts/${body.id}/proof`, { as: 'full' })).status, 404);
  assert.equal((await api.send(`/v1/facts/${body.id}`, { as: 'admin' })).status, 200);
  assert.equal((await api.send('/v1/facts?include_quarantined=true', { as: 'full' })).status, 403);
  const page = await api.send(`/v1/facts?include_quarantined=true&entity=${body.entity}`, { as: 'admin' });
  assert.equal(((await page.json()) as { total: number }).total, 1);
});

test('paging by cursor sees each fact once, newest first', async () => {
  const paged = await createTestApi();
  await paged.send('/v1/facts', {
    as: 'full',
    body: Array.from({ length: 25 }, (_, index) => ({ ...FACT, entity: `e:${index}` })),
  });
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const response = await paged.send(`/v1/facts?limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`, { as: 'full' });
    const page = (await response.json()) as { facts: { entity: string }[]; cursor: string | null };
    seen.push(...page.facts.map((fact) => fact.entity));
    cursor = page.cursor;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, index) => `e:${24 - index}`),
  );
  assert.equal((await paged.send('/v1/facts?cursor=nobody', { as: 'full' })).status, 400);
  await paged.close();
});

test('queries normalize entity and source, and refuse what they cannot serve', async () => {
  const { body } = await post(fresh());
  const found = await api.send(
    `/v1/facts?entity=${encodeURIComponent(` ${body.entity.toUpperCase().replace('STIGMEM', 'stigmem')} `)}`,
    { as: 'full' },
  );
  assert.equal(((await found.json()) as { total: number }).total, 1);
  assert.equal((await api.send('/v1/facts?attested=true', { as: 'full' })).status, 501);
  assert.equal((await api.send('/v1/facts?attested=false&entity=nobody', { as: 'full' })).status, 200);
  const bad = (await (
    await api.send('/v1/facts?limit=abc&min_confidence=2&include_expired=maybe', { as: 'full' })
  ).json()) as {
    detail: { type: string; loc: string[] }[];
  };
  assert.deepEqual(bad.detail.map(({ type }) => type).sort(), ['bool_parsing', 'int_parsing', 'less_than_equal']);
});
