/** Bundles of facts: one text each, bounded, and no text that makes the reader fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeFactBundle,
  encodeFactBundle,
  FACT_BUNDLE_KIND,
  type FactBundle,
} from '../../../src/wire/fact-bundle.ts';

const BUNDLE: FactBundle = {
  anchors: [{ backend: 'local', entry: { index: 0 }, v: 1 }],
  declaration: 'declaration\n',
  entry: '{"a":"ü"}',
  kind: FACT_BUNDLE_KIND,
  origin: null,
  proof: 'c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n',
  salt: Buffer.alloc(32).toString('base64'),
};
const TEXT = encodeFactBundle(BUNDLE);

test('a bundle comes back as it was, from text and from bytes', () => {
  assert.deepEqual(decodeFactBundle(TEXT), { ok: true, value: BUNDLE });
  assert.deepEqual(decodeFactBundle(Buffer.from(TEXT)), { ok: true, value: BUNDLE });
});

test('other spellings, members, types and kinds are refused', () => {
  const wrong = [
    ` ${TEXT}`,
    TEXT.replace('"index":0', '"index":0.0'),
    TEXT.replace('"index":0', '"index":0.5'),
    TEXT.replace('"v":1', '"v":1,"v":1'),
    TEXT.replace('ü', '\\u00fc'),
    TEXT.replace('"index":0', '"index":"\\ud800"'),
    TEXT.replace('"origin":null', '"origin":{}'),
    TEXT.replace('bundle/v1', 'bundle/v2'),
    TEXT.replace('"anchors":[', '"anchors":[1,'),
    TEXT.replace(',"salt"', ',"sal"'),
    TEXT.replace(/"salt":"A/, '"salt":"'),
    TEXT.replace('"anchors"', '"__proto__"'),
    '',
    'null',
    '[]',
  ];
  for (const text of wrong) assert.equal(decodeFactBundle(text).ok, false, text.slice(0, 60));
});

test('neither width, depth nor size makes the reader fail', () => {
  const wide = `{"anchors":[{"entry":[${'0,'.repeat(500_000)}0]}]}`;
  const deep = '['.repeat(500_000);
  const long = JSON.stringify({ ...BUNDLE, entry: 'x'.repeat(3_000_000) });
  for (const text of [wide, deep, long]) assert.equal(decodeFactBundle(text).ok, false);
  assert.equal(decodeFactBundle(Buffer.from([0xff])).ok, false);
});

test('any change gives a refusal or another bundle', () => {
  const at = fc.nat(TEXT.length - 1);
  fc.assert(
    fc.property(at, fc.string({ unit: 'binary', maxLength: 3 }), (place, put) => {
      const text = TEXT.slice(0, place) + put + TEXT.slice(place + 1);
      const read = decodeFactBundle(text);
      if (read.ok) assert.equal(encodeFactBundle(read.value), text);
    }),
    { numRuns: 2_000 },
  );
});
