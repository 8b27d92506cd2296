/**
 * The console in a real Chromium, over a node that is lied to: a refusal is seen, judged in the browser, written about and closed by
 * two people; pages pass axe in every look, ask nothing of anybody else, break no rule of their policy and need no scripts.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { readTar } from '../../src/core/ustar.ts';
import { launchChromium } from '../support/chromium.ts';
import { befriend, instruct, openScene, type Person, type Scene, say } from '../support/console-scene.ts';
import { STEP_MS } from '../support/node-process.ts';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
} as const;
/** What somebody would send who wants to be run by whoever reads it. */
const MARKUP = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror=document.title="owned">',
  "'-alert(1)-'",
  '</textarea></pre></svg><svg onload=document.title="owned">',
  'javascript:document.title="owned"',
  '{{7*7}}<%=7*7%>',
  '\u202eexe.\u001b[2J<iframe srcdoc="<script>1</script>">',
];

let scene: Scene;
let browser: Browser;
let fact = '';
let hostile = '';
/** Facts of the partner that are held back, one for each text of {@link MARKUP}. */
const held: string[] = [];
/** Digest of a fact that is to be erased. */
let erasure = '';
const cleanups: (() => Promise<void>)[] = [];
/** Over all tests: what was asked of anybody but the node, and what a policy or a page complained of. */
const foreign: string[] = [];
const complaints: string[] = [];

before(async () => {
  const t = { after: (clean: () => Promise<void>) => cleanups.push(clean), diagnostic: () => undefined };
  [scene, browser] = await Promise.all([
    openScene(t as never, {
      facts: ['cid_mismatch', 'source_not_owned'],
      pages: ['checkpoint_split_view_1'],
      tables: '\n[[sink]]\nname = "archive"\nkind = "file"\npath = "audit.jsonl"\n',
      settings: [
        'review.four_eyes=case.resolve,quarantine.promote',
        'traces.otlp_url=http://scout:hunter2@127.0.0.1:9',
      ],
    }),
    launchChromium(),
  ]);
  await befriend(scene);
  fact = await say(scene.node, 'host/web1', 'acme:status', 'up');
  for (const [i, text] of MARKUP.entries()) {
    hostile = await say(scene.partner, `x/${i}`, `globex:${i}`, text);
    await say(scene.node, `x/${i}`, 'acme:note', text);
    held.push(await instruct(scene.partner, `order/${i}`, text));
  }
  scene.node.writePeer('umbrella', scene.liars.asPeer('source_not_owned'));
  scene.node.writePeer('hooli', scene.cheats.asPeer('checkpoint_split_view_1'));
  await scene.bench.until('what the partner says is taken, and lies are found', async () => {
    const { status } = await scene.node.get(`/v1/facts/${hostile}`);
    const cases = await casesAt();
    const { facts } = (await scene.node.get('/v1/quarantine')).body;
    return status === 200 && cases.length >= 2 && facts.length === MARKUP.length ? true : undefined;
  });
  const gone = await say(scene.node, 'person/7', 'acme:note', MARKUP[1]);
  const asked = await scene.node.post('/v1/tombstones', { fact: gone, reason: MARKUP[1] });
  erasure = String(asked.body.fact);
});
after(async () => {
  await browser?.close();
  for (const clean of cleanups) await clean();
});

interface CaseLine {
  readonly id: number;
  readonly state: string;
  readonly reason: string | null;
}

async function casesAt(query = ''): Promise<readonly CaseLine[]> {
  return (await scene.node.get(`/v1/cases${query}`)).body.cases;
}

async function open(look: keyof typeof LOOKS, scripts = true): Promise<BrowserContext> {
  const context = await browser.newContext({ ...LOOKS[look], javaScriptEnabled: scripts, reducedMotion: 'reduce' });
  context.setDefaultTimeout(STEP_MS);
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (url.startsWith(scene.node.url)) return route.continue();
    foreign.push(url);
    return route.abort();
  });
  return context;
}

async function signedIn(context: BrowserContext, person: Person): Promise<Page> {
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${page.url()} ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()} ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${scene.node.url}/console/sign-in`);
  await page.getByLabel('API key').fill(scene.keys[person]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${scene.node.url}/console`);
  return page;
}

/** Keys are taken from now on. */
async function ready(page: Page): Promise<void> {
  await page.locator('html[data-scripts="on"]').waitFor();
}

test('a refusal comes to the page by itself, verified in the browser, noted, resolved by two people, exported', async (t) => {
  const context = await open('light');
  const alice = await signedIn(context, 'alice');
  await ready(alice);
  await alice.keyboard.press('g');
  await alice.keyboard.press('c');
  await alice.waitForURL('**/console/cases');
  await alice.locator('[data-live-state="on"], [data-state="on"]').waitFor();

  scene.node.writePeer('initech', scene.liars.asPeer('cid_mismatch'));
  await scene.bench.until('the refusal is recorded', async () =>
    (await casesAt('?reason=cid_mismatch')).length > 0 ? true : undefined,
  );
  const recordedMs = performance.now();
  // Only what the server has sent by itself is announced: nobody reloads the page, and it asks for nothing.
  await alice.locator('[data-announce]', { hasText: 'cid mismatch' }).waitFor({ state: 'attached' });
  await alice.getByRole('link', { name: 'cid mismatch' }).waitFor();
  t.diagnostic(`${Math.round(performance.now() - recordedMs)} ms until the page showed it`);

  // By keys alone, from the list to the case.
  const rows = await alice.locator('tr[data-row] th a').allTextContents();
  for (let i = 0; i <= rows.indexOf('cid mismatch'); i++) await alice.keyboard.press('j');
  await alice.keyboard.press('Enter');
  await alice.getByRole('heading', { name: 'cid mismatch', level: 1 }).waitFor();
  await ready(alice);
  assert.match(await alice.locator('.compare mark').first().innerText(), /^0{64}$/);

  await alice.keyboard.press('v');
  const verdict = alice.locator('[data-verify-result]');
  await verdict.getByText('Verified in this browser: contradiction, class d').waitFor();
  assert.match(await verdict.innerText(), /steps of SHA-256 by WebCrypto lead from the leaf to the root/);

  await alice.keyboard.press('a');
  await alice.getByText('Acknowledged.', { exact: true }).waitFor();
  await ready(alice);
  await alice.keyboard.press('n');
  await alice.keyboard.type(MARKUP[1] ?? '');
  await alice.getByRole('button', { name: 'Add the note' }).press('Enter');
  await alice.locator('.timeline p').filter({ hasText: 'onerror' }).waitFor();

  await alice.locator('summary', { hasText: 'Resolve' }).press('Enter');
  await alice.locator('select[name="verdict"]').selectOption('malicious');
  await alice.getByLabel('What it was').fill('the hash is made up');
  await alice.getByRole('button', { name: 'Resolve' }).press('Enter');
  await alice.getByText('Another person has to approve it.').waitFor();
  const caseUrl = alice.url();
  const id = Number(caseUrl.split('/').at(-1));
  assert.equal((await casesAt('?reason=cid_mismatch'))[0]?.state, 'acknowledged');
  assert.equal(await alice.getByRole('button', { name: 'Approve' }).count(), 0, 'nobody approves what is their own');

  const bob = await signedIn(await open('light'), 'bob');
  await bob.goto(`${scene.node.url}/console/settings`);
  const row = bob.locator('tr', { hasText: 'case.resolve' });
  assert.match(await row.innerText(), /verdict malicious\s+version \d+/, 'what exactly is approved stands beside it');
  await row.getByRole('link', { name: `case:${id}` }).click();
  await bob.waitForURL(`**/console/cases/${id}`);
  await bob.locator('summary', { hasText: 'Decide' }).press('Enter');
  await bob.getByLabel('Reason, for the audit log').fill('looked at it too');
  await bob.getByRole('button', { name: 'Approve' }).press('Enter');
  await bob.getByText('resolved', { exact: true }).first().waitFor();
  assert.deepEqual(
    (await casesAt('?reason=cid_mismatch&state=resolved')).map((one) => one.id),
    [id],
  );

  const [download] = await Promise.all([
    bob.waitForEvent('download'),
    bob.getByRole('link', { name: 'With the page it came in' }).click(),
  ]);
  const tar = join(scene.bench.root, 'evidence.tar');
  await download.saveAs(tar);
  const files = readTar(readFileSync(tar));
  assert.ok(files.ok);
  const verifier = join(scene.bench.root, 'verify.mjs');
  writeFileSync(verifier, files.value.get('verify.mjs') ?? '');
  const judged = spawnSync(process.execPath, [verifier, tar], { encoding: 'utf8', cwd: scene.bench.root });
  assert.equal(judged.status, 0, judged.stdout + judged.stderr);
  assert.match(judged.stdout, /PROVEN/);
  await context.close();
});

async function pagesOf(): Promise<readonly string[]> {
  const [first] = await casesAt('?state=open');
  return [
    '/console',
    '/console/cases',
    `/console/cases/${first?.id}`,
    '/console/peers',
    `/console/peers/globex?fact=${encodeURIComponent(fact)}`,
    '/console/peers/hooli',
    '/console/facts',
    `/console/facts/${fact}`,
    `/console/facts/${hostile}`,
    '/console/quarantine?status=all',
    `/console/quarantine/${held[0]}`,
    '/console/erasures',
    `/console/erasures/${erasure}`,
    '/console/journal',
    '/console/records',
    `/console/records/${first?.id}`,
    '/console/drills',
    '/console/settings',
    '/console/settings/values?show=all',
    '/console/nowhere',
  ];
}

test('every page passes axe in light, in dark and on a telephone, and nothing on it is wider than the screen', async () => {
  const found: string[] = [];
  for (const look of Object.keys(LOOKS) as (keyof typeof LOOKS)[]) {
    const context = await open(look);
    const page = await signedIn(context, 'root');
    for (const path of ['/console/sign-in', ...(await pagesOf())]) {
      await page.goto(scene.node.url + path);
      // As an isolated script of the test's: the page's own policy holds for the page alone.
      const violations = (await page.evaluate(
        `${AXE}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((v) => v.id + ' ' + v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join(' | ')))`,
      )) as string[];
      found.push(...violations.map((one) => `${look} ${path}: ${one}`));
      const wide = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
      if (wide > 0) found.push(`${look} ${path}: ${wide} px too wide`);
    }
    await context.close();
  }
  assert.deepEqual(found, []);
});

test('without scripts every page is there, and forms work', async () => {
  const context = await open('light', false);
  const page = await signedIn(context, 'alice');
  for (const path of await pagesOf()) {
    await page.goto(scene.node.url + path);
    assert.ok((await page.locator('h1').innerText()).length > 0, path);
  }
  const [held] = await casesAt('?state=open');
  await page.goto(`${scene.node.url}/console/cases/${held?.id}`);
  await page.getByLabel('Note').fill('written without scripts');
  await page.getByRole('button', { name: 'Add the note' }).click();
  await page.locator('.timeline p', { hasText: 'written without scripts' }).waitFor();

  await page.goto(`${scene.node.url}/console/cases?state=open`);
  await page.getByLabel(`Select case ${held?.id}`).check();
  await page.getByLabel('Do').selectOption('investigate');
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByRole('button', { name: 'Investigate' }).click();
  await page.getByText('1 case changed.').waitFor();
  assert.ok((await casesAt('?state=investigating')).some(({ id }) => id === held?.id));
  await context.close();
});

test('what partners write is text on every page', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'root');
  const pages = [
    ...(await pagesOf()),
    '/console/facts?limit=50',
    ...MARKUP.map((text) => `/console/facts?entity=${encodeURIComponent(text)}`),
  ];
  for (const path of pages) {
    await page.goto(scene.node.url + path);
    const made = (await page.evaluate(
      `[document.title === 'owned', document.scripts.length, document.querySelectorAll('img, iframe, [onerror], [onload], a[href^="javascript:"]').length].join()`,
    )) as string;
    assert.equal(made, 'false,1,0', path);
  }
  await page.goto(`${scene.node.url}/console/facts/${hostile}`);
  assert.ok((await page.locator('main').innerText()).includes('<iframe srcdoc='), 'it is shown as it was written');
  await context.close();
});

test('a fact held back says nothing until it is asked, and is let through by two people', async () => {
  const context = await open('light');
  const alice = await signedIn(context, 'alice');
  const [id = ''] = held;
  const text = MARKUP[0] ?? '';
  await alice.goto(`${scene.node.url}/console/quarantine`);
  const row = alice.locator('tr[data-row]', { has: alice.locator(`a[href="/console/quarantine/${id}"]`) });
  assert.equal((await row.innerText()).includes('script'), false, 'what it says is folded');
  await row.getByText('Show').click();
  assert.ok((await row.locator('pre').innerText()).includes(text), 'and then shown as it was written');
  await row.locator('th a').click();
  await alice.locator('summary', { hasText: 'Let readers see it' }).press('Enter');
  await alice.getByLabel('Reason, for the audit log').first().fill('it is only a test');
  await alice.getByRole('button', { name: 'Let it through' }).press('Enter');
  await alice.getByText('Another person has to approve it.').waitFor();
  assert.equal((await scene.node.get(`/v1/quarantine/${id}`)).body.status, 'pending');
  assert.equal(await alice.getByRole('button', { name: 'Approve' }).count(), 0, 'nobody approves what is their own');

  const bob = await signedIn(await open('light'), 'bob');
  await bob.goto(`${scene.node.url}/console/quarantine/${id}`);
  await bob.locator('summary', { hasText: 'Decide' }).press('Enter');
  await bob.locator('details[open]').getByLabel('Reason, for the audit log').fill('I have read it too');
  await bob.getByRole('button', { name: 'Approve' }).press('Enter');
  await bob.waitForURL(`**/console/quarantine/${id}`);
  await bob.getByText('let through', { exact: true }).first().waitFor();
  assert.equal((await scene.node.get(`/v1/facts/${id}`)).status, 200);

  await bob.goto(`${scene.node.url}/console/quarantine/${held[1]}`);
  await bob.locator('summary', { hasText: 'Keep it from readers' }).press('Enter');
  await bob.locator('details[open]').getByLabel('Reason, for the audit log').fill('nobody asked for it');
  await bob.getByRole('button', { name: 'Keep it back' }).press('Enter');
  await bob.getByText('nobody asked for it').waitFor();
  assert.equal((await scene.node.get(`/v1/quarantine/${held[1]}`)).body.status, 'rejected');
  await context.close();
});

test('an erasure is ordered from the page of the fact, shows how it stands, and is undone', async () => {
  const context = await open('light', false);
  const page = await signedIn(context, 'root');
  const gone = await say(scene.node, 'person/8', 'acme:telephone', '+44 20 7946 0000');
  await page.goto(`${scene.node.url}/console/facts/${gone}`);
  await page.getByText('Have this fact erased').click();
  await page.getByLabel('Reason, for the audit log').fill('asked for in letter 4711');
  await page.getByRole('button', { name: 'Have it erased' }).click();
  await page.getByText('asked for in letter 4711').first().waitFor();
  assert.equal((await scene.node.get(`/v1/facts/${gone}`)).status, 410);
  await page.goto(`${scene.node.url}/console/facts/${gone}`);
  await page.getByRole('link', { name: 'How its erasure stands' }).click();
  await page.getByText('Undo it: show the fact again').click();
  await page.getByLabel('Reason, for the audit log').fill('the wrong person');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('the wrong person').first().waitFor();
  assert.equal((await scene.node.get(`/v1/facts/${gone}`)).status, 200);
  assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0, 'there is nothing to decide any more');
  await context.close();
});

test('everything is checked at a press of a button, and the page shows the record of it', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'root');
  await page.goto(`${scene.node.url}/console/journal`);
  await ready(page);
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.getByText('The check has begun.').waitFor();
  const row = page.getByRole('group', { name: 'Full checks' }).locator('tbody tr').first();
  await row.getByText('clean').waitFor();
  assert.match(await row.innerText(), /by hand\s+agent:root#/);
  const { size } = (await scene.node.get('/v1/journal/head')).body;
  assert.ok((await row.innerText()).includes(String(size)), 'the head that was checked');
  await context.close();
});

test('settings are found without scripts, and a password in an address is not among them', async () => {
  const context = await open('light', false);
  const page = await signedIn(context, 'root');
  await page.goto(`${scene.node.url}/console/settings`);
  await page.getByRole('link', { name: 'Settings in force' }).click();
  const table = page.getByRole('group', { name: 'Settings' });
  assert.match(await table.innerText(), /review\.four_eyes[\s\S]*case\.resolve/);
  assert.equal((await table.innerText()).includes('anchor.retry_s'), false, 'it is at its default');
  await page.getByLabel('Name, value or meaning').fill('otlp');
  await page.getByRole('button', { name: 'Filter' }).click();
  const found = await page.getByRole('group', { name: 'Settings' }).innerText();
  assert.ok(found.includes('http://…@127.0.0.1:9/'), found);
  assert.equal((await page.content()).includes('hunter2'), false);
  await context.close();
});

test('facts are found by their words, and a receiver of the audit log says how it is', async () => {
  const context = await open('light', false);
  const page = await signedIn(context, 'root');
  await page.goto(`${scene.node.url}/console/facts`);
  await page.getByLabel('Or by words').fill('web1 status');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.locator(`a[href="/console/facts/${fact}"]`).waitFor();
  await page.goto(`${scene.node.url}/console/settings`);
  const panel = page.getByRole('region', { name: 'What leaves this machine' });
  assert.match(await panel.innerText(), /archive\s+\S*audit\.jsonl[\s\S]*takes/);
  await panel.getByText('Test', { exact: true }).click();
  await panel.getByLabel('Reason, for the audit log').fill('after the move');
  await panel.getByRole('button', { name: 'Send a test to archive' }).click();
  await page.getByText('archive has taken the test event.').waitFor();
  await context.close();
});

test('one step for all cases that match a filter, looked at first', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'alice');
  await page.goto(`${scene.node.url}/console/cases?state=open&reason=source_not_owned`);
  await ready(page);
  await page.getByLabel('With').selectOption('all');
  await page.getByLabel('Do').selectOption('assign');
  await page.getByLabel('Assignee; empty: nobody').fill('alice');
  await page.getByLabel('Why').fill('mine');
  assert.equal(
    await page.locator('[data-for="suppress"]').isVisible(),
    false,
    'what the step does not take is not there',
  );
  await page.getByRole('button', { name: 'Preview' }).click();
  const [one, ...others] = await casesAt('?state=open&reason=source_not_owned');
  assert.ok(one !== undefined && others.length === 0);
  await page.getByRole('link', { name: String(one.id), exact: true }).waitFor();
  await page.getByRole('button', { name: 'Assign' }).click();
  await page.getByText('1 case changed.').waitFor();
  assert.deepEqual(
    (await casesAt('?assignee=alice')).map(({ id }) => id),
    [one.id],
  );
  await context.close();
});

test('a position of the journal leads to its fact, as proposals to erase name it', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'root');
  const { changes } = (await scene.node.get('/v1/changes?limit=100')).body;
  const { seq } = changes.find((one: { fact: { id: string } }) => one.fact.id === fact);
  await page.goto(`${scene.node.url}/console/entries/${seq}`);
  assert.equal(page.url(), `${scene.node.url}/console/facts/${fact}`);
  assert.equal((await page.goto(`${scene.node.url}/console/entries/999999`))?.status(), 404);
  await context.close();
});

test('a case shows its own records, whatever the address says', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'root');
  const [one, other] = await casesAt();
  const current = page.locator('nav[aria-label="Examples"] [aria-current]');
  await page.goto(`${scene.node.url}/console/cases/${one?.id}?record=${one?.id}`);
  assert.equal(await current.locator('.n').innerText(), String(one?.id));
  await page.goto(`${scene.node.url}/console/cases/${one?.id}?record=${other?.id}`);
  assert.equal(await current.count(), 1, 'of another case nothing is shown here');
  await context.close();
});

test('what is verified is the fact that the page is about, and is shown as it was proved', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'root');
  await page.goto(`${scene.node.url}/console/facts/${fact}`);
  await ready(page);
  const verify = page.getByRole('button', { name: 'Verify in this browser' });
  const result = page.locator('[data-verify-result]');
  await verify.click();
  await result.getByText('Verified in this browser').waitFor();
  const said = await result.innerText();
  for (const text of [
    'stigmem://acme.example/host/web1',
    'Relation: acme:status',
    'Value: up',
    'Source: stigmem://acme',
  ])
    assert.ok(said.includes(text), said);
  assert.match(said, /steps? of SHA-256 by WebCrypto lead/);

  const other = await page.request.get(`${scene.node.url}/console/facts/${hostile}/bundle`);
  const body = await other.text();
  await page.route(`**/console/facts/${fact}/bundle`, (route) => route.fulfill({ body }));
  await verify.click();
  await result.getByText('Not verified').waitFor();
  assert.ok((await result.innerText()).includes(`this proves ${hostile}`), await result.innerText());
  await context.close();
});

test('who may not is offered nothing, and refused', async () => {
  const context = await open('light');
  const page = await signedIn(context, 'rita');
  assert.deepEqual(await page.locator('nav[aria-label="Pages"] a').allInnerTexts(), [
    'Overview',
    'Facts',
    'Journal',
    'Keys & settings',
  ]);
  const cookies = await context.cookies();
  const session = cookies.find(({ name }) => name.startsWith('stigmem-console-') && !name.endsWith('-form'));
  assert.deepEqual([session?.httpOnly, session?.sameSite], [true, 'Strict']);
  await page.goto(`${scene.node.url}/console/cases`);
  await page.getByText('Not shown: audit.read permission required.').first().waitFor();
  const csrf = await page.locator('input[name="_csrf"]').first().inputValue();
  const [held] = await casesAt('?state=open');
  const answer = await page.request.post(`${scene.node.url}/console/cases/${held?.id}/note`, {
    form: { _csrf: csrf, why: 'mine' },
    maxRedirects: 0,
  });
  assert.equal(answer.status(), 303);
  await page.goto(`${scene.node.url}/console`);
  await page.getByText('review permission required').waitFor();
  complaints.splice(0, complaints.length, ...complaints.filter((one) => !/status of 4(?:03|04|10)/.test(one)));
  await context.close();
});

test('a link of the command line signs in once, from the page that a desktop opens', async () => {
  const { url } = JSON.parse(await scene.bench.cli(scene.node, ['open', '--json'])) as { url: string };
  const context = await open('light');
  const page = await context.newPage();
  const sent: string[] = [];
  page.on('request', (request) => sent.push(`${request.url()} ${request.headers()['referer'] ?? ''}`));
  // As a desktop comes to it: from a file, which is another site.
  const file = join(scene.bench.root, 'open.html');
  writeFileSync(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${url}">`);
  await context.route(`file://${file}`, (route) => route.continue());
  await page.goto(`file://${file}`);
  await page.waitForURL(`${scene.node.url}/console/sign-in/link`);
  await ready(page);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${scene.node.url}/console`);
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  const token = url.split('#')[1] ?? 'none';
  assert.ok(sent.length > 2 && !sent.some((one) => one.includes(token)), 'no address and no Referer holds the token');

  const other = await context.newPage();
  await other.goto(url);
  await ready(other);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByText('This link was used before.').waitFor();
  assert.ok(!readFileSync(join(scene.bench.root, `${scene.node.authority}.log`), 'utf8').includes(token));
  await context.close();
});

test('nothing was asked of anybody else, and no policy was broken', () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(
    complaints.filter((one) => !/status of 4(?:03|04|10)/.test(one)),
    [],
  );
});
