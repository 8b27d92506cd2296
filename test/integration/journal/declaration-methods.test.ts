/** Declarations of a peer, as the journal's thread keeps them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { declarationMethods } from '../../../src/threads/declaration-methods.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const HOUR_MS = 3_600_000;

test('a peer that goes from one key to the other and back, for ever, is followed once an hour', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const methods = declarationMethods(journal, new AuditReader(journal.db));
  let changes = 0;
  const change = (peer: string, nowMs: number): boolean =>
    methods.followDeclaration(peer, `declaration ${changes++}`, { event: 'peer_keys_succeeded', peer }, nowMs);
  const rows = (): unknown => journal.db.prepare('SELECT count(*) FROM peer_declarations').pluck().get();
  const peer = 'stigmem://acme.example';
  for (let i = 0; i < 100; i++) assert.equal(change(peer, NOW_MS + i), i < 8);
  assert.equal(change('stigmem://hooli.example', NOW_MS), true, 'another peer');
  assert.equal(rows(), 9);
  assert.equal(change(peer, NOW_MS + HOUR_MS), true);
  assert.equal(change(peer, NOW_MS + HOUR_MS), false);
  assert.equal(change(peer, NOW_MS + 24 * HOUR_MS), true);
  assert.equal(change(peer, NOW_MS - 365 * 24 * HOUR_MS), true, 'a clock that was put back');
});
