import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type ApiLimits, DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';
import { createTestApi, type TestApi } from '../../support/api-fixture.ts';

let api: TestApi;
before(async () => {
  const calm = Object.keys(DEFAULT_API_LIMITS.quotas).map((name) => [name, { burst: 1e9, perSecond: 1e9 }]);
  const quotas: ApiLimits['quotas'] = Object.fromEntries(calm);
  api = await createTestApi({ limits: { streamHeartbeatMs: 1, quotas } });
});
after(() => api.close());

const RUNS = { numRuns: 300 };
/** JSON with the members that the API reads, in all wrong types. */
const member = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('stigmem://a/b/c', 'company', 'number', 'content', '', ' ', '\ud800', 1e300, -0, 'sha256:x', null),
);
const factLike = fc.record(
  {
    entity: member,
    relation: member,
    source: member,
    confidence: member,
    scope: member,
    valid_until: member,
    garden_id: member,
    write_mode: member,
    derived_from: member,
    attestation: member,
    value: fc.oneof(member, fc.record({ type: member, v: member, interpret_as: member }, { requiredKeys: [] })),
    ['__proto__']: member,
    facts: member,
  },
  { requiredKeys: [] },
);

async function sound(response: Response, what: string): Promise<void> {
  assert.ok(response.status < 500, `${response.status} for ${what}: ${api.log.at(-1) ?? ''}`);
  if (response.status < 400) return void (await response.body?.cancel());
  const text = await response.text();
  if (text === '' && what.startsWith('HEAD ')) return;
  const body = JSON.parse(text) as Record<string, unknown>;
  assert.ok('detail' in body || 'error' in body, what);
}

test('no body makes an error of ours', async () => {
  const bodies = fc.oneof(
    factLike.map((fact) => JSON.stringify(fact)),
    fc.array(factLike, { maxLength: 4 }).map((facts) => JSON.stringify({ facts })),
    fc.array(factLike, { maxLength: 4 }).map((facts) => JSON.stringify(facts)),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[[\]{}",:0-9eE.+\-truefalsn \\u]*$/),
    fc.nat(400).map((depth) => '['.repeat(depth)),
  );
  await fc.assert(
    fc.asyncProperty(bodies, fc.constantFrom('/v1/facts', '/v1/admin/keys'), async (raw, path) => {
      const headers = { 'content-type': 'application/json' };
      const as = path === '/v1/facts' ? 'full' : 'admin';
      await sound(await api.send(path, { as, raw, method: 'POST', headers }), raw);
    }),
    RUNS,
  );
});

test('no bytes make an error of ours', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (raw) => {
      await sound(
        await api.send('/v1/facts', {
          as: 'full',
          raw,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
        }),
        String(raw),
      );
    }),
    RUNS,
  );
});

test('no path, query, method or header makes an error of ours', async () => {
  const starts = [
    '/v1/facts/',
    '/v1/facts',
    '/v1/federation/audit/',
    '/v1/federation/audit',
    '/v1/federation/peers/',
    '/v1/recall',
    '/v1/journal/checkpoint',
    '/v1/admin/keys/',
    '/',
  ];
  const segment = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.webPath(),
    fc.constantFrom(
      '%',
      '%ff',
      '%2F',
      '..',
      'sha256:',
      'stigmem://a',
      '/verify-cid',
      '0',
      '-1',
      '1e9',
      '99999999999999999999',
    ),
  );
  const names = [
    'limit',
    'cursor',
    'order',
    'format',
    'since',
    'until',
    'scope',
    'as_of',
    'min_confidence',
    'entity',
    'after',
    'attested',
    'log',
    '__proto__',
    'constructor',
  ];
  const query = fc.array(
    fc.tuple(
      fc.constantFrom(...names),
      fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('1', 'asc', 'jsonl', 'true', '2026-01-01', '+', '0')),
    ),
    { maxLength: 4 },
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      'accept',
      'authorization',
      'stigmem-session',
      'last-event-id',
      'content-type',
      'content-length',
      'x-y',
    ),
    fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
    { maxKeys: 4 },
  );
  const method = fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE', 'PUT', 'OPTIONS', 'PATCH');
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      segment,
      query,
      headers,
      method,
      fc.boolean(),
      async (start, rest, pairs, extra, verb, withKey) => {
        const search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString();
        const url = URL.parse(`http://localhost${start}${rest.replace(/[#?]/g, '')}?${search}`);
        if (url === null) return;
        const asAdmin = withKey ? ({ as: 'admin' } as const) : {};
        const response = await api.send(`${url.pathname}${url.search}`, { ...asAdmin, method: verb, headers: extra });
        // 501 is what the reference answers to as_of.
        if (response.status !== 501)
          await sound(response, `${verb} ${url.pathname}${url.search} ${JSON.stringify(extra)}`);
      },
    ),
    { numRuns: 1_000 },
  );
});
