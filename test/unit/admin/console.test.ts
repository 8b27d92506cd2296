/** The console over a node in memory: sessions, forms, headers, and what is sent. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { browserScripts } from '../../../.ci/console-sources.mjs';
import { REQUEST_ID } from '../../../src/admin/api/responses.ts';
import { DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';
import { firstDifference } from '../../../src/admin/console/first-difference.ts';
import { proofSteps } from '../../../src/admin/console/proof-steps.ts';
import { SESSION_LIMITS, Sessions } from '../../../src/admin/console/sessions.ts';
import { STRANGERS_BUDGET } from '../../../src/admin/console/sign-in-log.ts';
import { keyParty } from '../../../src/admin/party.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { leafHash, nodeHash } from '../../../src/merkle/hash.ts';
import { inclusionProof, rootOf } from '../../../src/merkle/leaf-list.ts';
import { createTraces, currentTrace } from '../../../src/observe/trace.ts';
import { createTestApi, type TestApi } from '../../support/api-fixture.ts';
import { mountTestConsole } from '../../support/test-console.ts';

/** Of the script that every page loads. */
const MAX_SCRIPT_BYTES = 30_000;
const PATHS = [
  '/console',
  '/console/cases',
  '/console/peers',
  '/console/facts',
  '/console/quarantine',
  '/console/erasures',
  '/console/journal',
  '/console/records',
  '/console/drills',
  '/console/settings',
  '/console/settings/values',
];

let node: TestApi;
let nowMs = Date.parse('2026-11-23T12:00:00Z');
/** Where the list of proposals would be gone on with. */
let olderProposals: number | null = null;
before(async () => {
  node = await createTestApi({
    approvals: {
      fourEyes: [],
      list: async () => ({ proposals: [], before: olderProposals }),
      find: async () => null,
      end: async () => assert.fail('nothing is decided'),
    },
  });
  mountTestConsole(node, () => nowMs);
});
after(() => node.close());

interface Sent {
  readonly cookie?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

function send(path: string, { cookie = '', form, headers = {}, address = '192.0.2.1' }: Sent = {}): Promise<Response> {
  const init: RequestInit = { headers: { cookie, ...headers } };
  if (form !== undefined) {
    init.method = 'POST';
    init.headers = { ...init.headers, 'content-type': 'application/x-www-form-urlencoded' };
    init.body = new URLSearchParams(form).toString();
  }
  return Promise.resolve(node.api.request(`https://node.example${path}`, init, { address }));
}

const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
const tokenIn = (html: string): string => /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';

async function signIn(key: string, address?: string): Promise<Response> {
  const page = await send('/console/sign-in');
  const form = { _csrf: tokenIn(await page.text()), key, next: '/console/peers' };
  return send('/console/sign-in', { cookie: cookiesOf(page), form, ...(address === undefined ? {} : { address }) });
}

test('a key opens a session; its cookie is for this server, over TLS, and for no script', async () => {
  const answer = await signIn(node.keys.admin);
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/console/peers']);
  assert.match(
    answer.headers.getSetCookie()[0] ?? '',
    /^__Host-stigmem-console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  assert.equal((await signIn('smk_00000000_nothing')).status, 401);
  const stranger = await send('/console/peers?a=1');
  assert.deepEqual(
    [stranger.status, stranger.headers.get('location')],
    [303, '/console/sign-in?next=%2Fconsole%2Fpeers%3Fa%3D1'],
  );
});

test('the address of the API alone leads to the console', async () => {
  const answer = await send('/');
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/console']);
  assert.equal((await send('/', { form: {} })).status, 405);
});

test('failed sign-ins of one network are counted like failed keys', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 40; i++) statuses.push((await signIn('smk_00000000_nothing', '198.51.100.7')).status);
  assert.ok(statuses.includes(429), String(statuses));
  assert.equal((await signIn(node.keys.admin, '198.51.100.7')).status, 303, 'who has a key gets in');
});

test('signing in and out, and failing to, stands in the audit log', async () => {
  const [key] = node.keyStore.list().filter(({ name }) => name === 'admin');
  const from = `cursor=${await node.audit({ event: 'test_begins' })}`;
  const cookie = cookiesOf(await signIn(node.keys.admin, '192.0.2.77'));
  const _csrf = tokenIn(await (await send('/console/settings', { cookie })).text());
  await send('/console/sign-out', { cookie, form: { _csrf } });
  // Tests before this one may have used up what is recorded of strangers at once.
  nowMs += STRANGERS_BUDGET.everyMs;
  await signIn('smk_00000000_nothing', '2001:db8:1:2:3::4');
  const answer = await node.send(`/v1/federation/audit?order=asc&${from}`, { as: 'admin' });
  const { entries } = (await answer.json()) as { entries: readonly Record<string, unknown>[] };
  const actor = `agent:admin#${key?.id}`;
  assert.deepEqual(
    entries.map(({ event_type, reason, actor: by, detail }) => [
      event_type,
      reason,
      by,
      (detail as { network?: string }).network,
    ]),
    [
      ['console_signed_in', null, actor, '192.0.2.77'],
      ['console_signed_out', null, actor, undefined],
      ['console_sign_in_refused', 'key_refused', null, '2001:db8:1:2'],
    ],
  );
});

test('who signs in again leaves no session behind', async () => {
  const old = cookiesOf(await signIn(node.keys.admin));
  const page = await send('/console/sign-in', { cookie: old });
  const again = (key: string): Promise<Response> =>
    page
      .clone()
      .text()
      .then((html) =>
        send('/console/sign-in', {
          cookie: `${old}; ${cookiesOf(page)}`,
          form: { _csrf: tokenIn(html), key, next: '/console' },
        }),
      );
  assert.equal((await again('smk_00000000_nothing')).status, 401);
  assert.equal((await send('/console', { cookie: old })).status, 200, 'who fails to stays who they were');
  const next = cookiesOf(await again(node.keys.ro));
  assert.equal((await send('/console', { cookie: old })).status, 303);
  assert.equal((await send('/console', { cookie: next })).status, 200);
});

test('a link to another place leads nowhere', async () => {
  for (const next of [
    'https://evil.example/',
    '//evil.example',
    '/console//evil.example',
    '/v1/facts',
    '/console\\evil',
    '/consoles',
    `/console/${'a'.repeat(504)}`,
  ])
    assert.ok(
      (await (await send(`/console/sign-in?next=${encodeURIComponent(next)}`)).text()).includes(
        'name="next" value="/console"',
      ),
      next,
    );
});

test('a session ends for want of use, at last in any case, and with its key', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  const isIn = async (headers = {}): Promise<boolean> => (await send('/console', { cookie, headers })).status === 200;
  assert.ok(await isIn());
  nowMs += SESSION_LIMITS.idleMs - 1;
  assert.ok(await isIn({ 'x-console-refresh': '1' }));
  nowMs += 1;
  assert.ok(!(await isIn()), 'what a page fetches by itself is no use');

  const other = cookiesOf(await signIn(node.keys.admin));
  for (let spent = 0; spent < SESSION_LIMITS.absoluteMs; spent += SESSION_LIMITS.idleMs / 2) {
    assert.equal((await send('/console', { cookie: other })).status, 200);
    nowMs += SESSION_LIMITS.idleMs / 2;
  }
  assert.equal((await send('/console', { cookie: other })).status, 303);

  const made = node.keyStore.create({ name: 'carol', permissions: ['read'] }, nowMs);
  const carol = cookiesOf(await signIn(made.secret));
  assert.equal((await send('/console', { cookie: carol })).status, 200);
  node.keyStore.revoke(made.key.id, nowMs);
  assert.equal((await send('/console', { cookie: carol })).status, 303);
});

test('a script that follows the node is no use of the session; HEAD opens no stream', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  const live = async (method: string): Promise<Response> => {
    const init = { method, headers: { cookie } };
    return node.api.request('https://node.example/console/live', init, { address: '192.0.2.1' });
  };
  for (let i = 0; i <= DEFAULT_API_LIMITS.maxStreamsOfKey; i++) assert.equal((await live('HEAD')).status, 200);
  nowMs += SESSION_LIMITS.idleMs - 1;
  const open = await live('GET');
  assert.equal(open.status, 200, 'every place is free');
  await open.body?.cancel();
  nowMs += 1;
  assert.equal((await send('/console', { cookie })).status, 303);
});

test('a key that signs in again and again ends its own sessions, and nobody else’s', () => {
  const sessions = new Sessions();
  const [holder] = node.keyStore.list();
  assert.ok(holder !== undefined);
  const who = () => keyParty(holder);
  const came = (id: string) => ({ party: { ...keyParty(holder), id }, method: 'api_key', network: '' }) as const;
  const other = sessions.start(came('other'), who, nowMs);
  const tokens = Array.from({ length: SESSION_LIMITS.max + 1 }, () => sessions.start(came('loud'), who, nowMs));
  const isIn = (token: string): boolean => sessions.find(token, nowMs, true) !== null;
  assert.ok(isIn(other));
  assert.equal(tokens.filter(isIn).length, SESSION_LIMITS.maxOfKey);
  assert.ok(isIn(tokens.at(-1) ?? ''));
});

test('what is asked within a request belongs to it', async () => {
  await createTraces(null).begin({ name: 'page', kind: 'server' }, async () => {
    const answer = await node.send('/healthz');
    assert.equal(answer.headers.get(REQUEST_ID), currentTrace()?.traceId);
  });
});

test('days that no calendar has are no moment, and no fault of the page', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  const _csrf = tokenIn(await (await send('/console/settings', { cookie })).text());
  for (const days of ['1e9', 'Infinity', 'x', '-1e12']) {
    const form = { _csrf, days, version: '1', why: 'known', owner: 'ann' };
    assert.equal((await send('/console/cases/1/suppress', { cookie, form })).status, 303, days);
    const page = await (await send('/console/settings', { cookie })).text();
    assert.match(page, /expected a moment in ISO 8601 for until/, days);
  }
});

test('a form without the token of its session changes nothing; signing out ends the session', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  const csrf = tokenIn(await (await send('/console/settings', { cookie })).text());
  const create = (token: string): Promise<Response> =>
    send('/console/keys/create', { cookie, form: { _csrf: token, name: 'dora', role: 'reader', days: '5' } });
  assert.equal((await create('')).status, 403);
  assert.equal((await create(`${csrf}x`)).status, 403);
  assert.ok(!node.keyStore.list().some(({ name }) => name === 'dora'));
  const made = await create(csrf);
  assert.match(await made.text(), /smk_[0-9a-f]{8}_/, 'the secret, this once');
  assert.ok(!(await (await send('/console/settings', { cookie })).text()).includes('smk_'));
  assert.equal((await send('/console/sign-out', { cookie, form: { _csrf: csrf } })).status, 303);
  assert.equal((await send('/console', { cookie })).status, 303);
});

test('a key that names a person is made a person’s, and says whose it is', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  const _csrf = tokenIn(await (await send('/console/settings', { cookie })).text());
  const person = 'https://idp.acme.example#<b>248289761001';
  const form = { _csrf, name: 'carla', role: 'reviewer', days: '5', person };
  assert.match(await (await send('/console/keys/create', { cookie, form })).text(), /smk_[0-9a-f]{8}_/);
  const [carla] = node.keyStore.list().filter(({ name }) => name === 'carla');
  assert.deepEqual([carla?.class, carla?.person], ['human', person]);
  assert.match(await (await send('/console/settings', { cookie })).text(), /example#&lt;b&gt;248289761001<\/div>/);
  assert.equal(
    (await send('/console/keys/create', { cookie, form: { ...form, name: 'dan', person: 'x' } })).status,
    303,
  );
  assert.match(await (await send('/console/settings', { cookie })).text(), /expected ISSUER#SUBJECT/);
});

test('who is signed in stands on the page for an administrator, who can put others out and not this session', async () => {
  const [cookie, other] = [cookiesOf(await signIn(node.keys.admin)), cookiesOf(await signIn(node.keys.ro))];
  const html = await (await send('/console/settings', { cookie })).text();
  const own = /<span class="muted">this session<\/span>/g;
  assert.equal([...html.matchAll(own)].length, 1);
  // The one that was used last, of several of this key.
  const id = [...html.matchAll(/aria-label="End the session ([0-9a-f]{8}) of ro"/g)].at(-1)?.[1];
  assert.ok(id !== undefined, html);
  const end = (as: string, page: string): Promise<Response> =>
    send(`/console/sessions/${id}/end`, { cookie: as, form: { _csrf: tokenIn(page) } });
  const seen = await (await send('/console/settings', { cookie: other })).text();
  assert.ok(!seen.includes('Who is signed in'));
  assert.equal((await end(other, seen)).status, 303);
  assert.match(await (await send('/console/settings', { cookie: other })).text(), /admin permission required/);
  assert.equal((await end(cookie, html)).status, 303);
  assert.match(await (await send('/console/settings', { cookie })).text(), /The session is over/);
  assert.equal((await send('/console/facts', { cookie: other })).status, 303, 'signed out');
});

test('every answer has the policy, and pages are kept by nobody', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  for (const path of [
    ...PATHS,
    '/console/sign-in',
    '/console/nowhere',
    '/console/peers/nobody',
    '/console/facts/none',
  ]) {
    const answer = await send(path, { cookie });
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'"])
      assert.ok(policy.includes(rule), `${path}: ${rule}`);
    assert.ok(!policy.includes('unsafe'), path);
    assert.deepEqual(
      [answer.headers.get('cache-control'), answer.headers.get('x-content-type-options')],
      ['no-store', 'nosniff'],
    );
    const html = await answer.text();
    assert.doesNotMatch(html, / style="| on[a-z]+="/, path);
    for (const [, at] of html.matchAll(/(?:src|href|action)="([^"]*)"/g))
      assert.match(at ?? '', /^[/#]/, `${path} ${at}`);
  }
});

test('a key sees what its permissions open', async () => {
  const cookie = cookiesOf(await signIn(node.keys.ro));
  const html = await (await send('/console', { cookie })).text();
  assert.ok(html.includes('href="/console/facts"') && !html.includes('href="/console/cases"'));
  const csrf = tokenIn(html);
  assert.equal(
    (await send('/console/keys/create', { cookie, form: { _csrf: csrf, name: 'eve', role: 'admin', days: '5' } }))
      .status,
    303,
  );
  assert.ok((await (await send('/console/settings', { cookie })).text()).includes('admin permission required'));
  assert.ok(!node.keyStore.list().some(({ name }) => name === 'eve'));
});

test('the script that every page loads is small', async () => {
  const { script } = await browserScripts();
  const bytes = gzipSync(script).byteLength;
  assert.ok(bytes < MAX_SCRIPT_BYTES, `${bytes} bytes`);
});

test('the steps of a proof lead from each leaf to the root', () => {
  for (let size = 1; size <= 20; size++) {
    const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from([i])));
    for (let index = 0; index < size; index++) {
      const path = inclusionProof(leaves, index).map((hash) => encodeBase64(hash));
      let hash: Buffer = leaves[index] ?? assert.fail();
      for (const { sibling, isRight } of proofSteps(index, size, path)) {
        const other = Buffer.from(sibling, 'base64');
        hash = isRight ? nodeHash(other, hash) : nodeHash(hash, other);
      }
      assert.ok(hash.equals(rootOf(leaves)), `${index} of ${size}`);
    }
  }
});

test('the first difference is found in characters', () => {
  assert.equal(firstDifference([...'a😀b'], [...'a😀c']), 2);
  assert.equal(firstDifference([...'same'], [...'same']), 4);
});

test('where older proposals were not looked through, no page says that none waits', async () => {
  const cookie = cookiesOf(await signIn(node.keys.admin));
  const pages = ['/console/settings', '/console/quarantine'] as const;
  const shown = async (): Promise<boolean[]> =>
    Promise.all(
      pages.map(async (path) => /older proposals than these/.test(await (await send(path, { cookie })).text())),
    );
  assert.deepEqual(await shown(), [false, false]);
  olderProposals = 7;
  assert.deepEqual(await shown(), [true, true]);
  assert.doesNotMatch(await (await send('/console/settings', { cookie })).text(), /Nothing waits|names none/);
  olderProposals = null;
});
