/** The journal’s threads have ended under the API: callers are asked to come back, nothing looks like a fault of theirs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';

const FACT = {
  entity: 'stigmem://example/service/s1',
  relation: 'ops:owner',
  source: 'stigmem://example/agent/a1',
  value: { type: 'text', v: 'alice' },
};

let api: FolderApi;
before(async () => {
  api = await openFolderApi();
  assert.equal((await api.send('/v1/facts', { as: 'full', body: FACT })).status, 201);
});
after(() => api.close());

test('without the writer: 503 for writes, reads go on, and /readyz names it', async () => {
  await api.base.writer.close();
  const refused = await api.send('/v1/facts', { as: 'full', body: { ...FACT, relation: 'ops:team' } });
  assert.equal(refused.status, 503, await refused.clone().text());
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal((await api.send('/v1/journal/head', { as: 'ro' })).status, 503);
  assert.equal((await api.send('/v1/facts', { as: 'ro' })).status, 200);

  const ready = (await (await api.send('/readyz')).json()) as { checks: { name: string; ok: boolean }[] };
  assert.equal(ready.checks.find(({ name }) => name === 'writer')?.ok, false);
});

test('without the readers: 503 for reads', async () => {
  await api.base.reader.close();
  for (const path of ['/v1/facts', '/v1/facts/x', '/v1/federation/audit', '/v1/federation/audit?format=jsonl']) {
    assert.equal((await api.send(path, { as: 'full' })).status, 503, path);
  }
});
