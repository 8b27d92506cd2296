import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../../src/core/json.ts';
import { pythonFloatText } from '../../../src/core/python-text.ts';
import { candidateValueTexts } from '../../../src/core/reference/assert-fact.ts';
import { decodeLenientBase64 } from '../../../src/core/reference/base64url.ts';
import { parseReferenceHlc } from '../../../src/core/reference/lenient-hlc.ts';
import { checkLocalInclusion, nextLogLine } from '../../../src/core/reference/local-log.ts';
import { mintPeerToken, peerTokenPayload, verifyPeerToken } from '../../../src/core/reference/peer-token.ts';
import { HASHED_STYLE, pythonJson } from '../../../src/core/reference/python-json.ts';
import { parsePythonFloat, parsePythonInt } from '../../../src/core/reference/python-number.ts';
import { checkSdkProof } from '../../../src/core/reference/sdk-proof.ts';

/** What CPython 3.11.7 makes of a text: int(), float(). */
const NUMBERS: [string, string | null, string | null][] = [
  ['5', '5', '5.0'],
  [' 5\n', '5', '5.0'],
  ['+5', '5', '5.0'],
  ['1_0', '10', '10.0'],
  ['1__0', null, null],
  ['_1', null, null],
  ['\u00a05\u3000', '5', '5.0'],
  ['5\u001c', null, null],
  ['5\u001c\u00a0', null, null],
  ['٣𝟘', '30', '30.0'],
  ['5.', null, '5.0'],
  ['.5', null, '0.5'],
  ['1_0.0_1', null, '10.01'],
  ['1e1_0', null, '10000000000.0'],
  ['1._5', null, null],
  ['inf', null, 'inf'],
  ['-Infinity', null, '-inf'],
  ['+nAn', null, 'nan'],
  ['infinit', null, null],
  ['0x10', null, null],
  ['', null, null],
  [' ', null, null],
  ['-', null, null],
  ['1 2', null, null],
  ['007', '7', '7.0'],
  ['-0', '0', '-0.0'],
  ['9'.repeat(4300), '9'.repeat(4300), 'inf'],
  ['9'.repeat(4301), null, 'inf'],
  ['²', null, null],
];
for (const [text, int, float] of NUMBERS) {
  test(`int and float of ${JSON.stringify(text.slice(0, 20))}`, () => {
    const [i, f] = [parsePythonInt(text), parsePythonFloat(text)];
    assert.equal(i.ok ? String(i.value) : null, int);
    assert.equal(f.ok ? pythonFloatText(f.value) : null, float);
  });
}

test('lenient readers never throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      parsePythonInt(text);
      parsePythonFloat(text);
      parseReferenceHlc(text);
      decodeLenientBase64(text);
      checkSdkProof(text, true);
      checkLocalInclusion(text, { leaf_hash: 'x', log_index: 0 });
      const context = { nowMs: 0, localNodeId: '', nonceWindowMs: 0, peers: [], nonceSeen: () => false };
      assert.equal(verifyPeerToken(`Bearer ${text}`, context).ok, false);
    }),
  );
});

/** `base64.urlsafe_b64decode` of CPython 3.11.7 after padding; null: binascii.Error or ValueError. */
const BASE64: [string, string | null][] = [
  ['', ''],
  ['YQ', '61'],
  ['YQ==', '61'],
  ['YQ=', '61'],
  ['YR', '61'],
  ['-_+/', 'fbffbf'],
  ['Y', null],
  ['YWJjZ', null],
  ['ü', null],
  ['YQ==YQ==', '61'],
];
for (const [text, hex] of BASE64) {
  test(`lenient base64 of ${JSON.stringify(text)}`, () => {
    const bytes = decodeLenientBase64(text);
    assert.equal(bytes.ok ? bytes.value.toString('hex') : null, hex);
  });
}

test('sorted JSON goes by code point, not by UTF-16 unit', () => {
  const value = parseJson('{"\\uff5e":1,"\\ud83d\\ude00":2.50,"a":NaN}');
  assert.ok(value.ok);
  assert.equal(pythonJson(value.value, HASHED_STYLE), '{"a":NaN,"\uff5e":1,"😀":2.5}');
});

test('candidates for a number whose literal a reference node has lost', () => {
  const texts = (json: string) => {
    const v = parseJson(json);
    assert.ok(v.ok);
    return candidateValueTexts('number', v.value);
  };
  assert.deepEqual(texts('5.0'), ['5.0', '5']);
  assert.deepEqual(texts('0.0'), ['0.0', '0']);
  assert.deepEqual(texts('0.5'), ['0.5']);
  assert.deepEqual(texts('1e+16'), ['1e+16', '10000000000000000']);
  assert.deepEqual(texts('null'), ['nan', 'inf', '-inf']);
});

test('a local log line can be found again, an edited one cannot', () => {
  const payload = parseJson('{"tenant_id":"ü\\u007f","n":1.0}');
  assert.ok(payload.ok);
  const first = nextLogLine(null, payload.value, 1_767_225_600);
  const second = nextLogLine(first, payload.value, 1_767_225_601);
  assert.ok(first.text.includes('"tenant_id":"\\u00fc\\u007f","n":1.0}'));
  const text = first.text + second.text;
  assert.deepEqual(checkLocalInclusion(text, { leaf_hash: second.leaf_hash, log_index: 1 }), { ok: true, value: true });
  assert.deepEqual(checkLocalInclusion(text, { leaf_hash: second.leaf_hash, log_index: 2 }), {
    ok: false,
    error: 'out_of_range',
  });
  const edited = text.replace(
    second.prev_hash.concat('","chain_hash":"', second.chain_hash),
    `${'0'.repeat(64)}","chain_hash":"${second.chain_hash}`,
  );
  assert.deepEqual(checkLocalInclusion(edited, { leaf_hash: second.leaf_hash, log_index: 1 }), {
    ok: false,
    error: 'chain_mismatch',
  });
});

test('a minted token is accepted once, and not with a bit turned', () => {
  const seed = Buffer.alloc(32, 1);
  const pubkey = 'iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w';
  const claims = { iss: 'a', sub: 'b', iat: 1_893_456_000_000, nonce: 'n', scopes: ['public'] };
  const seen = new Set<string>();
  const context = {
    nowMs: claims.iat,
    localNodeId: 'b',
    nonceWindowMs: 300_000,
    peers: [{ id: 'p', node_id: 'a', pubkey, status: 'active' }],
    nonceSeen: (nonce: string) => seen.has(nonce),
  };
  const token = mintPeerToken(peerTokenPayload(claims), seed);
  const accepted = verifyPeerToken(`Bearer ${token}`, context);
  assert.ok(accepted.ok);
  assert.equal(accepted.value.nonceExpiresAt, '2030-01-01T01:00:00+00:00');
  seen.add(accepted.value.nonce);
  const replayed = verifyPeerToken(`Bearer ${token}`, context);
  assert.ok(!replayed.ok && replayed.error.kind === 'refused');
  assert.equal(replayed.error.detail, 'nonce_already_seen');
  for (let at = 0; at < token.length; at += 1) {
    const turned = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    assert.equal(verifyPeerToken(`Bearer ${turned}`, { ...context, nonceSeen: () => false }).ok, false);
  }
});
