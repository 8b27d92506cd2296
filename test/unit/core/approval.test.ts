import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsRecord, isReason, MAX_REASON_CHARS } from '../../../src/core/approval.ts';

test('a reason is some text that a record holds whole', () => {
  assert.ok(isReason('compared by telephone'));
  for (const text of ['', '   ', 'x'.repeat(MAX_REASON_CHARS + 1), '\ud800']) assert.ok(!isReason(text), text);
});

test('what a record would cut cannot be proposed', () => {
  const fits = (params: Parameters<typeof fitsRecord>[0]['params'], subject = 'a'): boolean =>
    fitsRecord({ subject, params });
  assert.ok(fits({ name: 'b', keys: ['c'], count: 3, on: true, none: null }));
  assert.ok(!fits({}, 'x'.repeat(501)));
  assert.ok(!fits({ name: 'x'.repeat(501) }));
  assert.ok(!fits({ keys: ['x'.repeat(501)] }));
  assert.ok(!fits({ keys: Array.from({ length: 65 }, () => 'k') }));
  assert.ok(!fits({ count: 0.5 }));
  assert.ok(!fits(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`p${i}`, 1]))));
});
