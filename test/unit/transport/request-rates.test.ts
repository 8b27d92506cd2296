import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestRates } from '../../../src/transport/request-rates.ts';

test('a burst at once, then the rate; what is refused costs nothing, and one peer does not pay for another', () => {
  const rates = new RequestRates({ perSecond: 10, burst: 5 });
  const taken = (peer: string, nowMs: number, asks: number) =>
    Array.from({ length: asks }, () => rates.take(peer, nowMs)).filter((waitMs) => waitMs === 0).length;
  assert.equal(taken('a', 1_000, 50), 5);
  assert.equal(rates.take('a', 1_000), 100);
  assert.equal(rates.take('a', 1_040), 60);
  assert.equal(taken('b', 1_040, 50), 5);
  assert.equal(taken('a', 1_100, 50), 1);
  assert.equal(taken('a', 1_400, 50), 3);
  assert.equal(taken('a', 60_000, 50), 5);
});
