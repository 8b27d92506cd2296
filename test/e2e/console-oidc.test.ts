/**
 * People who sign in to the console of a whole node at a provider that others wrote, in a real Chromium: who they are, what they may,
 * and that two of them are two persons, whichever way each comes.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { dataPaths } from '../../src/config/data-dir.ts';
import { launchChromium } from '../support/chromium.ts';
import { say } from '../support/console-scene.ts';
import { Bench, type NodeProcess, STEP_MS } from '../support/node-process.ts';
import { CLIENT_ID, CLIENT_SECRET, type RealProvider, startRealProvider } from '../support/real-provider.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const cleanups: (() => Promise<void>)[] = [];
const bench = new Bench({
  after: (clean: () => Promise<void>) => cleanups.push(clean),
  diagnostic: () => undefined,
} as never);

let idp: RealProvider;
let node: NodeProcess;
let browser: Browser;
/** What the pages complained of. */
const complaints: string[] = [];
/** Hosts that a page asked for anything but to be shown. */
const foreign: string[] = [];

before(async () => {
  const people = { ann: 'Ann Archer', bob: 'Bob', eve: 'Eve' };
  const groups = { ann: ['peerd-admins', 'choir'], bob: ['peerd-admins'], eve: ['choir'] };
  idp = await startRealProvider(
    Object.fromEntries(Object.entries(people).map(([sub, name]) => [sub, { name, groups: groups[sub as 'ann'] }])),
  );
  const settings = ['review.four_eyes=tombstone.create'];
  [node, browser] = await Promise.all([bench.node('acme.example', settings), launchChromium()]);
  const secret = `${node.dir}/keys/oidc.secret`;
  writeFileSync(secret, `${CLIENT_SECRET}\n`, { mode: 0o600 });
  change((text) =>
    text
      .replace('issuer = ""', `issuer = "${idp.issuer}"`)
      .replace('client_id = ""', `client_id = "${CLIENT_ID}"`)
      .replace('client_secret_file = ""', 'client_secret_file = "keys/oidc.secret"')
      .replace('scopes = ["openid", "profile"]', 'scopes = ["openid", "profile", "groups"]')
      .replace('roles = []', 'roles = ["admin peerd-admins", "reader choir-leaders"]'),
  );
  await node.start();
});
after(async () => {
  await browser?.close();
  for (const clean of cleanups) await clean();
  await idp?.stop();
});

function change(by: (text: string) => string): void {
  const path = dataPaths(node.dir).config;
  const before = readFileSync(path, 'utf8');
  const next = by(before);
  assert.notEqual(next, before);
  writeFileSync(path, next);
}

async function open(): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ reducedMotion: 'reduce' });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' && page.url().startsWith(node.url))
      complaints.push(`${page.url()} ${message.text()}`);
  });
  page.on('request', (request) => {
    const isShown = request.isNavigationRequest() && request.resourceType() === 'document';
    if (!request.url().startsWith(node.url) && page.url().startsWith(node.url) && !isShown) foreign.push(request.url());
  });
  return page;
}

/** As far as the page behind the sign-in. */
async function signIn(page: Page, name: string, path = '/console/settings'): Promise<void> {
  await page.goto(node.url + path);
  await page.getByRole('link', { name: /^Sign in with localhost/ }).click();
  await page.getByRole('button', { name }).click();
}

async function signedIn(name: string, path = '/console/settings'): Promise<Page> {
  const page = await open();
  await signIn(page, name, path);
  await page.waitForURL(node.url + path);
  return page;
}

async function axe(page: Page): Promise<readonly string[]> {
  return (await page.evaluate(
    `${AXE}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((v) => v.id + ' ' + v.nodes.map((n) => n.target.join(' ')).join(' | ')))`,
  )) as string[];
}

test('a person signs in at the provider, is named, does what their group may, and signs out', async () => {
  const page = await open();
  await page.goto(`${node.url}/console/settings`);
  assert.deepEqual(await axe(page), []);
  await signIn(page, 'Ann Archer');
  await page.waitForURL(`${node.url}/console/settings`);
  assert.equal(await page.locator('.who strong').innerText(), 'Ann Archer');
  assert.equal(await page.locator('.who .muted').innerText(), 'admin');
  await page.getByText(`${idp.issuer}#ann`).first().waitFor();

  await page.locator('summary', { hasText: 'Create a key' }).click();
  await page.getByLabel('Name', { exact: true }).fill('importer');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText(/smk_[0-9a-f]{8}_/).waitFor();
  const actor = `person:Ann Archer#${idp.issuer}#ann`;
  assert.equal((await node.audit('event_type=api_key_created')).at(-1)?.actor, actor);

  await page.goto(`${node.url}/console`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole('link', { name: /^Sign out at localhost/ }).click();
  await page.waitForURL(`${idp.issuer}/session/end?**`);
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  await page.waitForURL(`${node.url}/console/sign-in`);
  const records = await node.audit('');
  assert.deepEqual(
    records.filter(({ event_type }) => /^console_/.test(String(event_type))).map((one) => [one.event_type, one.actor]),
    [
      ['console_signed_in', actor],
      ['console_signed_out', actor],
    ],
  );
  await page.context().close();
});

test('who has no group of ours stays outside, and is told so', async () => {
  const page = await open();
  await signIn(page, 'Eve');
  await page.getByText('no group of yours may use this console').waitFor();
  assert.deepEqual(await axe(page), []);
  const [record] = await node.audit('event_type=console_sign_in_refused');
  assert.deepEqual([record?.reason, record?.actor], ['no_role', `person:Eve#${idp.issuer}#eve`]);
  await page.context().close();
});

test('four eyes: a person and their own key are one, a key that names nobody is not told apart, another person approves', async () => {
  const fact = await say(node, 'host/web1', 'acme:status', 'up');
  const person = `${idp.issuer}#ann`;
  const annKey = String((await node.post('/v1/admin/keys', { name: 'ann-cli', role: 'admin', person })).body.secret);
  const ask = async (
    key: string,
    path: string,
    body: object,
  ): Promise<{ status: number; code: string; id: number }> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(node.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = (await response.json()) as { detail?: { code: string }; proposal?: { id: number } };
    return { status: response.status, code: answer.detail?.code ?? '', id: answer.proposal?.id ?? 0 };
  };
  const proposed = await ask(annKey, '/v1/tombstones', { fact, reason: 'said by mistake' });
  assert.equal(proposed.status, 202, JSON.stringify(proposed));
  const approve = `/v1/approvals/${proposed.id}/approve`;
  assert.equal((await ask(annKey, approve, { reason: 'me again' })).code, 'same_actor');
  // The command line's own key: whose it is nobody knows, and it may be Ann's.
  const unnamed = await node.post(approve, { reason: 'and me' });
  assert.deepEqual([unnamed.status, unnamed.body.detail.code], [403, 'actor_unnamed']);

  const ann = await signedIn('Ann Archer');
  assert.equal(await ann.getByRole('button', { name: 'Approve' }).count(), 0);
  await ann.locator('summary', { hasText: 'Withdraw' }).waitFor();
  const bob = await signedIn('Bob');
  await bob.locator('summary', { hasText: 'Decide' }).click();
  await bob.getByLabel('Reason, for the audit log').fill('it was wrong');
  await bob.getByRole('button', { name: 'Approve' }).click();
  await bob.getByText('Nothing waits.').waitFor();
  const [done] = await node.audit('event_type=approval_decided');
  assert.deepEqual([done?.reason, done?.actor], ['approved', `person:Bob#${idp.issuer}#bob`]);

  const listed = JSON.parse(await bench.cli(node, ['session', 'list', '--json'])).sessions as { actor: string }[];
  assert.ok(listed.some(({ actor }) => actor === `person:Ann Archer#${person}`));
  await bench.cli(node, ['session', 'end', `person:Ann Archer#${person}`]);
  await ann.goto(`${node.url}/console/settings`);
  await ann.getByRole('heading', { name: 'Sign in' }).waitFor();

  change((text) => text.replace('"admin peerd-admins"', '"auditor peerd-admins"'));
  await bob.goto(`${node.url}/console/settings`);
  assert.equal(await bob.locator('.who .muted').innerText(), 'auditor', 'without a restart');
  change((text) => text.replace('"auditor peerd-admins", ', ''));
  await bob.goto(`${node.url}/console/settings`);
  await bob.getByRole('heading', { name: 'Sign in' }).waitFor();
  await Promise.all([ann.context().close(), bob.context().close()]);
});

test('a form leads to no provider: the policy of the pages is the same with one and without', async () => {
  const page = await open();
  await page.goto(`${node.url}/console/sign-in`);
  const broken = page.evaluate(`new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
    const form = document.createElement('form');
    form.action = '/console/sign-in/oidc';
    document.body.append(form);
    form.submit();
  })`);
  assert.equal(await broken, 'form-action');
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/form-action/.test(one)));
  await page.context().close();
});

test('the doctor knows the provider; when it is gone the node says so, and keys go on', async () => {
  const check = async (): Promise<{ result: string; seen: string }> => {
    const { checks } = JSON.parse(await bench.cli(node, ['doctor', '--json']).catch((error) => String(error)));
    const found = checks.find(({ id }: { id: string }) => id === 'sign_in.provider');
    assert.notEqual(
      found.result,
      'skipped',
      JSON.stringify(checks.find(({ id }: { id: string }) => id === 'node.answers')),
    );
    return found;
  };
  const well = await check();
  assert.equal(well.result, 'pass', well.seen);
  await idp.stop();
  const gone = await check();
  assert.deepEqual([gone.result, /ECONNREFUSED/.test(gone.seen)], ['fail', true], gone.seen);
  const ready = await fetch(`${node.url}/readyz`);
  const told = await ready.text();
  assert.match(told, /"signing in with OIDC: the identity provider cannot be used"/);
  assert.ok(!/localhost|ECONNREFUSED/.test(told), 'where it is and what is wrong with it is not for strangers');
  assert.equal(ready.status, 200, 'it is no reason against the node');
  const page = await open();
  await page.goto(`${node.url}/console/sign-in`);
  await page.getByText('could not be reached when this node last asked').waitFor();
  await page.getByLabel('API key').fill(readFileSync(dataPaths(node.dir).cliToken, 'utf8').trim());
  await page.getByRole('button', { name: 'Sign in with the key' }).click();
  await page.waitForURL(`${node.url}/console`);
  await page.context().close();
});

test('no page asked anything of anybody else, and no policy was broken', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(
    complaints.filter((one) => !/status of 40[13]/.test(one)),
    [],
  );
});
