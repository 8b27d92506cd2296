import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { Projector } from '../../../src/projections/projector.ts';
import { RecallIndex } from '../../../src/projections/recall-index.ts';
import {
  appendOwn,
  dropGuards,
  fillJournal,
  LOG_KEY,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

test('derived tables that were emptied are made again, and the journal goes on', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal);
  const before = journal.head(0);
  journal.close();

  const raw = openRaw(folder);
  dropGuards(raw);
  const held = raw.prepare('SELECT count(*) FROM quarantine').pluck().get();
  for (const table of ['lookup', 'quarantine', 'tile_edges', 'state']) raw.exec(`DELETE FROM ${table}`);
  raw.close();

  const again = openJournal(folder);
  const projector = new Projector(again.db);
  const words = new RecallIndex(again.db);
  while (projector.advance() > 0);
  assert.equal(again.head(0).root, before.root);
  appendOwn(again, 600);
  while (projector.advance() > 0 || words.advance() > 0);
  again.head(0);
  assert.equal(again.db.prepare('SELECT count(*) FROM quarantine').pluck().get(), held);
  again.close();

  const found = runFsck(folder, { logKey: LOG_KEY }).problems.filter(({ table }) => table !== 'sqlite_schema');
  assert.deepEqual(found, []);
});
