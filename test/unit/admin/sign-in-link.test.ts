/** Links that sign in to the console, over a node in memory: once, soon, with the key that made them, and on record. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';
import { LINK_LIMITS, LINK_PATH, SignInLinks } from '../../../src/admin/console/sign-in-links.ts';
import { STRANGERS_BUDGET } from '../../../src/admin/console/sign-in-log.ts';
import { createTestApi, type TestApi } from '../../support/api-fixture.ts';
import { mountTestConsole } from '../../support/test-console.ts';

const NODE = 'https://node.example';

let node: TestApi;
let nowMs = Date.parse('2026-11-23T12:00:00Z');
before(async () => {
  node = await createTestApi();
  mountTestConsole(node, () => nowMs);
});
after(() => node.close());

function pass(ms: number): void {
  nowMs += ms;
  node.advance(ms);
}

function keyOf(name: string, role: 'admin' | 'reader' | 'writer', keyClass: 'human' | 'automation' = 'human'): string {
  const permissions = role === 'admin' ? (['admin'] as const) : (['read'] as const);
  return node.keyStore.create({ name, role, class: keyClass, permissions }, nowMs).secret;
}

async function make(key: string): Promise<Response> {
  const init = { method: 'POST', headers: { authorization: `Bearer ${key}` } };
  return node.api.request(`${NODE}/v1/sign-in-links`, init, { address: '127.0.0.1' });
}

async function tokenOf(key: string): Promise<string> {
  const { url } = (await (await make(key)).json()) as { url: string };
  assert.ok(url.startsWith(`http://localhost:8765${LINK_PATH}#`), url);
  return url.split('#')[1] ?? '';
}

/** As the page does it, whose script has put the token into the form. */
async function come(token: string, { address = '192.0.2.1', csrf = '' } = {}): Promise<Response> {
  const page = await node.api.request(`${NODE}${LINK_PATH}`, {}, { address });
  const _csrf = /name="_csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
  const cookie = (page.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ _csrf: csrf || _csrf, token }).toString();
  return node.api.request(`${NODE}${LINK_PATH}`, { method: 'POST', headers, body }, { address });
}

const cookieOf = (answer: Response): string => (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
const see = async (answer: Response, path: string): Promise<Response> =>
  node.api.request(`${NODE}${path}`, { headers: { cookie: cookieOf(answer) } }, { address: '192.0.2.1' });

async function records(from: number): Promise<readonly (readonly [string, string | null, string | null])[]> {
  const answer = await node.send(`/v1/federation/audit?order=asc&cursor=${from}`, { as: 'admin' });
  const { entries } = (await answer.json()) as {
    entries: { event_type: string; reason: string | null; actor: string | null }[];
  };
  return entries.map(({ event_type, reason, actor }) => [event_type, reason, actor]);
}

test('a link opens a session of its key once, and both are on record; the token is in none', async () => {
  pass(STRANGERS_BUDGET.everyMs);
  const from = await node.audit({ event: 'test_begins' });
  const key = keyOf('ann', 'admin');
  const token = await tokenOf(key);
  const first = await come(token);
  assert.deepEqual([first.status, first.headers.get('location')], [303, '/console']);
  assert.match(first.headers.getSetCookie()[0] ?? '', /^__Host-stigmem-console=[\w-]{43}; .*SameSite=Strict; Secure$/);
  assert.equal((await see(first, '/console/settings')).status, 200);

  const again = await come(token);
  assert.equal(again.status, 401);
  assert.match(await again.text(), /was used before/);
  const actor = `agent:ann#${node.keyStore.list().find(({ name }) => name === 'ann')?.id}`;
  assert.deepEqual(await records(from), [
    ['console_link_made', null, actor],
    ['console_signed_in', null, actor],
    ['console_sign_in_refused', 'link_used', null],
  ]);
  const said = await (await node.send('/v1/federation/audit', { as: 'admin' })).text();
  assert.ok(!`${said}${node.log.join('')}`.includes(token), 'nobody reads the token in a log');
  const [shown] = node.sessions.list(nowMs).filter(({ name }) => name === 'ann');
  assert.equal(shown?.method, 'link');
});

test('two who come with one link at once: one is let in', async () => {
  const token = await tokenOf(keyOf('twice', 'admin'));
  const statuses = (await Promise.all([come(token), come(token), come(token)])).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [303, 401, 401]);
});

test('after a minute it opens nothing, nor with a clock that was put back, nor with the key gone', async () => {
  const key = keyOf('late', 'admin');
  const late = await tokenOf(key);
  pass(LINK_LIMITS.lifeMs - 1);
  const inTime = await tokenOf(key);
  pass(1);
  assert.match(await (await come(late)).text(), /is over/);
  assert.equal((await come(inTime)).status, 303);

  const links = new SignInLinks();
  const early = links.make('00000000', nowMs);
  assert.deepEqual(links.take(early.token, nowMs - 1), { ok: false, error: 'link_expired' });
  assert.deepEqual(links.take(early.token, early.endsMs), { ok: false, error: 'link_expired' });

  const gone = await tokenOf(key);
  node.keyStore.revoke(node.keyStore.list().find(({ name }) => name === 'late')?.id ?? '', nowMs);
  assert.equal((await come(gone)).status, 401);
});

test('a session may do what its key may do, and no more', async () => {
  const entered = await come(await tokenOf(keyOf('rita', 'reader')));
  assert.equal(entered.status, 303);
  assert.match(await (await see(entered, '/console/records')).text(), /permission required/);
  assert.ok(!(await (await see(entered, '/console/settings')).text()).includes('Sessions of the console'));
});

test('a program makes no link, nor does a session', async () => {
  const program = await make(keyOf('bot', 'writer', 'automation'));
  assert.equal(program.status, 403);
  assert.match(await program.text(), /link_for_people/);
  const party = { ...(node.keyStore.list().find(({ name }) => name === 'rita') ?? assert.fail()) };
  const signedIn = { ...party, person: null, keyId: party.id, entityUri: 'agent:rita', actor: 'agent:rita' };
  const init = { method: 'POST' };
  const session = await node.api.request(`${NODE}/v1/sign-in-links`, init, { signedIn });
  assert.deepEqual([session.status, /link_needs_key/.test(await session.text())], [403, true]);
  assert.equal((await node.api.request(`${NODE}/v1/sign-in-links`, init, {})).status, 401);
});

test('a wrong token, and a form that is not of this page, open nothing; whoever guesses is slowed like with keys', async () => {
  const token = await tokenOf(keyOf('guessed', 'admin'));
  assert.equal((await come(token, { csrf: 'x' })).status, 403);
  const statuses: number[] = [];
  for (let i = 0; i < 40; i++)
    statuses.push((await come(`${'A'.repeat(42)}${i % 10}`, { address: '198.51.100.9' })).status);
  assert.deepEqual([...new Set(statuses)], [401, 429], String(statuses));
  assert.equal((await come(token, { address: '198.51.100.9' })).status, 303, 'a link that is good opens all the same');
});

test('a key makes so many links at once, each on record, and ends nobody else’s', async () => {
  const key = keyOf('eager', 'admin');
  const other = await tokenOf(keyOf('calm', 'admin'));
  const statuses: number[] = [];
  for (let i = 0; i < 25; i++) statuses.push((await make(key)).status);
  const { burst } = DEFAULT_API_LIMITS.quotas.sign_in_link;
  assert.deepEqual([statuses.indexOf(429), new Set(statuses).size], [burst, 2]);
  assert.equal((await come(other)).status, 303);

  const links = new SignInLinks();
  const [first, ...rest] = Array.from({ length: LINK_LIMITS.maxOfKey + 1 }, () => links.make('loud', nowMs));
  assert.deepEqual(links.take(first?.token ?? '', nowMs), { ok: false, error: 'link_unknown' });
  assert.ok(rest.every(({ token }) => links.take(token, nowMs).ok));
  const quiet = links.make('quiet', nowMs);
  for (let i = 0; i < LINK_LIMITS.max; i++) links.make(`key${i}`, nowMs);
  assert.deepEqual(links.take(quiet.token, nowMs), { ok: false, error: 'link_unknown' });
});

test('the page holds no token, and needs no request of another place', async () => {
  const page = await node.api.request(`${NODE}${LINK_PATH}`, {}, { address: '192.0.2.1' });
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self'.*form-action 'self'/);
  assert.match(await page.text(), /<input type="hidden" name="token" value=""/);
});
