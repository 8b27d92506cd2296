import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteQuota } from '../../../src/pull/byte-quota.ts';

const DAY_MS = 86_400_000;
const PER_DAY = 96_000;
/** Any day; it is not zero. */
const START = 1_767_225_600_000;

test('a day’s bytes may come at once; then a part of the day has to pass', () => {
  const quota = new ByteQuota(PER_DAY);
  quota.spend(PER_DAY - 1, START);
  assert.equal(quota.waitMs(START), 0);
  quota.spend(1_001, START);
  assert.equal(quota.waitMs(START), DAY_MS / 48);
  assert.equal(quota.waitMs(START + DAY_MS / 48), 0);
});

test('however it comes and however the clock jumps, a day brings two days’ bytes and a page at most', () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: -DAY_MS, max: DAY_MS / 20 }), bytes: fc.integer({ min: 1, max: 4_000 }) }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const quota = new ByteQuota(PER_DAY);
      let at = START;
      let passedMs = 0;
      let taken = 0;
      for (const { waitMs, bytes } of all) {
        at += waitMs;
        passedMs += Math.max(0, waitMs);
        if (quota.waitMs(at) > 0) continue;
        quota.spend(bytes, at);
        taken += bytes;
        assert.ok(taken <= PER_DAY + (PER_DAY * passedMs) / DAY_MS + 4_000);
      }
    }),
  );
});
