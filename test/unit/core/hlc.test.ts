import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checkSkew,
  compareHlc,
  DEFAULT_SKEW_LIMITS,
  formatHlc,
  HLC_ZERO,
  parseStrictHlc,
  receive,
  tick,
} from '../../../src/core/hlc.ts';

const wall = fc.nat(9_999_999_999_990);
const hlc = fc.record({ wall, counter: fc.nat(999) }, { noNullPrototype: true });

test('text order is causal order, and text reads back', () => {
  fc.assert(
    fc.property(hlc, hlc, (a, b) => {
      const [left, right] = [formatHlc(a), formatHlc(b)];
      assert.equal(Math.sign(compareHlc(a, b)), left < right ? -1 : Number(left > right));
      assert.deepEqual(parseStrictHlc(left), { ok: true, value: a });
    }),
  );
});

test('every step moves forward, past the remote value and at least to now', () => {
  fc.assert(
    fc.property(hlc, hlc, wall, (clock, remote, now) => {
      const ticked = tick(clock, now);
      assert.ok(compareHlc(ticked, clock) > 0 && ticked.wall >= now);
      const received = receive(clock, remote, now);
      assert.ok(compareHlc(received, clock) > 0 && compareHlc(received, remote) > 0 && received.wall >= now);
      formatHlc(ticked);
      formatHlc(received);
    }),
  );
});

test('the thousandth event of a millisecond borrows from the next', () => {
  assert.deepEqual(tick({ wall: 5, counter: 998 }, 5), { wall: 5, counter: 999 });
  assert.deepEqual(tick({ wall: 5, counter: 999 }, 5), { wall: 6, counter: 0 });
  assert.deepEqual(receive({ wall: 5, counter: 0 }, { wall: 5, counter: 999 }, 5), { wall: 6, counter: 0 });
  assert.deepEqual(tick({ wall: 6, counter: 0 }, 5), { wall: 6, counter: 1 });
});

test('equal to a skew limit passes, one more does not, a limit of zero is none', () => {
  const now = 1_746_230_400_000;
  assert.equal(checkSkew(now + 300_000, now, DEFAULT_SKEW_LIMITS), null);
  assert.deepEqual(checkSkew(now + 300_001, now, DEFAULT_SKEW_LIMITS), { direction: 'future', skewMs: 300_001 });
  assert.equal(checkSkew(now - 2_592_000_000, now, DEFAULT_SKEW_LIMITS), null);
  assert.deepEqual(checkSkew(now - 2_592_000_001, now, DEFAULT_SKEW_LIMITS), {
    direction: 'past',
    skewMs: -2_592_000_001,
  });
  assert.equal(checkSkew(now * 2, now, { maxFutureMs: 0, maxPastMs: 0 }), null);
});

test('without a limit, too, no time is taken that the clock could not go on from', () => {
  const none = { maxFutureMs: 0, maxPastMs: 0 };
  const taken = receive({ wall: 5, counter: 0 }, { wall: 9_000_000_000_000, counter: 999 }, 5);
  assert.equal(checkSkew(taken.wall - 1, 5, none), null);
  formatHlc(tick(taken, 5));
  // Taken, this one would end every event of this node: nothing can be written behind it.
  const end = receive({ wall: 5, counter: 0 }, { wall: 9_999_999_999_999, counter: 999 }, 5);
  assert.throws(() => formatHlc(tick(end, 5)));
  assert.equal(checkSkew(9_999_999_999_999, 5, none)?.direction, 'future');
});

test('only one form is read, and what does not fit it is not written', () => {
  for (const text of [
    '1767225601000.1',
    '176722560100.001',
    '1767225601000.0001',
    '1767225601000',
    ' 1767225601000.001',
    '1767225601000.001\n',
    '١767225601000.001',
    '-767225601000.001',
    '',
  ]) {
    assert.equal(parseStrictHlc(text).ok, false, text);
  }
  for (const bad of [
    { wall: 1e13, counter: 0 },
    { wall: -1, counter: 0 },
    { wall: 1.5, counter: 0 },
    { wall: 1, counter: 1000 },
    { wall: Number.NaN, counter: 0 },
  ]) {
    assert.throws(() => formatHlc(bad), { code: 'out_of_range' });
  }
  assert.equal(formatHlc(HLC_ZERO), '0000000000000.000');
});
