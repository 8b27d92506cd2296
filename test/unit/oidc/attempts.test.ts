import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTEMPT_LIMITS, Attempts } from '../../../src/oidc/attempts.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');

test('what began is taken up once, in time, by the same browser', () => {
  const attempts = new Attempts();
  const { state, browser, nonce, verifier } = attempts.begin('/console/cases', NOW);
  const taken = attempts.take(state, browser, NOW + ATTEMPT_LIMITS.lifeMs - 1);
  assert.ok(taken.ok);
  assert.deepEqual([taken.value.nonce, taken.value.verifier, taken.value.next], [nonce, verifier, '/console/cases']);
  const again = attempts.take(state, browser, NOW);
  assert.equal(again.ok ? '' : again.error.code, 'state_unknown');

  const late = attempts.begin('/console', NOW);
  assert.ok(!attempts.take(late.state, late.browser, NOW + ATTEMPT_LIMITS.lifeMs).ok);
  const [mine, theirs] = [attempts.begin('/console', NOW), attempts.begin('/console', NOW)];
  const crossed = attempts.take(mine.state, theirs.browser, NOW);
  assert.equal(crossed.ok ? '' : crossed.error.code, 'browser_differs');
  assert.ok(!attempts.take(mine.state, mine.browser, NOW).ok, 'a state that somebody else has seen is spent');
  assert.ok(attempts.take(theirs.state, theirs.browser, NOW).ok);
});

test('whoever begins and begins pushes out the oldest, and takes no more memory', () => {
  const attempts = new Attempts();
  const first = attempts.begin('/console', NOW);
  const second = attempts.begin('/console', NOW);
  for (let i = 0; i < ATTEMPT_LIMITS.max - 1; i++) attempts.begin('/console', NOW);
  assert.ok(!attempts.take(first.state, first.browser, NOW).ok);
  assert.ok(attempts.take(second.state, second.browser, NOW).ok);
});
