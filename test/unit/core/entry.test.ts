import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEntry, type Entry, encodeEntry } from '../../../src/core/entry.ts';
import { pythonFloatText } from '../../../src/core/python-text.ts';

const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((s) => s.isWellFormed());
const hash = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
const seq = fc.maxSafeNat();
const nullable = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const confidence = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => pythonFloatText(x + 0));
const hlc = fc
  .tuple(fc.nat(9_999_999_999_999), fc.nat(999))
  .map(([w, c]) => [String(w).padStart(13, '0'), String(c).padStart(3, '0')].join('.'));
const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const anyEntry: fc.Arbitrary<Entry> = fc.record({
  attestation: nullable(fc.record({ key_id: text, signature: text }, { noNullPrototype: true })),
  chain_hash: hash,
  chain_seq: seq,
  cid: text,
  confidence,
  created_at: text,
  derived_from: fc.array(text, { maxLength: 4 }),
  entity: text,
  event_hash: hash,
  fact_id: text,
  feed_seq: seq,
  garden_id: nullable(text),
  hlc,
  interpret_as: text,
  origin: nullable(fc.record({ chain_seq: seq, leaf_hash: leaf, node_id: text }, { noNullPrototype: true })),
  previous_hash: nullable(hash),
  received_from: nullable(text),
  relation: text,
  scope: text,
  source: text,
  tenant_id: fc.constant('default' as const),
  timestamp: text,
  v: fc.constant(1 as const),
  valid_until: nullable(text),
  value_type: text,
  value_v: text,
});

const ZERO_HASH = `sha256:${'0'.repeat(64)}`;
const sample: Entry = {
  attestation: { key_id: 'k', signature: 's' },
  chain_hash: ZERO_HASH,
  chain_seq: 7,
  cid: ZERO_HASH,
  confidence: '0.5',
  created_at: '2026-01-01T00:00:01.000000+00:00',
  derived_from: ['a"b', 'ü'],
  entity: 'stigmem://acme.example/user/alice',
  event_hash: ZERO_HASH,
  fact_id: 'f-1',
  feed_seq: 1,
  garden_id: null,
  hlc: '1767225601000.001',
  interpret_as: 'content',
  origin: { chain_seq: 1006, leaf_hash: Buffer.alloc(32, 7).toString('base64'), node_id: 'stigmem://initech.example' },
  previous_hash: null,
  received_from: null,
  relation: 'memory:role',
  scope: 'team',
  source: 'agent:x',
  tenant_id: 'default',
  timestamp: '2026-01-01T00:00:01.000Z',
  v: 1,
  valid_until: null,
  value_type: 'text',
  value_v: 'naïve\n\u0001\u007f\u2028 "q" \\ 😀',
};
const sampleText = encodeEntry(sample);

function decodeText(entryText: string): ReturnType<typeof decodeEntry> {
  return decodeEntry(Buffer.from(entryText));
}

function codeOf(entryText: string): string {
  const result = decodeText(entryText);
  return result.ok ? 'ok' : `${result.error.code}${result.error.at === '' ? '' : `@${result.error.at}`}`;
}

test('an entry decodes to what was encoded, and encodes as RFC 8785 says', () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const encoded = encodeEntry(entry);
      // Keys come sorted already, all numbers are integers: then JSON.stringify is RFC 8785.
      assert.equal(
        encoded,
        JSON.stringify(
          entry,
          Object.keys(entry).sort().concat('key_id', 'signature', 'chain_seq', 'leaf_hash', 'node_id'),
        ),
      );
      assert.deepEqual(decodeText(encoded), { ok: true, value: { ...entry } });
    }),
    { numRuns: 300 },
  );
});

test('the decoder never throws, whatever the bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeEntry(bytes).ok === false));
  const cut = Buffer.from(sampleText);
  for (let length = 0; length < cut.length; length += 1) assert.equal(decodeEntry(cut.subarray(0, length)).ok, false);
});

test('a byte changed anywhere is refused or is another entry', () => {
  const bytes = Buffer.from(sampleText);
  let accepted = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const original = bytes[at] as number;
    for (const other of [
      0,
      9,
      0x20,
      0x22,
      0x30,
      0x39,
      0x41,
      0x5c,
      0x7d,
      0xc3,
      0xff,
      original ^ 1,
      original ^ 0x20,
      original ^ 0x80,
    ]) {
      if (other === original) continue;
      bytes[at] = other;
      const result = decodeEntry(bytes);
      if (result.ok) {
        accepted += 1;
        assert.notDeepEqual(result.value, sample);
        assert.equal(encodeEntry(result.value), bytes.toString());
      }
    }
    bytes[at] = original;
  }
  assert.ok(accepted > 1000, `only ${accepted} mutations were entries`);
});

test('a byte inserted or left out anywhere is refused or is another entry', () => {
  const bytes = Buffer.from(sampleText);
  for (let at = 0; at <= bytes.length; at += 1) {
    for (const extra of [0x20, 0x30, 0x22, 0x5c, 0x61]) {
      const longer = Buffer.concat([bytes.subarray(0, at), Buffer.of(extra), bytes.subarray(at)]);
      const result = decodeEntry(longer);
      if (result.ok) assert.equal(encodeEntry(result.value), longer.toString());
    }
    const shorter = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    const result = decodeEntry(shorter);
    if (result.ok && at < bytes.length) assert.equal(encodeEntry(result.value), shorter.toString());
  }
});

const swap = (from: string, to: string): string => {
  assert.ok(sampleText.includes(from), from);
  return sampleText.replace(from, () => to);
};
const REFUSED: Record<string, [string, string]> = {
  'white space': [swap('{"attestation"', '{ "attestation"'), 'entry_noncanonical'],
  'a trailing line feed': [`${sampleText}\n`, 'entry_noncanonical'],
  'keys out of order': [
    swap('"chain_seq":7,', '').replace('{"attestation"', '{"chain_seq":7,"attestation"'),
    'entry_noncanonical',
  ],
  'an escape too many': [swap('memory', '\\u006demory'), 'entry_noncanonical'],
  'an escaped slash': [swap('agent:x', 'agent:\\/x'), 'entry_noncanonical'],
  'upper-case hex in an escape': [swap('\\u0001', '\\u001F'), 'entry_noncanonical'],
  'a long escape for a short one': [swap('\\n', '\\u000a'), 'entry_noncanonical'],
  'an escaped surrogate pair': [swap('😀', '\\ud83d\\ude00'), 'entry_noncanonical'],
  'an escaped lone surrogate': [swap('😀', '\\ud83d'), 'entry_malformed@value_v'],
  'a raw control character': [swap('\\u0001', '\u0001'), 'entry_malformed'],
  'inner keys out of order': [
    swap('"key_id":"k","signature":"s"', '"signature":"s","key_id":"k"'),
    'entry_noncanonical',
  ],
  'trailing bytes': [`${sampleText}{}`, 'entry_malformed'],
  'a repeated key': [swap('"chain_seq":7', '"chain_seq":7,"chain_seq":7'), 'entry_malformed'],
  'an unknown key': [swap('"v":1', '"v":1,"v2":1'), 'entry_malformed'],
  'a missing key': [swap('"entity":"stigmem://acme.example/user/alice",', ''), 'entry_malformed@entity'],
  'a missing CID': [swap(`"cid":"${ZERO_HASH}",`, ''), 'cid_missing@cid'],
  'a null CID': [swap(`"cid":"${ZERO_HASH}"`, '"cid":null'), 'cid_missing@cid'],
  'a null CID and another fault': [
    swap(`"cid":"${ZERO_HASH}"`, '"cid":null').replace('"v":1', '"v":2'),
    'entry_malformed@v',
  ],
  'a number for a CID': [swap(`"cid":"${ZERO_HASH}"`, '"cid":5'), 'entry_malformed@cid'],
  'a leading zero': [swap('"chain_seq":7', '"chain_seq":07'), 'entry_malformed'],
  'a negative number': [swap('"chain_seq":7', '"chain_seq":-7'), 'entry_malformed@chain_seq'],
  'a fraction': [swap('"chain_seq":7', '"chain_seq":7.0'), 'entry_malformed@chain_seq'],
  'an exponent': [swap('"feed_seq":1', '"feed_seq":1e0'), 'entry_malformed@feed_seq'],
  'a number in a string': [swap('"feed_seq":1', '"feed_seq":"1"'), 'entry_malformed@feed_seq'],
  'an unsafe integer': [swap('"chain_seq":7', '"chain_seq":9007199254740992'), 'entry_malformed@chain_seq'],
  'an unsafe integer in the origin': [
    swap('"chain_seq":1006', '"chain_seq":9007199254740993'),
    'entry_malformed@origin.chain_seq',
  ],
  'a confidence that JSON would print': [swap('"0.5"', '"1"'), 'entry_malformed@confidence'],
  'a confidence with a zero too many': [swap('"0.5"', '"0.50"'), 'entry_malformed@confidence'],
  'a confidence in long form': [swap('"0.5"', '"0.00001"'), 'entry_malformed@confidence'],
  'a negative zero': [swap('"0.5"', '"-0.0"'), 'entry_malformed@confidence'],
  'a confidence above one': [swap('"0.5"', '"1.5"'), 'entry_malformed@confidence'],
  'a confidence that is none': [swap('"0.5"', '"nan"'), 'entry_malformed@confidence'],
  'an empty confidence': [swap('"0.5"', '""'), 'entry_malformed@confidence'],
  'a short clock': [swap('1767225601000.001', '1767225601000.1'), 'entry_malformed@hlc'],
  'an upper-case hash': [
    swap(`"event_hash":"${ZERO_HASH}"`, `"event_hash":"sha256:${'A'.repeat(64)}"`),
    'entry_malformed@event_hash',
  ],
  'a previous hash that is none': [swap('"previous_hash":null', '"previous_hash":""'), 'entry_malformed@previous_hash'],
  'base64 with stray bits': [swap('BwcHBwc=', 'BwcHBwd='), 'entry_malformed@origin.leaf_hash'],
  base64url: [swap('BwcHBwc=', 'BwcH_wc='), 'entry_malformed@origin.leaf_hash'],
  'another tenant': [swap('"default"', '"other"'), 'entry_malformed@tenant_id'],
  'another version': [swap('"v":1', '"v":2'), 'entry_malformed@v'],
  'a byte order mark': [`\ufeff${sampleText}`, 'entry_malformed'],
  nothing: ['', 'entry_malformed'],
  'a list': ['[]', 'entry_malformed'],
  'an empty object': ['{}', 'entry_malformed@attestation'],
};
for (const [what, [entryText, code]] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, () => assert.equal(codeOf(entryText), code));
}

test('refused: bytes that are not UTF-8', () => {
  const bytes = Buffer.from(sampleText);
  bytes[bytes.indexOf(0xc3)] = 0xff;
  assert.deepEqual(decodeEntry(bytes), { ok: false, error: { code: 'entry_malformed', at: '' } });
  const surrogate = Buffer.concat([bytes.subarray(0, 20), Buffer.from([0xed, 0xa0, 0xbd]), bytes.subarray(20)]);
  assert.equal(decodeEntry(surrogate).ok, false);
});

test('left to verification: scope, interpret_as and the form of the CID', () => {
  assert.equal(codeOf(swap('"scope":"team"', '"scope":"galaxy"')), 'ok');
  assert.equal(codeOf(swap('"content"', '"order"')), 'ok');
  assert.equal(codeOf(swap(`"cid":"${ZERO_HASH}"`, '"cid":"nonsense"')), 'ok');
});

test('a view into a larger buffer is read by itself', () => {
  const framed = Buffer.concat([Buffer.from('xx'), Buffer.from(sampleText), Buffer.from('yy')]);
  assert.deepEqual(decodeEntry(framed.subarray(2, -2)), { ok: true, value: sample });
  assert.deepEqual(decodeEntry(new Uint8Array(framed).subarray(2, -2)), { ok: true, value: sample });
});

test('an entry with a lone surrogate has no bytes', () => {
  assert.throws(() => encodeEntry({ ...sample, value_v: 'a\ud800' }), { code: 'not_encodable_as_utf8' });
  assert.throws(() => encodeEntry({ ...sample, entity: '"\udc00' }), { code: 'not_encodable_as_utf8' });
});

test('long values cost linear time and no stack', () => {
  for (const value_v of ['x'.repeat(1 << 20), '"\u0001'.repeat(1 << 17), 'é'.repeat(1 << 18)]) {
    const bytes = Buffer.from(encodeEntry({ ...sample, value_v }));
    const result = decodeEntry(bytes);
    assert.ok(result.ok && result.value.value_v === value_v);
    bytes[bytes.length - 1] = 0x20;
    assert.equal(decodeEntry(bytes).ok, false);
  }
});
