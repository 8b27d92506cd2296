/** Severities are lanes of the stored audit log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { severityOf } from '../../../src/core/severity.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

test('one critical record is found among many others, by its reason or by its event', (t) => {
  const journal = newJournal(temporaryFolder(t));
  const peer = 'stigmem://acme.example';
  for (let i = 0; i < 200; i++)
    journal.audit({ event: 'federation_integrity_rejected', reason: 'cid_mismatch', peer }, NOW_MS);
  journal.audit({ event: 'peer_suspended', reason: 'checkpoint_split_view', peer }, NOW_MS);
  journal.audit({ event: 'mass_deletion', peer }, NOW_MS);
  journal.audit({ event: 'peer_resumed', peer }, NOW_MS);
  const reader = new AuditReader(journal.db);
  const lane = (minSeverity: 'medium' | 'high' | 'critical'): string[] =>
    reader.page({ order: 'asc', limit: 500, minSeverity }).records.map(({ event }) => event);
  assert.deepEqual(lane('critical'), ['peer_suspended']);
  assert.deepEqual(lane('high'), ['peer_suspended', 'mass_deletion']);
  assert.equal(lane('medium').length, 202);
  const all = reader.page({ order: 'asc', limit: 500, minSeverity: 'info' }).records;
  const events = all.filter(({ event }) => event !== 'case_opened');
  assert.deepEqual([events.length, severityOf(events.at(-1)?.event ?? '', null)], [203, 'info']);
  journal.close();
});
