/** Places of sinks: they move by compare-and-set, moves are records, and `fsck` finds a place that cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { sinkMethods } from '../../../src/threads/sink-methods.ts';
import { LOG_KEY, newJournal, openRaw, temporaryFolder } from '../../support/journal-fixture.ts';

const BY = { actor: 'agent:bo#k1', reason: 'the index was lost' };

test('who comes late moves nothing; a move belongs to its record', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const sinks = sinkMethods(journal, createLogSigner(journal.identity.journalOrigin, Buffer.alloc(32, 5)));
  assert.equal(sinks.sinkState('siem'), null);
  assert.equal(sinks.openSink('siem', 'beginning', 1).acked, 0);
  assert.equal(sinks.openSink('siem', 'now', 1).acked, 0, 'it keeps its place');
  for (let i = 0; i < 9; i++) journal.audit({ event: 'peer_verified' }, 1);
  assert.equal(sinks.ackSink('siem', 0, 4, 2), true);
  assert.equal(sinks.ackSink('siem', 0, 3, 2), false);
  sinks.failSink('siem', 4, 'unreachable: x', 3);
  sinks.failSink('siem', 4, 'unreachable: y', 4);
  const failing = {
    name: 'siem',
    since: 0,
    acked: 4,
    placed: 0,
    attempts: 2,
    failingSinceUs: 3_000,
    lastError: 'unreachable: y',
    ackedUs: 2_000,
  };
  assert.deepEqual(sinks.sinkState('siem'), failing);
  for (const move of [
    { kind: 'replay', from: 6 },
    { kind: 'replay', from: 0 },
    { kind: 'skip', to: 4 },
    { kind: 'skip', to: 11 },
    { kind: 'pass', seq: 6, error: 'x' },
  ] as const)
    assert.equal(sinks.moveSink('siem', move, BY, 5), null, JSON.stringify(move));
  const size = journal.auditSize;
  assert.equal(sinks.moveSink('siem', { kind: 'replay', from: 2 }, BY, 5), size + 1);
  assert.equal(sinks.sinkState('siem')?.acked, 1);
  assert.equal(sinks.moveSink('siem', { kind: 'skip', to: 3 }, BY, 5), size + 2);
  assert.equal(sinks.moveSink('siem', { kind: 'pass', seq: 4, error: 'HTTP 422' }, BY, 5), size + 3);
  assert.equal(sinks.sinkState('siem')?.acked, 4);
  assert.equal(sinks.ackSink('siem', 4, 6, 6), true);
  assert.equal(sinks.sinkState('siem')?.placed, 4, 'a delivery is no move');
  assert.equal(
    sinks.openSink('late', 'now', 6).acked,
    journal.auditSize - 1,
    'its own start is the first that it is sent',
  );
});

test('fsck finds a place beyond the log', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  sinkMethods(journal, createLogSigner(journal.identity.journalOrigin, Buffer.alloc(32, 5))).openSink(
    'siem',
    'beginning',
    1,
  );
  journal.head(0);
  journal.close();
  const codes = (): unknown[] =>
    runFsck(folder, { logKey: LOG_KEY }).problems.map(({ table, row, field, code }) => [table, row, field, code]);
  assert.deepEqual(codes(), []);
  const db = openRaw(folder);
  db.exec("UPDATE sinks SET acked = 99 WHERE name = 'siem'");
  db.close();
  assert.deepEqual(codes(), [['sinks', 'siem', 'acked', 'sink_place']]);
});
