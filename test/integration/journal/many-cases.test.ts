/** Ten thousand cases: what a list costs the processor, and what a record that is taken in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_STATES } from '../../../src/core/case-state.ts';
import { CaseReader } from '../../../src/journal/case-reader.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const CASES = 10_000;
const ROUNDS = 20;
/** Of processor time: some 2 ms on a fast machine; a query for each case takes two seconds. */
const MAX_LIST_MS = 150;

test('a page of ten thousand cases, whatever the filter, costs milliseconds', (t) => {
  const journal = newJournal(temporaryFolder(t));
  journal.durably((record) => {
    for (let i = 0; i < CASES; i++) {
      const reason = i % 3 === 0 ? 'cid_mismatch' : 'source_not_owned';
      const peer = `stigmem://p${i % 50}.example`;
      record({ event: 'rejected_fact', reason, peer, feed: `feed-${i}`, detail: { key_id: '0a0b0c0d' } }, NOW_MS);
    }
  });
  const reader = new CaseReader(journal.db);
  const page = { order: 'newest', cursor: null, limit: 50 } as const;
  const asked = {
    open: () => reader.list({ ...page, states: OPEN_STATES }).cases.length,
    'of a peer': () => reader.list({ ...page, peer: 'stigmem://p7.example', severities: ['high'] }).cases.length,
    none: () => 50 + reader.list({ ...page, assignee: 'nobody has this name' }).cases.length,
    changed: () => reader.list({ ...page, order: 'changed', cursor: 5_000 }).cases.length,
    counts: () => 50 * reader.counts().length,
  };
  for (const [name, ask] of Object.entries(asked)) {
    assert.ok(ask() >= 50, name);
    const started = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) ask();
    const { user, system } = process.cpuUsage(started);
    const ms = (user + system) / 1_000 / ROUNDS;
    t.diagnostic(`${name}: ${ms.toFixed(2)} ms`);
    assert.ok(ms < MAX_LIST_MS, `${name}: ${ms} ms`);
  }
  journal.close();
});
