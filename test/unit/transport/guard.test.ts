import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameGuard } from '../../../src/transport/guard.ts';
import { DEFAULT_GUARD_LIMITS as LIMITS } from '../../../src/transport/limits.ts';
import { RawPeer } from '../../integration/transport/harness.ts';

const { header, data } = RawPeer;
const check = (bytes: Uint8Array, nowMs = 0): string | undefined => new FrameGuard(LIMITS, 0).check(bytes, nowMs);

test('honest traffic passes: a window of data, its updates, and small requests now and then', () => {
  const guard = new FrameGuard(LIMITS, 0);
  const page = data(1, Buffer.alloc(LIMITS.windowBytes));
  const update = header(1, 0, 1, LIMITS.windowBytes);
  for (let i = 0; i < 2_000; i++) {
    assert.equal(guard.check(page, i), undefined);
    assert.equal(guard.check(update, i), undefined);
    assert.equal(guard.check(data(1, Buffer.alloc(5)), i), undefined);
  }
  for (let second = 10; second < 70; second++)
    for (let i = 0; i < 40; i++)
      assert.equal(guard.check(RawPeer.streams(2 * i + 1, 1, true), second * 1_000), undefined);
});

test('the largest window passes and one byte more does not', () => {
  assert.equal(check(header(0, 0, 1, LIMITS.windowBytes)), undefined);
  assert.match(check(header(0, 0, 1, LIMITS.windowBytes + 1)) ?? '', /data frame of/);
});

const FLOODS = [
  { what: 'pings', frame: header(2, 1, 0, 1), allowed: LIMITS.controlBurst },
  { what: 'go-aways', frame: header(3, 0, 0, 0), allowed: LIMITS.controlBurst },
  { what: 'unknown types', frame: header(9, 0, 0, 0), allowed: LIMITS.controlBurst },
  { what: 'new streams', frame: header(1, 1, 1, 0), allowed: LIMITS.controlBurst },
  { what: 'resets', frame: header(0, 8, 1, 0), allowed: LIMITS.controlBurst },
  { what: 'empty window updates', frame: header(1, 0, 1, 0), allowed: LIMITS.controlBurst },
  { what: 'empty data frames', frame: header(0, 0, 1, 0), allowed: LIMITS.controlBurst },
  { what: 'tiny data frames', frame: data(1, Buffer.alloc(127)), allowed: LIMITS.smallBurst },
  { what: 'window updates', frame: header(1, 0, 1, 1), allowed: LIMITS.framesBurst },
];
for (const { what, frame, allowed } of FLOODS)
  test(`${what}: ${allowed} at once, not one more, and again after a rest`, () => {
    const guard = new FrameGuard(LIMITS, 0);
    for (let i = 0; i < allowed; i++) assert.equal(guard.check(frame, 0), undefined, `frame ${i}`);
    assert.match(guard.check(frame, 0) ?? '', /^too many/);
    assert.equal(guard.check(frame, 60_000), undefined);
  });

test('a payload is never taken for headers, wherever it is cut', () => {
  const body = Buffer.alloc(500, RawPeer.header(2, 1, 0, 7));
  const stream = Buffer.concat(Array.from({ length: 600 }, () => data(1, body)));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 40 }), (cuts) => {
      const guard = new FrameGuard(LIMITS, 0);
      for (let at = 0, i = 0; at < stream.byteLength; i++) {
        const end = at + cuts[i % cuts.length]!;
        assert.equal(guard.check(stream.subarray(at, end), 0), undefined);
        at = end;
      }
    }),
    { numRuns: 50 },
  );
});

test('whatever the bytes are, the guard answers and never throws', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (chunks) => {
      const guard = new FrameGuard(LIMITS, 0);
      for (const chunk of chunks) assert.ok(['string', 'undefined'].includes(typeof guard.check(chunk, 0)));
    }),
  );
});
