import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEntryBundle, encodeEntryBundle } from '../../../src/merkle/entry-bundle.ts';

const bundles = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 256 });

test('decoding gives back what was encoded', () => {
  fc.assert(
    fc.property(bundles, (leaves) => {
      const decoded = decodeEntryBundle(encodeEntryBundle(leaves));
      assert.deepEqual(decoded, { ok: true, value: leaves.map((leaf) => Buffer.from(leaf)) });
    }),
  );
});

test('the length is two bytes, big-endian', () => {
  const bundle = encodeEntryBundle([Buffer.alloc(33, 1), Buffer.alloc(258, 2)]);
  assert.deepEqual([...bundle.subarray(0, 3)], [0, 33, 1]);
  assert.deepEqual([...bundle.subarray(35, 38)], [1, 2, 2]);
});

test('any bytes decode to a value, and a decoded bundle encodes to the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const decoded = decodeEntryBundle(bytes);
      if (decoded.ok) assert.deepEqual(encodeEntryBundle(decoded.value), Buffer.from(bytes));
    }),
  );
});

test('cut bytes and a 257th leaf are refused', () => {
  const refused = { ok: false, error: 'bundle_malformed' };
  const bundle = encodeEntryBundle([Buffer.alloc(33, 1)]);
  for (let end = 1; end < bundle.length; end++) assert.deepEqual(decodeEntryBundle(bundle.subarray(0, end)), refused);
  assert.deepEqual(decodeEntryBundle(Buffer.concat([bundle, Buffer.of(0)])), refused);
  assert.deepEqual(decodeEntryBundle(Buffer.alloc(257 * 2)), refused);
  assert.equal(decodeEntryBundle(Buffer.alloc(256 * 2)).ok, true);
  assert.throws(() => encodeEntryBundle(Array.from({ length: 257 }, () => Buffer.alloc(1))), RangeError);
  assert.throws(() => encodeEntryBundle([Buffer.alloc(65_536)]), RangeError);
});
