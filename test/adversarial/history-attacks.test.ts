/** What the administrator's attacks leave behind on his own machine: nothing that his own checks would find. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFsck } from '../../src/journal/fsck/run-fsck.ts';
import { type Record, rewriteHistory, withValue } from '../support/history-attacks.ts';
import { appendOwn, LOG_KEY, LOG_SEED, newJournal, openJournal, temporaryFolder } from '../support/journal-fixture.ts';

const ATTACKS: Readonly<{ [name: string]: (records: Record[]) => readonly Record[] }> = {
  'edits a value': (records) => records.map((record, i) => (i === 41 ? withValue(record, 'down') : record)),
  'flips interpret_as': (records) =>
    records.map((record, i) =>
      i === 41 ? { ...record, entry: { ...record.entry, interpret_as: 'instruction' } } : record,
    ),
  'deletes a row': (records) => records.filter((_, i) => i !== 41),
  'cuts the tail': (records) => records.slice(0, 280),
};

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(`an administrator who ${name} and rebuilds everything leaves a folder that checks clean`, (t) => {
    const folder = temporaryFolder(t);
    const journal = newJournal(folder);
    appendOwn(journal, 200);
    journal.head(0);
    appendOwn(journal, 100);
    journal.head(0);
    journal.close();
    rewriteHistory(folder, LOG_SEED, attack);
    const report = runFsck(folder, { logKey: LOG_KEY });
    assert.deepEqual(report.problems, []);
    openJournal(folder).close();
  });
}
