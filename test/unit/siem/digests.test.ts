/** When a digest of the audit log is due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Digests } from '../../../src/siem/digests.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-11-30T12:00:00Z');

/** Whether one is made when the newest is of this time. */
async function isDue(newestMs: number | null): Promise<boolean> {
  let asked = false;
  const digests = new Digests({
    journal: {
      newestDigest: async () => (newestMs === null ? null : { last: 7, atMs: newestMs }),
      head: async () => {
        asked = true;
        return { auditCheckpoint: 'acme.example/audit\n7\nAAAA\n\n— acme.example/audit AAAAAAAA\n' };
      },
      auditLines: async () => assert.fail('there is nothing behind the newest'),
      sinkState: async () => assert.fail('there is nothing behind the newest'),
      recordDigest: async () => assert.fail('there is nothing behind the newest'),
    },
    node: { nodeId: 'stigmem://acme.example', authority: 'acme.example', version: '0' },
    sinks: [],
    everyMs: HOUR_MS,
    nowMs: () => NOW_MS,
    onError: (error) => assert.fail(String(error)),
  });
  await digests.makeDue().catch(() => null);
  return asked;
}

test('once an hour, and not never again because a wrong clock has dated one ahead', async () => {
  assert.equal(await isDue(null), true);
  assert.equal(await isDue(NOW_MS - HOUR_MS), true);
  assert.equal(await isDue(NOW_MS - HOUR_MS + 1), false);
  assert.equal(await isDue(NOW_MS + 60_000), false, 'a clock that was put right by a little');
  assert.equal(await isDue(NOW_MS + 365 * 24 * HOUR_MS), true);
});
