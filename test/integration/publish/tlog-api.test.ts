/** `GET /tlog`: the same files over HTTP, with a key unless the operator opened it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createFolder, type DataFolder, type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { auditPublished, type ReadPart } from '../../support/published.ts';

let folder: DataFolder;
let api: FolderApi;

before(async () => {
  folder = await createFolder();
  api = await openFolderApi(folder);
});
after(async () => {
  await api.close();
  folder.remove();
});

async function assertFacts(on: FolderApi, count: number, from = 0): Promise<void> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `stigmem://example/service/s${from + i}`,
    relation: 'ops:state',
    value: { type: 'string', v: `state ${from + i}` },
    source: 'stigmem://example/agent/a',
    scope: 'public',
    confidence: 1,
  }));
  const answer = await on.send('/v1/facts', { method: 'POST', as: 'full', body: { facts } });
  assert.ok(answer.status < 300, await answer.text());
}

function reader(on: FolderApi, log: string, as?: 'ro' | 'audit'): ReadPart {
  return async (path) => {
    const answer = await on.send(`/tlog/${log}/${path}`, as === undefined ? {} : { as });
    assert.equal(answer.status, 200, `${path}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
}

test('nothing is published before something was signed', async () => {
  assert.equal((await api.send('/tlog/journal/checkpoint', { as: 'ro' })).status, 404);
});

test('the journal and the audit log are served as tiles, to keys that may read', async () => {
  await assertFacts(api, 300);
  await api.audit({ event: 'test_event' });
  await api.send('/v1/journal/head', { as: 'ro' });
  assert.equal((await auditPublished(reader(api, 'journal', 'ro'))).size, 300);
  assert.ok((await auditPublished(reader(api, 'audit', 'audit'))).size > 0);
  assert.equal((await api.send('/tlog/journal/checkpoint')).status, 401);
  assert.equal((await api.send('/tlog/journal/checkpoint', { as: 'wo' })).status, 403);
});

test('full tiles may be kept for ever, the checkpoint never without asking', async () => {
  const cache = async (path: string) =>
    (await api.send(`/tlog/journal/${path}`, { as: 'ro' })).headers.get('cache-control');
  assert.equal(await cache('checkpoint'), 'no-cache');
  assert.equal(await cache('tile/0/000'), 'private, max-age=31536000, immutable');
  assert.equal(await cache('tile/entries/000'), 'private, max-age=31536000, immutable');
  assert.equal(await cache('tile/0/001.p/44'), 'private, max-age=60');
});

test('nothing beyond the checkpoint, and no second spelling of a path', async () => {
  await assertFacts(api, 10, 300); // not signed yet
  const none = [
    'tile/0/001.p/45',
    'tile/entries/001.p/45',
    'tile/0/001',
    'tile/0/002',
    'tile/1/000',
    'tile/1/000.p/2',
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/0/x000/000',
    'tile/00/000',
    'tile/64/000',
    'tile/0/000.p/1/2',
    'tile/0/999999',
    `tile/0/${'x999/'.repeat(30)}999`,
    'tile/entries/000/',
    'checkpoint/',
    'nothing',
    'tile/0/..%2f..%2fkeys',
  ];
  for (const path of none) {
    assert.equal((await api.send(`/tlog/journal/${path}`, { as: 'ro' })).status, 404, path);
  }
  assert.equal((await api.send('/tlog/journal/tile/0/001.p/3', { as: 'ro' })).status, 200, 'a narrower one is there');
});

test('open to anybody when the operator says so; a damaged part is named to nobody', async () => {
  await api.close();
  api = await openFolderApi(folder, { 'tlog.public': 'true' });
  await api.send('/v1/journal/head', { as: 'ro' });
  assert.equal((await auditPublished(reader(api, 'journal'))).size, 310);
  assert.match((await api.send('/tlog/journal/tile/0/000')).headers.get('cache-control') ?? '', /^public/);

  const listed = await api.send('/v1/facts?entity=stigmem://example/service/s7', { as: 'ro' });
  const { facts } = (await listed.json()) as { facts: { id: string }[] };
  await api.tamper(facts[0]?.id ?? '', 'value_v', 'forged');
  const answer = await api.send('/tlog/journal/tile/entries/000');
  assert.equal(answer.status, 409);
  const text = await answer.text();
  assert.ok(!text.includes('forged') && !text.includes(facts[0]?.id ?? 'no id'));
  assert.equal((await api.send('/tlog/journal/tile/0/000')).status, 200);
});
