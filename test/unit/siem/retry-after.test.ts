/** How long a receiver may have a sink wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter } from '../../../src/siem/http-post.ts';

const NOW_MS = Date.parse('2026-11-30T06:00:00Z');
const waitOf = (value: string): number | null => retryAfter(new Headers({ 'retry-after': value }), NOW_MS);

test('seconds and dates, as RFC 9110 has them', () => {
  assert.equal(waitOf('7'), 7_000);
  assert.equal(waitOf('Mon, 30 Nov 2026 06:01:00 GMT'), 60_000);
  assert.equal(waitOf('Mon, 30 Nov 2026 05:00:00 GMT'), 0);
  for (const nonsense of ['', 'soon', '-1x', '1e9']) assert.equal(waitOf(nonsense), null, nonsense);
});

test('a receiver cannot ask for more than an hour', () => {
  assert.equal(waitOf('999999999'), 3_600_000);
  assert.equal(waitOf('Mon, 30 Nov 2099 06:00:00 GMT'), 3_600_000);
});
