/** The index of words follows the journal, and may be lost at any time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { RecallIndex } from '../../../src/projections/recall-index.ts';
import {
  fillJournal,
  LOG_KEY,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

const LOSSES: Readonly<Record<string, string>> = {
  dropped: 'DROP TABLE recall_index',
  emptied: "INSERT INTO recall_index (recall_index) VALUES ('delete-all')",
  'its data gone': 'DELETE FROM recall_index_data',
  'its position gone': "DELETE FROM state WHERE name = 'recalled'",
};

for (const [name, sql] of Object.entries(LOSSES)) {
  test(`${name}: made again at the next start`, (t) => {
    const folder = temporaryFolder(t);
    const journal = newJournal(folder);
    fillJournal(journal, 100, 20);
    journal.close();
    const raw = openRaw(folder);
    raw.unsafeMode(true);
    raw.exec(sql);
    raw.close();

    const again = openJournal(folder);
    const index = new RecallIndex(again.db);
    assert.equal(index.position, 0);
    while (index.advance() > 0);
    assert.equal(index.lag(again.size), 0);
    again.close();
    assert.deepEqual(runFsck(folder, { logKey: LOG_KEY }).problems, []);
  });
}

test('fsck tells of words that do not follow from the entries', (t) => {
  const damages = [
    "INSERT INTO recall_index (rowid, words) VALUES (7, 'elsewhere')",
    "INSERT INTO recall_index (recall_index) VALUES ('delete-all')",
    "UPDATE state SET value = value + 1 WHERE name = 'recalled'",
  ];
  for (const sql of damages) {
    const folder = temporaryFolder(t);
    const journal = newJournal(folder);
    fillJournal(journal, 40, 10);
    journal.close();
    const raw = openRaw(folder);
    raw.exec(sql);
    raw.close();
    const { problems } = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual([...new Set(problems.map(({ table }) => table))], ['recall_index'], sql);
  }
});
