import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fruitlessAfter, fruitlessPauseMs } from '../../../src/pull/schedule.ts';

const nothing = { brought: false };

test('an idle peer is heard at once when it speaks: empty turns at their time do not count', () => {
  let fruitless = 0;
  for (let i = 0; i < 1_000; i++) fruitless = fruitlessAfter(fruitless, { ...nothing, wokenEarly: false });
  assert.equal(fruitlessPauseMs(fruitless), 0);
});

test('a peer that wakes us for nothing is asked ever more seldom, until it brings something', () => {
  let fruitless = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 10; i++) {
    pauses.push(fruitlessPauseMs(fruitless));
    fruitless = fruitlessAfter(fruitless, { ...nothing, wokenEarly: true });
  }
  assert.deepEqual(pauses, [0, 0, 0, 0, 50, 100, 200, 400, 800, 1_600]);
  assert.equal(fruitlessAfter(fruitless, { brought: true, wokenEarly: true }), 0);
});
