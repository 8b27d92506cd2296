import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQuota } from '../../../src/admin/api/quota.ts';
import { DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';

const RATES = { ...DEFAULT_API_LIMITS.quotas, witness: { burst: 1, perSecond: 1 } };

test('whoever comes from ever new addresses gets no bucket back that is used up, and shares one', () => {
  const quota = createQuota(RATES, 4);
  assert.equal(quota.take('a', 'witness', 0), null);
  for (const other of ['b', 'c', 'd']) assert.equal(quota.take(other, 'witness', 100), null);
  assert.equal(quota.take('e', 'witness', 200), null, 'the first without a bucket of its own');
  assert.equal(quota.take('f', 'witness', 200), 1, 'shares that one');
  assert.equal(quota.take('a', 'witness', 200), 0.8, 'what it has used is not forgotten');
});

test('one that would be full again makes room', () => {
  const quota = createQuota(RATES, 2);
  quota.take('a', 'witness', 0);
  quota.take('b', 'witness', 900);
  assert.equal(quota.take('c', 'witness', 1_000), null);
  assert.equal(quota.take('c', 'witness', 1_000), 1, 'it has a bucket');
  assert.equal(quota.take('b', 'witness', 1_000), 0.9);
});
