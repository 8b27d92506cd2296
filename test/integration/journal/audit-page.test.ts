/** Pages of the audit log with filters that no index serves: what one costs does not grow with the log, and nothing is left out. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import type { AuditFilter } from '../../../src/journal/read-model.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const PEER = 'stigmem://acme.example';

/** 100 records behind those of a new journal, each tenth of them of feed `company`. */
function stage(t: TestContext) {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const wanted: number[] = [];
  for (let i = 1; i <= 100; i++) {
    const feed = i % 10 === 0 ? 'company' : 'public';
    const seq = journal.audit({ event: 'entry_taken', reason: 'x', peer: PEER, feed }, NOW_MS);
    if (feed === 'company') wanted.push(seq);
  }
  return { reader: new AuditReader(journal.db), wanted };
}

for (const order of ['asc', 'desc'] as const)
  test(`a page looks at so many records and says where to go on, ${order}: every match is reached once`, (t) => {
    const { reader, wanted } = stage(t);
    const found: number[] = [];
    let pages = 0;
    const filter: AuditFilter = { feed: 'company', order, limit: 2, looksAt: 7 };
    let cursor: number | null | undefined;
    for (; cursor !== null; pages++) {
      const page = reader.page(cursor === undefined ? filter : { ...filter, cursor });
      const from = cursor;
      assert.ok(page.records.every(({ seq }) => from === undefined || Math.abs(seq - from) <= 7));
      found.push(...page.records.map(({ seq }) => seq));
      cursor = page.hasMore ? page.cursor : null;
    }
    assert.deepEqual(found, order === 'asc' ? wanted : wanted.toReversed());
    assert.ok(pages >= 100 / 7, `${pages} pages`);
  });

test('a filter that an index serves, and none, are not cut short', (t) => {
  const { reader } = stage(t);
  const rest = { order: 'asc', limit: 500, looksAt: 7 } as const;
  const seqs = (filter: Partial<AuditFilter>): number => {
    const page = reader.page({ ...rest, ...filter });
    assert.equal(page.hasMore, false);
    return page.records.length;
  };
  assert.equal(seqs({ event: 'entry_taken' }), 100);
  assert.equal(seqs({ peer: PEER }), 100);
  assert.ok(seqs({}) >= 100);
  for (const broad of [{ event: 'entry_taken', peer: PEER }, { since: '1970' }, { minSeverity: 'low' }] as const)
    assert.equal(reader.page({ ...rest, ...broad }).hasMore, true, JSON.stringify(broad));
});
