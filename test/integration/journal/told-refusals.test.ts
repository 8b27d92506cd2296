import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ToldRefusals } from '../../../src/journal/told-refusals.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const PEER = 'stigmem://acme.example';
const OF = { reason: 'source_not_owned', peer: PEER, feed: 'public' };

test('a summary that comes after what it counts was taken does not open it again', (t) => {
  const journal = newJournal(temporaryFolder(t));
  const told = new ToldRefusals(journal.db);
  const groups = () => {
    told.advanced(
      PEER,
      journal.durably(() => told.advance(PEER)),
    );
    return told.open(PEER);
  };
  journal.audit({ ...OF, event: 'rejected_fact', detail: { feed_seq: 1 } }, NOW_MS);
  assert.equal(groups().length, 1);
  journal.audit({ ...OF, event: 'refusal_resolved', detail: { count: 3, page_id: 1, records: [1] } }, NOW_MS);
  assert.deepEqual(groups(), []);
  journal.audit({ ...OF, event: 'refusals_summarized', detail: { count: 2, exemplars: [] } }, NOW_MS);
  assert.deepEqual(groups(), [], 'all three were taken');
  const [group] = told.due(PEER);
  assert.deepEqual([group?.refused, group?.resolved], [3, 3]);
  journal.audit({ ...OF, event: 'rejected_fact', detail: { feed_seq: 4 } }, NOW_MS);
  assert.equal(groups().length, 1, 'a new one stands');
  journal.close();
});
