/** Pictures of every page, in light, in dark and as wide as a telephone: `npm run console:shots [-- FOLDER]`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../support/chromium.ts';
import { befriend, openScene, type Person, type Scene, say } from '../support/console-scene.ts';
import type { NodeProcess } from '../support/node-process.ts';
import { startRealProvider } from '../support/real-provider.ts';

const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
} as const;
type Look = keyof typeof LOOKS;

const folder = process.argv[2] ?? 'docs/console';
/** Names of pages; none: all. */
const wanted = process.argv.slice(3);
const SINK = '\n[[sink]]\nname = "archive"\nkind = "file"\npath = "audit.jsonl"\n';
const cleanups: (() => Promise<void>)[] = [];
try {
  mkdirSync(folder, { recursive: true });
  const scene = await openScene(
    { after: (clean: () => Promise<void>) => cleanups.push(clean), diagnostic: () => undefined } as never,
    {
      facts: ['cid_mismatch', 'source_not_owned', 'instruction_inbound'],
      pages: ['checkpoint_split_view_1'],
      tables: SINK,
    },
  );
  const fact = await fill(scene);
  const oidc = await openWithProvider(scene);
  const browser = await launchChromium();
  cleanups.unshift(() => browser.close());
  for (const look of Object.keys(LOOKS) as Look[]) {
    await shoot(browser, scene, look, fact);
    await shootSignIn(browser, oidc, look);
  }
} finally {
  for (const clean of cleanups) await clean();
}

/** Facts, refusals of several kinds, and a split view. @returns id of a fact */
async function fill(scene: Scene): Promise<string> {
  const { node, partner, liars, cheats, bench } = scene;
  await befriend(scene);
  for (const host of ['web1', 'web2', 'db1', 'mail1', 'vpn1'])
    await say(node, `host/${host}`, 'acme:status', host === 'db1' ? 'degraded' : 'up');
  await say(node, 'host/db1', 'acme:replica_lag_s', 42);
  const id = await say(
    node,
    'incident/42',
    'acme:indicator',
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  );
  await say(node, 'incident/42', 'acme:contact', 'soc@acme.example', 'company');
  for (const name of ['edge7', 'edge9']) await say(partner, `device/${name}`, 'globex:firmware', '4.2.1');
  node.writePeer('initech', liars.asPeer('cid_mismatch'));
  node.writePeer('umbrella', liars.asPeer('source_not_owned'));
  node.writePeer('soylent', liars.asPeer('instruction_inbound'));
  node.writePeer('hooli', cheats.asPeer('checkpoint_split_view_1'));
  await bench.until('all lies are found', async () => {
    const found = await node.audit('min_severity=medium');
    const reasons = new Set(found.map(({ reason }) => reason));
    return ['cid_mismatch', 'source_not_owned', 'checkpoint_split_view', 'instruction_inbound'].every((one) =>
      reasons.has(one),
    )
      ? true
      : undefined;
  });
  const gone = await say(node, 'person/7', 'acme:telephone', '+44 20 7946 0000');
  await node.post('/v1/tombstones', { fact: gone, reason: 'asked for in letter 4711' });
  await node.post('/v1/journal/checks', {});
  await bench.until('everything is checked', async () =>
    (await node.get('/v1/journal/checks')).body.checks.length > 0 ? true : undefined,
  );
  for (const kind of ['cid-mismatch', 'split-view', 'time-future']) {
    const { body } = await node.post('/v1/drills', { kind, reason: 'drill of the month' });
    await bench.until(`drill ${kind} is over`, async () =>
      (await node.get(`/v1/drills/runs/${body.run.id}`)).body.run.state === 'running' ? undefined : true,
    );
  }
  return id;
}

async function shoot(browser: Browser, { node, keys, bench }: Scene, look: Look, fact: string): Promise<void> {
  const context = await browser.newContext({
    ...LOOKS[look],
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(`${node.url}/console/sign-in`);
  await save(page, look, 'sign-in');
  await signIn(page, node.url, keys, 'root');
  const [record] = await node.audit('reason=cid_mismatch');
  const [held] = (await node.get('/v1/cases?reason=cid_mismatch')).body.cases as readonly { readonly id: number }[];
  const [instruction] = (await node.get('/v1/quarantine')).body.facts as readonly {
    readonly fact: { readonly id: string };
  }[];
  const [erasure] = (await node.get('/v1/tombstones')).body.tombstones as readonly { readonly fact: string }[];
  const pages: Readonly<Record<string, string>> = {
    overview: '/console',
    cases: '/console/cases',
    case: `/console/cases/${held?.id}`,
    peers: '/console/peers',
    peer: `/console/peers/globex?fact=${encodeURIComponent(fact)}`,
    'peer-suspended': '/console/peers/hooli',
    facts: `/console/facts?source=${encodeURIComponent('stigmem://acme.example/operator')}`,
    fact: `/console/facts/${fact}`,
    quarantine: '/console/quarantine',
    'quarantine-fact': `/console/quarantine/${instruction?.fact.id}`,
    erasures: '/console/erasures',
    erasure: `/console/erasures/${erasure?.fact}`,
    journal: '/console/journal',
    records: '/console/records?min_severity=low',
    record: `/console/records/${record?.seq}`,
    drills: '/console/drills',
    settings: '/console/settings',
    'settings-values': '/console/settings/values',
  };
  for (const [name, path] of Object.entries(pages)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await page.goto(node.url + path);
    const verify = page.locator('[data-verify-button]');
    if ((await verify.count()) > 0) {
      await verify.first().click();
      await bench.until('it is verified', async () =>
        (await page.locator('.verdict ol').count()) > 0 ? true : undefined,
      );
    }
    await save(page, look, name);
  }
  await context.close();
}

/** A node whose people sign in at a provider. */
async function openWithProvider({ bench }: Scene): Promise<NodeProcess> {
  const idp = await startRealProvider(
    { ann: { name: 'Ann Archer', groups: ['soc'] }, eve: { name: 'Eve', groups: [] } },
    true,
  );
  cleanups.push(() => idp.stop());
  const settings = [`oidc.issuer=${idp.issuer}`, 'oidc.client_id=peerd-console', 'oidc.roles=reviewer soc'];
  const scopes = 'oidc.scopes=openid,profile,groups';
  return (await bench.node('initech.example', [...settings, scopes])).start();
}

async function shootSignIn(browser: Browser, { url }: NodeProcess, look: Look): Promise<void> {
  const context = await browser.newContext({ ...LOOKS[look], reducedMotion: 'reduce' });
  const page = await context.newPage();
  const signInAs = async (name: string): Promise<void> => {
    await page.goto(`${url}/console/sign-in?next=/console/settings`);
    await page.getByRole('link', { name: /^Sign in with/ }).click();
    await page.getByRole('button', { name }).click();
  };
  await page.goto(`${url}/console/sign-in`);
  await save(page, look, 'sign-in-oidc');
  await signInAs('Eve');
  await page.getByRole('alert').waitFor();
  await save(page, look, 'sign-in-refused');
  await context.clearCookies();
  await signInAs('Ann Archer');
  await page.waitForURL(`${url}/console/settings`);
  await save(page, look, 'settings-oidc');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  await save(page, look, 'signed-out');
  await context.close();
}

async function signIn(page: Page, url: string, keys: Scene['keys'], person: Person): Promise<void> {
  await page.goto(`${url}/console/sign-in`);
  await page.getByLabel('API key').fill(keys[person]);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${url}/console`);
}

async function save(page: Page, look: Look, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
}
