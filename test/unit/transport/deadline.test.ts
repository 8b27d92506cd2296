import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadline } from '../../../src/transport/deadline.ts';

test('aborts after its time with an error that says what was late', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { signal } = deadline(100, 'dialling x');
  t.mock.timers.tick(99);
  assert.equal(signal.aborted, false);
  t.mock.timers.tick(1);
  assert.equal(signal.reason.code, 'timeout');
  assert.match(signal.reason.message, /^dialling x: .*100 ms/);
});

test("follows its parent with the parent's reason, at once if that is over", () => {
  const parent = new AbortController();
  const child = deadline(100, 'x', parent.signal);
  parent.abort('stop');
  assert.equal(child.signal.reason, 'stop');
  assert.equal(deadline(100, 'x', parent.signal).signal.reason, 'stop');
  child.clear();
});

test('leaves nothing on a parent that lives on', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const parent = new AbortController();
  const child = deadline(100, 'x', parent.signal);
  child.clear();
  parent.abort('stop');
  t.mock.timers.tick(1_000);
  assert.equal(child.signal.aborted, false);
});
