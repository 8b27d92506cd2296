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

test('a clock that was ahead once, and was put back, silences nobody, and holds no place', () => {
  const seen = new Recurring(60_000);
  const day = 86_400_000;
  for (let i = 0; i < 256; i++) seen.note(`key ${i}`, day);
  assert.equal(seen.note('key 0', 1), 0, 'told again at once');
  assert.equal(seen.note('a stranger', 2), 0);
  assert.equal(seen.note('another', 3), 0, 'and each has a place of its own');
  assert.equal(seen.note('another', 4), null);
});
