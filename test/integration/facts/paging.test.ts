/** Pages of facts while facts are added: what was there is seen once. Received facts are found like any other. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { readSeedFile } from '../../../src/config/secret-file.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { createFolder, type DataFolder, type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { pullPage } from '../../support/journal-fixture.ts';

const OWN = 900;
const RECEIVED = 400;

interface Fact {
  readonly id: string;
  readonly cid: string;
  readonly received_from: string | null;
  readonly entity: string;
}
interface Page {
  readonly facts: readonly Fact[];
  readonly total: number;
  readonly cursor: string | null;
}

const peer = new HonestPeer().appendMany(RECEIVED, (i) => ({ entity: `stigmem://acme.example/host/h${i}` }));
let folder: DataFolder;
let api: FolderApi;
/** Ids of all facts that are there before any test, in the order of the journal. */
const known: string[] = [];

before(async () => {
  folder = await createFolder('globex.example');
  const seed = readSeedFile(dataPaths(folder.dir).logKey, 'log');
  assert.ok(seed.ok);
  const random = (bytes: Uint8Array): Uint8Array => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const journal = Journal.open(folder.dir, { logSeed: seed.value, cacheMiB: 8, random });
  while (journal.peers.cursor(peer.nodeId, 'public') < peer.size) pullPage(journal, peer, 200);
  journal.close();
  known.push(...peer.entries.map(({ entry }) => entry.fact_id));
  api = await openFolderApi(folder);
  for (let at = 0; at < OWN; at += 300) known.push(...(await assertMany(at, 300)));
});
after(async () => {
  await api.close();
  folder.remove();
});

async function assertMany(from: number, count: number): Promise<readonly string[]> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `stigmem://globex.example/service/s${from + i}`,
    relation: 'ops:state',
    source: `stigmem://globex.example/agent/a${i % 3}`,
    value: { type: 'text', v: `state ${from + i}` },
    scope: i % 2 === 0 ? 'public' : 'company',
  }));
  const response = await api.send('/v1/facts', { as: 'full', body: { facts } });
  assert.equal(response.status, 201);
  return ((await response.json()) as { results: { fact: Fact }[] }).results.map(({ fact }) => fact.id);
}

async function page(query: string): Promise<Page> {
  const response = await api.send(`/v1/facts?${query}`, { as: 'ro' });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Page;
}

async function pageThrough(query: string, between: () => Promise<unknown> = async () => undefined): Promise<Fact[]> {
  const found: Fact[] = [];
  for (let cursor: string | null = null; ; ) {
    const next: Page = await page(cursor === null ? query : `${query}&cursor=${cursor}`);
    found.push(...next.facts);
    if (next.cursor === null) return found;
    cursor = next.cursor;
    await between();
  }
}

const ids = (facts: readonly Fact[]): string[] => facts.map(({ id }) => id);

test('many pages while facts are added: each that was there once, newest first, and none that came later', async () => {
  let added = OWN;
  const found = await pageThrough('limit=37', async () => {
    await assertMany(added, 3);
    added += 3;
  });
  assert.ok(added > OWN + 60);
  assert.deepEqual(ids(found), known.toReversed());
});

for (const [query, matches] of [
  ['scope=company', (i: number) => i >= RECEIVED && (i - RECEIVED) % 2 === 1],
  ['source=stigmem://globex.example/agent/a1', (i: number) => i >= RECEIVED && (i - RECEIVED) % 3 === 1],
  ['relation=memory:status', (i: number) => i < RECEIVED],
  ['relation=ops:state&scope=public&min_confidence=0.5', (i: number) => i >= RECEIVED && (i - RECEIVED) % 2 === 0],
] as const) {
  test(`with filters (${query}): all that match, once, whether found by a look-up or a scan`, async () => {
    const before = new Set(known);
    const found = ids(await pageThrough(`${query}&limit=23`, () => assertMany(10_000, 1))).filter((id) =>
      before.has(id),
    );
    assert.deepEqual(found, known.filter((_, i) => matches(i)).toReversed());
  });
}

test('a cursor does not tell whether an id is there: ids of facts and of none get one answer', async () => {
  const answers = new Set<string>();
  for (const cursor of [known[0], known.at(-1), crypto.randomUUID(), 'nothing', '0', '-1', '1e3', '9'.repeat(16)]) {
    const response = await api.send(`/v1/facts?cursor=${cursor}`, { as: 'ro' });
    answers.add(`${response.status} ${await response.text()}`);
  }
  assert.equal(answers.size, 1, [...answers].join('\n'));
  assert.match([...answers].join(), /^400 .*cursor_unknown/);
});

test('a cursor is a position, whatever stands there, or nothing yet', async () => {
  const behind = await page('cursor=11&limit=500&include_contradicted=true&scope=public');
  assert.deepEqual(ids(behind.facts), known.slice(0, 10).toReversed());
  assert.deepEqual(await page('cursor=999999999999999&limit=1'), await page('limit=1'));
});

test('received facts: by id, by CID, with where they came from, and with a proof', async () => {
  for (const { entry } of [peer.entries[0], peer.entries[255], peer.entries.at(-1)].filter(
    (one) => one !== undefined,
  )) {
    for (const key of [entry.fact_id, entry.cid]) {
      const response = await api.send(`/v1/facts/${key}`, { as: 'ro' });
      assert.equal(response.status, 200, key);
      const fact = (await response.json()) as Fact;
      assert.deepEqual([fact.id, fact.cid, fact.received_from], [entry.fact_id, entry.cid, peer.nodeId]);
      assert.equal((await api.send(`/v1/facts/${key}/proof`, { as: 'ro' })).status, 200);
    }
  }
});
