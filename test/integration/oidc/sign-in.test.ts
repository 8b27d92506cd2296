/** Signing in at a provider that others wrote, as a browser does it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BrowserJar } from '../../support/browser-jar.ts';
import { type RealProvider, startRealProvider } from '../../support/real-provider.ts';
import { NODE, openSignInDesk, type SignInDesk } from '../../support/sign-in-desk.ts';

const CALLBACK = '/console/sign-in/oidc/callback';

let idp: RealProvider;
let desk: SignInDesk;
before(async () => {
  idp = await startRealProvider({
    ann: { name: 'Ann <b>Archer</b>', groups: ['soc reviewers', 'everybody', 'choir'] },
    bob: { name: 'bob', groups: 'everybody' },
    eve: { name: 'eve', groups: ['choir'] },
    nil: { name: 'nil' },
  });
  desk = await openSignInDesk(idp.issuer);
});
after(async () => {
  desk.close();
  await idp.stop();
});

/** @returns where the provider sends the browser back to */
async function toCallback(browser: BrowserJar, as: string, next = '/console/peers'): Promise<URL> {
  const isBack = (url: URL): boolean => url.origin === NODE && url.pathname === CALLBACK;
  const start = `${NODE}/console/sign-in/oidc?next=${encodeURIComponent(next)}`;
  const at = await browser.follow(start, (url) => isBack(url) || url.pathname.startsWith('/interaction/'));
  // Who is signed in at the provider already is asked nothing there.
  return isBack(at) ? at : browser.follow(`${at}?as=${as}`, isBack);
}

async function signIn(
  as: string,
  browser: BrowserJar = desk.browser(),
): Promise<{ browser: BrowserJar; answer: Response; text: string }> {
  const answer = await browser.get(await toCallback(browser, as));
  return { browser, answer, text: await answer.text() };
}

const me = async (browser: BrowserJar): Promise<string> => (await browser.get(`${NODE}/console/settings`)).text();

test('somebody signs in, may do what their groups may, is named, and signs out', async () => {
  const { browser, answer, text } = await signIn('ann');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('refresh'), '0; url=/console/peers');
  assert.match(text, /As <strong>Ann b Archer b<\/strong>/);
  const cookies = answer.headers.getSetCookie();
  assert.match(cookies[0] ?? '', /^stigmem-console-80=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.match(cookies[1] ?? '', /^stigmem-console-80-oidc=; .*Max-Age=0$/);

  const settings = await me(browser);
  for (const part of ['Ann b Archer b', `${idp.issuer}#ann`, 'reviewer, reader', 'audit.read, review'])
    assert.ok(settings.includes(part), part);
  assert.ok(!settings.includes('Make a key'), 'a reviewer makes no keys');

  const csrf = /name="_csrf" value="([^"]+)"/.exec(settings)?.[1] ?? '';
  const out = await browser.post(`${NODE}/console/sign-out`, { _csrf: csrf });
  assert.equal(out.headers.get('location'), '/console/signed-out');
  const page = await (await browser.get(`${NODE}/console/signed-out`)).text();
  const there = /<a href="([^"]+)">Sign out at/.exec(page)?.[1]?.replaceAll('&amp;', '&');
  assert.match(there ?? '', /^http:\/\/localhost:\d+\/session\/end\?client_id=peerd-console&post_logout_redirect_uri=/);
  assert.equal((await browser.get(`${NODE}/console`)).status, 303);

  const actor = `person:Ann b Archer b#${idp.issuer}#ann`;
  assert.deepEqual(
    desk.records.splice(0).map(({ event, actor: by, detail }) => [event, by, detail?.['method'], detail?.['network']]),
    [
      ['console_signed_in', actor, 'oidc', '192.0.2.1'],
      ['console_signed_out', actor, undefined, undefined],
    ],
  );
});

test('what the browser carries to the provider and back is no token, and the session is another each time', async () => {
  const browser = desk.browser();
  const to = new URL((await browser.get(`${NODE}/console/sign-in/oidc`)).headers.get('location') ?? '');
  const asked = Object.fromEntries(to.searchParams);
  assert.deepEqual(
    [asked['response_type'], asked['code_challenge_method'], asked['scope'], asked['redirect_uri']],
    ['code', 'S256', 'openid profile groups', `${NODE}${CALLBACK}`],
  );
  for (const name of ['state', 'nonce', 'code_challenge']) assert.match(asked[name] ?? '', /^[\w-]{43}$/, name);
  const one = await signIn('ann', browser);
  const first = browser.cookies('node.example').get('stigmem-console-80');
  assert.ok(!/eyJ/.test(one.text + JSON.stringify([...one.answer.headers])), 'nothing that looks like a token');
  await signIn('ann', browser);
  desk.records.splice(0);
  assert.notEqual(browser.cookies('node.example').get('stigmem-console-80'), first);
});

test('a state is taken up once, by the browser it began in, and in time', async () => {
  const browser = desk.browser();
  const back = await toCallback(browser, 'bob');
  assert.equal((await desk.browser().get(back)).status, 400, 'another browser');
  assert.equal((await browser.get(back)).status, 400, 'and the state is worth nothing any more');

  const again = await toCallback(browser, 'bob');
  assert.equal((await browser.get(again)).status, 200);
  assert.equal((await browser.get(again)).status, 400, 'replayed');

  const late = await toCallback(browser, 'bob');
  desk.nowMs += 600_000;
  assert.equal((await browser.get(late)).status, 400, 'ten minutes later');
  assert.deepEqual(
    desk.records.splice(0).flatMap(({ event, reason }) => (event === 'console_sign_in_refused' ? [reason] : [])),
    ['browser_differs', 'state_unknown', 'state_unknown', 'state_unknown'],
  );
});

test('the code of one sign-in is worth nothing in another: PKCE, nonce and state go together', async () => {
  const browser = desk.browser();
  const victim = await toCallback(desk.browser(), 'ann');
  const own = await toCallback(browser, 'bob');
  own.searchParams.set('code', victim.searchParams.get('code') ?? '');
  const answer = await browser.get(own);
  assert.equal(answer.status, 502);
  const [record] = desk.records.splice(0);
  assert.equal(record?.reason, 'code_refused');
  assert.match(String(record?.detail?.['why']), /invalid_grant/);
});

test('over TLS the cookies are for this very server; that of the way there and back goes with a redirect from elsewhere', async () => {
  const safe = await openSignInDesk(idp.issuer, { secure: true });
  const browser = safe.browser();
  const begun = await browser.get(`${NODE}/console/sign-in/oidc`);
  assert.match(
    begun.headers.getSetCookie()[0] ?? '',
    /^__Host-stigmem-console-oidc=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/,
  );
  const done = await browser.get(await toCallback(browser, 'bob'));
  assert.match(done.headers.getSetCookie()[0] ?? '', /^__Host-stigmem-console=[\w-]{43}; .*SameSite=Strict; Secure$/);
  safe.close();
});

test('a page of another site cannot have somebody sign in', async () => {
  const answer = await desk.browser().get(`${NODE}/console/sign-in/oidc`, { 'sec-fetch-site': 'cross-site' });
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/console/sign-in?next=%2Fconsole']);
});

test('who has no group of ours is not let in, and the record says who it was', async () => {
  const { answer, text, browser } = await signIn('eve');
  assert.equal(answer.status, 403);
  assert.match(text, /no group of yours may use this console/);
  assert.equal((await browser.get(`${NODE}/console`)).status, 303);
  assert.equal((await signIn('nil')).answer.status, 403);
  assert.deepEqual(
    desk.records.splice(0).map(({ event, reason, actor }) => [event, reason, actor]),
    [
      ['console_sign_in_refused', 'no_role', `person:eve#${idp.issuer}#eve`],
      ['console_sign_in_refused', 'roles_missing', `person:nil#${idp.issuer}#nil`],
    ],
  );
});

test('a rule that is taken away is gone at the next request; a group that is taken away at the next sign-in', async () => {
  const { browser } = await signIn('ann');
  const before = desk.rules;
  desk.rules = before.filter(({ word }) => word !== 'reviewer');
  const settings = await me(browser);
  assert.ok(!settings.includes('audit.read'), 'what is left is a reader');
  desk.rules = [];
  assert.equal((await browser.get(`${NODE}/console`)).status, 303, 'and nobody');
  desk.rules = before;
  assert.equal((await browser.get(`${NODE}/console`)).status, 303, 'a session that ended stays ended');

  const ann = idp.accounts.get('ann');
  assert.ok(ann !== undefined);
  idp.accounts.set('ann', { ...ann, groups: ['everybody'] });
  const { browser: next } = await signIn('ann');
  assert.ok(!(await me(next)).includes('audit.read'));
  idp.accounts.set('ann', ann);
  desk.records.splice(0);
});

test('metrics say that a person has read, and not who', async () => {
  const { browser } = await signIn('ann');
  assert.equal((await browser.get(`${NODE}/console/facts`)).status, 200);
  const text = await desk.api.metrics.registry.metrics();
  assert.match(text, /principal="person"/);
  assert.ok(!text.includes(idp.issuer) && !text.includes('#ann'));
  desk.records.splice(0);
});

test('a rule that is added lets in at the next sign-in', async () => {
  const before = desk.rules;
  const [rule] = before;
  assert.ok(rule !== undefined);
  desk.rules = [...before, { ...rule, value: 'choir' }];
  assert.equal((await signIn('eve')).answer.status, 200);
  desk.rules = before;
  assert.equal((await signIn('eve')).answer.status, 403);
  desk.records.splice(0);
});

test('a session ends with max_session_hours, however much it is used', async () => {
  const { browser } = await signIn('bob');
  for (let hours = 0; hours < 8; hours += 0.25) {
    assert.equal((await browser.get(`${NODE}/console`)).status, 200, String(hours));
    desk.nowMs += 900_000;
  }
  assert.equal((await browser.get(`${NODE}/console`)).status, 303);
  desk.nowMs = Date.now();
});

test('an administrator sees who is signed in, and puts somebody out at once', async () => {
  const { browser } = await signIn('ann');
  const shown = (await (await desk.api.send('/v1/admin/sessions', { as: 'admin' })).json()) as {
    sessions: { id: string; actor: string; method: string; network: string }[];
  };
  const actor = `person:Ann b Archer b#${idp.issuer}#ann`;
  const found = shown.sessions.findLast((one) => one.actor === actor);
  assert.deepEqual([found?.method, found?.network], ['oidc', '192.0.2.1']);
  const path = `/v1/admin/sessions/${found?.id}`;
  assert.equal((await desk.api.send(path, { as: 'full', method: 'DELETE' })).status, 403);
  assert.equal((await desk.api.send(path, { as: 'admin', method: 'DELETE' })).status, 200);
  assert.equal((await browser.get(`${NODE}/console`)).status, 303);
  assert.equal((await desk.api.send(path, { as: 'admin', method: 'DELETE' })).status, 404);
  const { entries } = (await (
    await desk.api.send('/v1/federation/audit?event_type=console_session_ended', { as: 'admin' })
  ).json()) as { entries: { detail: { of: string } }[] };
  assert.deepEqual(
    entries.map(({ detail }) => detail.of),
    [actor],
  );
});

test('the provider’s no is told, and its words stand in the record alone', async () => {
  const { answer, text } = await signIn('nobody');
  assert.equal(answer.status, 403);
  assert.ok(!text.includes('access_denied'));
  const record = desk.records.splice(0).at(-1);
  assert.deepEqual(
    [record?.reason, record?.detail?.['why']],
    ['provider_refused', 'the provider answered access_denied'],
  );
});

test('a public client signs in by PKCE alone; a wrong secret does not', async (t) => {
  const open = await startRealProvider({ ann: { name: 'ann', groups: ['everybody'] } }, true);
  t.after(() => open.stop());
  const own = await openSignInDesk(open.issuer, { secret: null });
  const browser = own.browser();
  assert.equal((await browser.get(await toCallback(browser, 'ann'))).status, 200);
  own.close();

  const wrong = await openSignInDesk(idp.issuer, { secret: 'guessed' });
  const other = wrong.browser();
  assert.equal((await other.get(await toCallback(other, 'ann'))).status, 502);
  assert.equal(wrong.records.at(-1)?.reason, 'code_refused');
  wrong.close();
});

test('a doctor is told what the provider is', async () => {
  desk.nowMs = Date.now();
  const health = await desk.provider.examine();
  assert.deepEqual([health.fault, health.keys, health.algorithms, health.endsSessions], [null, 1, ['RS256'], true]);
  assert.ok(Math.abs(health.clockSkewMs ?? Number.NaN) < 30_000);
});
