/** Signing in at a provider that lies, and through somebody who stands between. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { BrowserJar } from '../../support/browser-jar.ts';
import {
  type Answer,
  HostileProvider,
  type Json,
  newKey,
  signed,
  signedWithPublicKey,
  unsigned,
} from '../../support/hostile-provider.ts';
import { NODE, openSignInDesk, type SignInDesk } from '../../support/sign-in-desk.ts';
import { until } from '../../support/until.ts';

let idp: HostileProvider;
let desk: SignInDesk;
beforeEach(async () => {
  idp = await HostileProvider.start();
  desk = await openSignInDesk(idp.issuer, {});
});
afterEach(async () => {
  desk.close();
  await idp.stop();
});

type Make = (nonce: string) => string;

interface Begun {
  readonly browser: BrowserJar;
  readonly state: string;
  readonly nonce: string;
}

async function begin(browser: BrowserJar = desk.browser()): Promise<Begun> {
  const answer = await browser.get(`${NODE}/console/sign-in/oidc`);
  const to = new URL(answer.headers.get('location') ?? '', NODE);
  return { browser, state: to.searchParams.get('state') ?? '', nonce: to.searchParams.get('nonce') ?? '' };
}

async function comeBack({ browser, state }: Begun, more: Json = {}): Promise<string> {
  const params = new URLSearchParams({ code: 'c', state, iss: idp.issuer, ...more } as Record<string, string>);
  const answer = await browser.get(`${NODE}/console/sign-in/oidc/callback?${params}`);
  const text = await answer.text();
  assert.ok(!text.includes('secret-access') && !text.includes('eyJ'), 'no token is on a page');
  const isIn = (await browser.get(`${NODE}/console`)).status === 200;
  assert.equal(isIn, answer.status === 200);
  return isIn ? 'in' : String(desk.records.findLast(({ event }) => event === 'console_sign_in_refused')?.reason);
}

/** @returns `in`, or why not */
async function signIn(make: Make): Promise<string> {
  const begun = await begin();
  idp.gives(make(begun.nonce));
  return comeBack(begun);
}

const honest =
  (changed: Json = {}, header: Json = {}): Make =>
  (nonce) =>
    signed(idp.key, idp.claims(nonce, desk.nowMs, changed), header);

test('an honest token lets in, and each lie in one is refused with its name', async () => {
  assert.equal(await signIn(honest()), 'in');
  const seconds = Math.floor(desk.nowMs / 1_000);
  const lies: readonly (readonly [string, Make])[] = [
    ['token_claim_mismatch', honest({ nonce: 'another' })],
    ['token_malformed', honest({ nonce: undefined })],
    ['token_claim_mismatch', honest({ aud: 'another-client' })],
    ['token_claim_mismatch', honest({ aud: ['peerd-console', 'another-client'] })],
    ['token_claim_mismatch', honest({ aud: ['peerd-console', 'another-client'], azp: 'another-client' })],
    ['token_claim_mismatch', honest({ azp: 'another-client' })],
    ['token_claim_mismatch', honest({ iss: 'https://idp.other.example' })],
    ['token_claim_mismatch', honest({ iss: `${idp.issuer}/` })],
    ['token_time_invalid', honest({ exp: seconds - 61 })],
    ['token_time_invalid', honest({ iat: seconds + 62, exp: seconds + 600 })],
    ['token_time_invalid', honest({ nbf: seconds + 62 })],
    ['token_malformed', honest({ exp: undefined })],
    ['token_malformed', honest({ iat: undefined })],
    ['token_malformed', honest({ sub: undefined })],
    ['subject_invalid', honest({ sub: 'x'.repeat(256) })],
    ['subject_invalid', honest({ sub: 'änn' })],
    ['token_algorithm_refused', (nonce) => unsigned(idp.claims(nonce, desk.nowMs))],
    ['token_algorithm_refused', (nonce) => unsigned(idp.claims(nonce, desk.nowMs), 'NONE')],
    ['token_algorithm_refused', (nonce) => signedWithPublicKey(idp.key, idp.claims(nonce, desk.nowMs))],
    ['token_algorithm_refused', honest({}, { alg: 'RS512' })],
    ['token_algorithm_refused', honest({}, { alg: 'PS256' })],
    ['token_signature_invalid', (nonce) => signed({ ...newKey('x'), kid: 'one' }, idp.claims(nonce, desk.nowMs))],
    ['token_signature_invalid', (nonce) => `${honest()(nonce).slice(0, -8)}AAAAAAAA`],
    ['token_signature_invalid', (nonce) => signed(newKey('unknown'), idp.claims(nonce, desk.nowMs))],
    ['token_malformed', honest({}, { crit: ['b64'] })],
    ['token_malformed', () => 'a.b'],
    ['token_malformed', () => 'a.b.c.d.e'],
    ['token_malformed', () => '!.!.!'],
  ];
  for (const [i, [code, make]] of lies.entries()) assert.equal(await signIn(make), code, `lie ${i}`);
});

test('names, groups and contexts that are odd let nobody in, and break nothing', async () => {
  const cases: readonly (readonly [string, Json])[] = [
    ['in', { groups: 'everybody' }],
    ['in', { groups: ['choir', 'everybody'] }],
    ['no_role', { groups: 'everybody,peerd-admins' }],
    ['no_role', { groups: 'Everybody' }],
    ['no_role', { groups: [] }],
    ['no_role', { groups: Array.from({ length: 1_000 }, (_, i) => `g${i}`) }],
    ['roles_malformed', { groups: Array.from({ length: 1_001 }, () => 'everybody') }],
    ['roles_malformed', { groups: [['everybody']] }],
    ['roles_malformed', { groups: { everybody: true } }],
    ['roles_malformed', { groups: 7 }],
    ['roles_missing', { groups: undefined }],
    ['roles_missing', { groups: null, _claim_names: { groups: 'src1' }, _claim_sources: {} }],
    ['in', { preferred_username: '<script>alert(1)</script>' }],
    ['in', { preferred_username: { toString: 'x' } }],
    ['in', { preferred_username: 'agent:admin#00000000' }],
  ];
  for (const [expected, changed] of cases)
    assert.equal(await signIn(honest(changed)), expected, JSON.stringify(changed).slice(0, 99));
  const actors = desk.records.flatMap(({ event, actor }) => (event === 'console_signed_in' ? [actor] : []));
  const at = `#${idp.issuer}#ann`;
  assert.deepEqual(actors.slice(-3), [
    `person:script alert 1 script${at}`,
    `person:unnamed${at}`,
    `person:agent admin 00000000${at}`,
  ]);
  const overage = desk.records.findLast(({ reason }) => reason === 'roles_missing');
  assert.match(String(overage?.detail?.['why']), /keeps it elsewhere/);
});

test('a stronger sign-in is asked for, and what is weaker refused', async () => {
  const strict = await openSignInDesk(idp.issuer, { settings: { acr: ['gold', 'silver'], amr: ['mfa', 'hwk'] } });
  const lax = desk;
  desk = strict;
  const answer = await desk.browser().get(`${NODE}/console/sign-in/oidc`);
  assert.equal(new URL(answer.headers.get('location') ?? '').searchParams.get('acr_values'), 'gold silver');
  assert.equal(await signIn(honest({ acr: 'silver', amr: ['hwk', 'mfa', 'pwd'] })), 'in');
  assert.equal(await signIn(honest({ acr: 'bronze', amr: ['hwk', 'mfa'] })), 'acr_insufficient');
  assert.equal(await signIn(honest({ amr: ['hwk', 'mfa'] })), 'acr_insufficient');
  assert.equal(await signIn(honest({ acr: 'gold', amr: ['mfa'] })), 'amr_insufficient');
  assert.equal(await signIn(honest({ acr: 'gold', amr: 'mfa hwk' })), 'amr_insufficient');
  strict.close();
  desk = lax;
});

test('an answer that another provider sent is refused before the code is shown to anybody', async () => {
  for (const iss of ['https://idp.other.example', `${idp.issuer}/`])
    assert.equal(await comeBack(await begin(), { iss }), 'response_invalid');
  const { browser, state } = await begin();
  const bare = await browser.get(`${NODE}/console/sign-in/oidc/callback?code=c&state=${state}`);
  assert.equal(bare.status, 502, 'it says that it always names itself');
  const twice = await begin();
  const doubled = `${NODE}/console/sign-in/oidc/callback?code=c&code=d&iss=${idp.issuer}&state=${twice.state}`;
  assert.equal((await twice.browser.get(doubled)).status, 502);
  assert.equal(await comeBack(await begin(), { id_token: 'x' }), 'response_invalid', 'a token in the address');
  assert.ok(!idp.asked.includes('/token'));
});

test('a document that leads elsewhere is not believed', async () => {
  const cases: readonly (readonly [RegExp, Json])[] = [
    [/calls itself .*slash\.example/, { issuer: 'https://slash.example' }],
    [/jwks_uri of its discovery document is .* not https/, { jwks_uri: 'http://10.0.0.7/jwks' }],
    [/token_endpoint of its discovery document is .* not https/, { token_endpoint: 'file:///etc/passwd' }],
    [/has no authorization_endpoint/, { authorization_endpoint: undefined }],
    [
      /signs tokens with HS256, none; oidc.algorithms has none/,
      { id_token_signing_alg_values_supported: ['HS256', 'none'] },
    ],
  ];
  for (const [why, said] of cases) {
    idp.said = said;
    const health = await desk.provider.examine();
    assert.match(health.fault ?? '', why);
  }
  // In the network of this node, by https: what the provider names elsewhere has to be public.
  idp.said = { jwks_uri: 'https://127.0.0.1:9/jwks', token_endpoint: 'https://10.0.0.7/token' };
  assert.match(
    (await desk.provider.examine()).fault ?? '',
    /127\.0\.0\.1, which is this machine itself, and it was named by somebody else/,
  );
  assert.equal(await signIn(honest()), 'provider_unavailable');
  assert.match(String(desk.records.at(-1)?.detail?.['why']), /10\.0\.0\.7, which is inside a private network/);
});

test('what redirects, never ends, is no JSON or breaks off is a provider that cannot be used', async () => {
  const kinds: readonly Answer[] = ['redirect', 'endless', 'nonsense', 'broken'];
  for (const answer of kinds) {
    idp.discovery = answer;
    assert.notEqual((await desk.provider.examine()).fault, null, `discovery ${String(answer)}`);
    idp.discovery = null;
    assert.equal((await desk.provider.examine()).fault, null);
    idp.jwks = answer;
    assert.match((await desk.provider.examine()).fault ?? '', /its keys \(jwks_uri\) cannot be had/, String(answer));
    const fresh = await openSignInDesk(idp.issuer);
    const kept = desk;
    desk = fresh;
    assert.notEqual(await signIn(honest()), 'in', `keys ${String(answer)}`);
    desk = kept;
    fresh.close();
    idp.jwks = null;
    const begun = await begin();
    idp.token = answer;
    assert.notEqual(await comeBack(begun), 'in', `token ${String(answer)}`);
    idp.token = null;
  }
});

test('a provider that is down keeps nobody out who has a key, is said on the page, and is not asked by each who tries', async () => {
  idp.discovery = 'broken';
  const browser = desk.browser();
  const answer = await browser.get(`${NODE}/console/sign-in/oidc`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /cannot be used at this moment\. A key works all the same/);
  for (let i = 0; i < 5; i++) await browser.get(`${NODE}/console/sign-in/oidc`);
  assert.equal(idp.asked.length, 1);
  const page = await (await browser.get(`${NODE}/console/sign-in`)).text();
  assert.match(page, /could not be reached when this node last asked/);
  const _csrf = /name="_csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  assert.equal(
    (await browser.post(`${NODE}/console/sign-in`, { _csrf, key: desk.api.keys.ro, next: '/console' })).status,
    303,
  );

  idp.discovery = null;
  desk.nowMs += 10_000;
  assert.equal(await signIn(honest()), 'in', 'and it is found again');
  idp.discovery = 'broken';
  desk.nowMs += 3_600_000;
  assert.equal(await signIn(honest()), 'in', 'what it said of itself is kept while nothing newer is to be had');
});

test('new keys are fetched when a token names one that is not known, but not for each', async () => {
  assert.equal(await signIn(honest()), 'in');
  const next = newKey('two');
  const withNext: Make = (nonce) => signed(next, idp.claims(nonce, desk.nowMs));
  assert.equal(await signIn(withNext), 'token_signature_invalid');
  idp.keys = [idp.key, next];
  const count = (): number => idp.asked.filter((path) => path === '/jwks').length;
  const asked = count();
  desk.nowMs += 10_000;
  assert.equal(await signIn(withNext), 'in');
  assert.equal(count(), asked + 1);
  for (let i = 0; i < 3; i++)
    assert.equal(
      await signIn((nonce) => signed(newKey('three'), idp.claims(nonce, desk.nowMs))),
      'token_signature_invalid',
    );
  assert.equal(count(), asked + 1, 'odd tokens do not have them fetched again and again');
});

test('strangers fill neither memory nor the audit log', async () => {
  for (let i = 0; i < 60; i++)
    await desk.browser(`198.51.100.${i}`).get(`${NODE}/console/sign-in/oidc/callback?state=made-up&code=x`);
  const refused = desk.records.filter(({ event }) => event === 'console_sign_in_refused');
  assert.equal(refused.length, 20);
  desk.nowMs += 60_000;
  await desk.browser().get(`${NODE}/console/sign-in/oidc/callback?state=made-up&code=x`);
  assert.equal(desk.records.at(-1)?.detail?.['left_out'], 40);
  // Who is known at the provider is recorded all the same.
  assert.equal(await signIn(honest({ groups: [] })), 'no_role');

  const statuses: number[] = [];
  for (let i = 0; i < 40; i++)
    statuses.push(
      (await desk.browser('203.0.113.9').get(`${NODE}/console/sign-in/oidc/callback?state=made-up`)).status,
    );
  assert.ok(statuses.includes(429), 'failures of one network are counted with those of keys');
});

const tokensAsked = (): number => idp.asked.filter((path) => path === '/token').length;

test('a network that has failed too often has no more codes redeemed; others are let in, and good ones are no failures', async () => {
  const network = '203.0.113.9';
  const comesBack = async (): Promise<number> => {
    const { browser, state } = await begin(desk.browser(network));
    const back = `${NODE}/console/sign-in/oidc/callback?code=c&state=${state}&iss=${idp.issuer}`;
    return (await browser.get(back)).status;
  };
  idp.token = 'nonsense';
  const statuses: number[] = [];
  for (let i = 0; i < 34; i++) statuses.push(await comesBack());
  assert.deepEqual([statuses[0], statuses[33]], [502, 429]);
  const asked = tokensAsked();
  assert.ok(asked <= 32, String(asked));
  assert.equal(await comesBack(), 429);
  assert.equal(tokensAsked(), asked, 'the provider is not asked');
  assert.equal(await signIn(honest()), 'in');
  for (let i = 0; i < 35; i++) assert.equal(await signIn(honest({ sub: `s${i}` })), 'in');
});

test('one network has four codes redeemed at once, and leaves the others theirs', async () => {
  const callbackOf = ({ state }: Begun): string =>
    `${NODE}/console/sign-in/oidc/callback?code=c&state=${state}&iss=${idp.issuer}`;
  const crowd = await Promise.all(Array.from({ length: 6 }, () => begin(desk.browser('203.0.113.9'))));
  const other = await begin();
  idp.token = 'hang';
  const answers = crowd.map(async (one) => (await one.browser.get(callbackOf(one))).status);
  const tooMany = (): number =>
    desk.records.filter(({ detail }) => detail?.['why'] === 'too many are signing in at this moment').length;
  await until('four are asked for, two refused', () => tokensAsked() === 4 && tooMany() === 2);
  idp.gives(honest()(other.nonce));
  assert.equal(await comeBack(other), 'in');
  idp.letGo();
  await Promise.all(answers);
});

test('who has an account does not fill the audit log, and keeps nobody else out of it', async () => {
  const of = (event: string): number => desk.records.filter((record) => record.event === event).length;
  for (let i = 0; i < 25; i++) assert.equal(await signIn(honest()), 'in');
  assert.equal(of('console_signed_in'), 20);
  for (let i = 0; i < 25; i++) await signIn(honest({ groups: [] }));
  assert.equal(of('console_sign_in_refused'), 20);
  await signIn(honest({ sub: 'bob', groups: [] }));
  assert.equal(desk.records.at(-1)?.actor, `person:ann#${idp.issuer}#bob`);
  desk.nowMs += 60_000;
  await signIn(honest());
  assert.deepEqual([desk.records.at(-1)?.event, desk.records.at(-1)?.detail?.['left_out']], ['console_signed_in', 5]);
});

test('a network begins so many sign-ins at once; others begin theirs', async () => {
  const statuses: number[] = [];
  const start = (address: string): Promise<Response> => desk.browser(address).get(`${NODE}/console/sign-in/oidc`);
  for (let i = 0; i < 62; i++) statuses.push((await start('203.0.113.9')).status);
  assert.deepEqual([statuses[59], statuses[60], statuses[61]], [303, 429, 429]);
  assert.match(await (await start('203.0.113.9')).text(), /Try again in 1 s\. A key works all the same/);
  assert.equal((await start('198.51.100.7')).status, 303);
  desk.nowMs += 1_000;
  assert.equal((await start('203.0.113.9')).status, 303);
});
