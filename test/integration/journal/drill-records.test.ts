/** What was refused is counted, whatever a record in between has become. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isoMicros } from '../../../src/core/time.ts';
import { openDatabase } from '../../../src/journal/database.ts';
import { DrillRecords } from '../../../src/journal/drill-records.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const SPOILED = '"feed":"spoiled"';

test('a record whose text the disk has spoiled takes nothing away but itself', (t) => {
  const journal = newJournal(temporaryFolder(t));
  const peer = 'stigmem://globex.example';
  for (const feed of ['one', 'spoiled', 'three'])
    journal.audit({ event: 'federation_integrity_rejected', reason: 'cid_mismatch', peer, feed }, NOW_MS);
  const file = journal.db.name;
  journal.db.pragma('wal_checkpoint(TRUNCATE)');
  journal.close();
  const bytes = readFileSync(file);
  // A page that was split keeps what it had.
  for (let at = bytes.indexOf(SPOILED); at > 0; at = bytes.indexOf(SPOILED, at + 1)) bytes.write('"feed",', at);
  writeFileSync(file, bytes);

  const db = openDatabase(file, { readonly: true, cacheMiB: 1 });
  t.after(() => db.close());
  assert.throws(() => db.prepare('SELECT at FROM audit').all(), /malformed JSON/);
  const records = new DrillRecords(db);
  const at = isoMicros(NOW_MS * 1_000);
  assert.deepEqual([records.lastRefusalAt(), records.begunAt()], [at, at]);
  const counted = records.refusals(isoMicros((NOW_MS - 1) * 1_000), isoMicros((NOW_MS + 1) * 1_000));
  assert.deepEqual(counted, [{ reason: 'cid_mismatch', count: 2 }]);
});
