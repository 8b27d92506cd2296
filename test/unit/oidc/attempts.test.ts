import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTEMPT_LIMITS, Attempts, type Begun } from '../../../src/oidc/attempts.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');

const begin = (attempts: Attempts, next: string, atMs = NOW, network = '192.0.2.1'): Begun =>
  attempts.begin({ next, network }, atMs);

test('what began is taken up once, in time, by the same browser', () => {
  const attempts = new Attempts();
  const { state, browser, nonce, verifier } = begin(attempts, '/console/cases');
  const taken = attempts.take(state, browser, NOW + ATTEMPT_LIMITS.lifeMs - 1);
  assert.ok(taken.ok);
  assert.deepEqual([taken.value.nonce, taken.value.verifier, taken.value.next], [nonce, verifier, '/console/cases']);
  const again = attempts.take(state, browser, NOW);
  assert.equal(again.ok ? '' : again.error.code, 'state_unknown');

  const late = begin(attempts, '/console');
  assert.ok(!attempts.take(late.state, late.browser, NOW + ATTEMPT_LIMITS.lifeMs).ok);
  const [mine, theirs] = [begin(attempts, '/console'), begin(attempts, '/console')];
  const crossed = attempts.take(mine.state, theirs.browser, NOW);
  assert.equal(crossed.ok ? '' : crossed.error.code, 'browser_differs');
  assert.ok(!attempts.take(mine.state, mine.browser, NOW).ok, 'a state that somebody else has seen is spent');
  assert.ok(attempts.take(theirs.state, theirs.browser, NOW).ok);
});

test('whoever begins and begins pushes out the oldest, and takes no more memory', () => {
  const attempts = new Attempts();
  const first = begin(attempts, '/console');
  const second = begin(attempts, '/console');
  for (let i = 0; i < ATTEMPT_LIMITS.max - 1; i++) begin(attempts, '/console');
  assert.ok(!attempts.take(first.state, first.browser, NOW).ok);
  assert.ok(attempts.take(second.state, second.browser, NOW).ok);
});

test('a network that begins and begins forgets its own, and what has ended makes room before anything is forgotten', () => {
  const attempts = new Attempts();
  const other = begin(attempts, '/console', NOW, '198.51.100.7');
  const own = begin(attempts, '/console');
  for (let i = 0; i < ATTEMPT_LIMITS.max; i++) begin(attempts, '/console');
  assert.equal(attempts.size, ATTEMPT_LIMITS.max);
  assert.ok(!attempts.take(own.state, own.browser, NOW).ok);
  assert.ok(attempts.take(other.state, other.browser, NOW).ok);
  const late = begin(attempts, '/console', NOW + ATTEMPT_LIMITS.lifeMs);
  assert.equal(attempts.size, 1);
  assert.ok(attempts.take(late.state, late.browser, NOW + ATTEMPT_LIMITS.lifeMs).ok);
});
