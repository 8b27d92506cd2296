import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recurring } from '../../../src/core/recurring.ts';

test('the first at once, then one in each window, with the number of those between', () => {
  const seen = new Recurring(60_000);
  assert.equal(seen.note('a', 0), 0);
  assert.equal(seen.note('a', 1), null);
  assert.equal(seen.note('b', 2), 0);
  assert.equal(seen.note('a', 59_999), null);
  assert.equal(seen.note('a', 60_000), 2);
  assert.equal(seen.note('a', 60_001), null);
});

test('what a clock that was ahead has begun puts nothing off', () => {
  const seen = new Recurring(60_000);
  const aheadMs = 365 * 86_400_000;
  assert.equal(seen.note('a', aheadMs), 0);
  assert.equal(seen.note('a', 0), 0);
  assert.equal(seen.note('a', 1), null);
});

test('a flood of keys costs one record more, not one each', () => {
  const seen = new Recurring(60_000);
  const records = Array.from({ length: 10_000 }, (_, i) => seen.note(`key ${i}`, 1)).filter((one) => one !== null);
  assert.equal(records.length, 257);
});
