/** A disk that is full between a fact's transaction and its look-ups. Over a real data folder. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Database from 'better-sqlite3';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';

let api: FolderApi;
before(async () => {
  api = await openFolderApi();
});
after(() => api.close());

const ENTITY = 'stigmem://example/service/full-disk';

function fact(v: string): object {
  return {
    entity: ENTITY,
    relation: 'ops:owner',
    source: 'stigmem://example/agent/a1',
    value: { type: 'text', v },
    scope: 'company',
  };
}

/** Look-ups cannot be written while this holds; the journal can. */
function lookupsFail(during: boolean): void {
  const db = new Database(dataPaths(api.dir).journal);
  const full = "CREATE TRIGGER full_disk BEFORE INSERT ON lookup BEGIN SELECT RAISE(ABORT, 'disk is full'); END";
  db.exec(during ? full : 'DROP TRIGGER full_disk');
  db.close();
}

test('a fact that is stored is answered as stored, though its look-ups could not be written', async () => {
  const size = async (): Promise<number> => (await api.base.writer.stats()).entries;
  const before = await size();
  lookupsFail(true);
  const stored = await api.send('/v1/facts', { as: 'full', body: fact('alice') });
  assert.equal(stored.status, 201, await stored.clone().text());
  assert.equal(await size(), before + 1);

  // Whether another is new cannot be told now: it is refused, and nothing of it is stored.
  const unknown = await api.send('/v1/facts', { as: 'full', body: fact('bob') });
  assert.equal(unknown.status, 500);
  assert.equal(await size(), before + 1);

  lookupsFail(false);
  const { id } = (await stored.json()) as { id: string };
  const again = await api.send('/v1/facts', { as: 'full', body: fact('alice') });
  assert.equal(((await again.json()) as { id: string }).id, id);
  assert.equal(await size(), before + 1);
  const found = await api.send(`/v1/facts?entity=${encodeURIComponent(ENTITY)}`, { as: 'ro' });
  assert.deepEqual(
    ((await found.json()) as { facts: { id: string }[] }).facts.map((one) => one.id),
    [id],
  );
});
