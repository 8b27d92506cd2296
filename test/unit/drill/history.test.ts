/** What is read to tell of drills. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRILL_FAILED, DRILL_STARTED } from '../../../src/core/drill.ts';
import { DrillHistory } from '../../../src/drill/history.ts';
import type { AuditFilter, AuditPage, AuditRecord } from '../../../src/journal/read-model.ts';

const AT = '2026-11-03T10:00:00.000000+00:00';

/** Drills that all failed but the last ones, which have no end. */
function history(failed: number, open: number): { readonly drills: DrillHistory; readonly read: () => number } {
  const records = Array.from({ length: failed + open }, (_, i) => {
    const detail = { drill: i.toString(16).padStart(32, '0'), kind: 'rollback' };
    const started = { event: DRILL_STARTED, peer: `stigmem://drill-${detail.drill}.invalid`, at: AT, detail };
    return i < failed ? [started, { event: DRILL_FAILED, peer: null, at: AT, reason: 'accepted', detail }] : [started];
  }).flat() as unknown as AuditRecord[];
  const log = records.map((record, i) => ({ ...record, seq: i + 1 }));
  let read = 0;
  const auditPage = async ({ event, peer, order, cursor, limit }: AuditFilter): Promise<AuditPage> => {
    const found = log.filter((one) => one.event === event && (peer === undefined || one.peer === peer));
    const ordered = order === 'asc' ? found : found.toReversed();
    const behind = ordered.filter(({ seq }) => cursor === undefined || (order === 'asc' ? seq > cursor : seq < cursor));
    const page = behind.slice(0, limit);
    read += page.length;
    return { records: page, cursor: page.at(-1)?.seq ?? null, hasMore: behind.length > page.length };
  };
  const drills = new DrillHistory({
    auditPage,
    cases: async () => ({ cases: [], cursor: null, more: false }),
    caseEvents: () => Promise.reject(new Error('there is no case')),
    running: () => null,
  });
  return { drills, read: () => read };
}

test('drills that failed cost each a few records, however many there are', async () => {
  const { drills, read } = history(1_000, 0);
  const runs = await drills.between('2026-11', '2026-12');
  assert.deepEqual([runs.length, new Set(runs.map(({ state }) => state))], [1_000, new Set(['failed'])]);
  assert.ok(read() <= 1_000 * 17, `${read()} records`);
});

test('those without an end are found once they are older than the look', async () => {
  const { drills } = history(3, 2);
  assert.equal((await drills.cutOff('2026-11-03T10:00:00.000001+00:00')).length, 2);
  assert.deepEqual(await drills.cutOff(AT), []);
});
