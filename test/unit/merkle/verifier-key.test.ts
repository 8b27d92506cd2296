import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { cosign } from '../../../src/merkle/cosignature.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519, signEd25519, verifyNote } from '../../../src/merkle/note.ts';
import {
  formatVerifierKey,
  noteVerifier,
  parseVerifierKey,
  type VerifierKey,
  verifierKeyId,
} from '../../../src/merkle/verifier-key.ts';
import { sha, turned } from './slow-tree.ts';

const TEXT = 'log.example\n5\nroot\n';
const signer = createLogSigner('log.example', Buffer.alloc(32, 1));
const publicKey = Buffer.from(signer.publicKey);
const ed25519 = { name: 'log.example', algorithm: ALG_ED25519, publicKey };

function spkiOf(namedCurve: string): { readonly spki: Buffer; readonly sign: (text: string) => Buffer } {
  const pair = generateKeyPairSync('ec', { namedCurve });
  const spki = pair.publicKey.export({ format: 'der', type: 'spki' });
  return { spki, sign: (text) => sign('sha256', Buffer.from(text), { key: pair.privateKey, dsaEncoding: 'der' }) };
}

test('a verifier key is read back as it was written', () => {
  const p256 = spkiOf('prime256v1').spki;
  const keys: VerifierKey[] = [
    ed25519,
    { ...ed25519, algorithm: ALG_COSIGNATURE_V1 },
    { ...ed25519, algorithm: ALG_ECDSA, publicKey: p256 },
  ];
  for (const key of keys) assert.deepEqual(parseVerifierKey(formatVerifierKey(key)), { ok: true, value: key });
});

test('a key whose base64 holds a plus is read', () => {
  const key = { name: 'log.example', algorithm: ALG_ED25519, publicKey: Buffer.alloc(32, 0xfb) };
  assert.match(formatVerifierKey(key), /\+.*\+.*\+/);
  assert.deepEqual(parseVerifierKey(formatVerifierKey(key)), { ok: true, value: key });
});

test('any other spelling is refused, and reading never throws', () => {
  const refused = { ok: false, error: 'verifier_key_malformed' };
  const text = formatVerifierKey(ed25519);
  const [name, id = '', base64 = ''] = text.split('+');
  for (let bit = 0; bit < text.length * 8; bit++) {
    assert.deepEqual(parseVerifierKey(turned(Buffer.from(text), bit).toString('latin1')), refused);
  }
  const wrong = [
    '',
    `${name}+${id}`,
    `${name}+${id}+`,
    `+${id}+${base64}`,
    `a b+${id}+${base64}`,
    `${name}+${id.toUpperCase()}Z+${base64}`,
    `${name}+0${id}+${base64}`,
    `${name}+${id.slice(1)}+${base64}`,
    `${name}+${id}+${base64}=`,
    `${name}+${id}+${base64}\n`,
    ` ${text}`,
    `${text} `,
  ];
  for (const spelling of wrong) assert.deepEqual(parseVerifierKey(spelling), refused, spelling);
  const upper = text.replace(id, id.toUpperCase());
  if (upper !== text) assert.deepEqual(parseVerifierKey(upper), refused);
  fc.assert(fc.property(fc.string(), (any) => assert.deepEqual(parseVerifierKey(any), refused)));
  assert.throws(() => formatVerifierKey({ ...ed25519, name: 'a+b' }), RangeError);
});

test('the key id of an ECDSA key leaves the name out', () => {
  const { spki } = spkiOf('prime256v1');
  const ids = ['a.example', 'b.example'].map((name) => verifierKeyId({ name, algorithm: ALG_ECDSA, publicKey: spki }));
  assert.deepEqual(ids, [sha(spki).readUInt32BE(), sha(spki).readUInt32BE()]);
  const expected = sha('log.example\n', Buffer.of(1), publicKey).readUInt32BE();
  assert.equal(verifierKeyId(ed25519), expected);
});

test('each algorithm verifies its own signatures in one note', () => {
  const { spki, sign: ecdsa } = spkiOf('prime256v1');
  const keys: VerifierKey[] = [
    ed25519,
    { ...ed25519, algorithm: ALG_COSIGNATURE_V1 },
    { name: 'log.example', algorithm: ALG_ECDSA, publicKey: spki },
  ];
  const verifiers = keys.map((key) => {
    const verifier = noteVerifier(key);
    assert.ok(verifier.ok);
    return verifier.value;
  });
  const signatures = [
    signEd25519(TEXT, signer),
    cosign(TEXT, 1_767_229_200, signer),
    { name: 'log.example', keyId: sha(spki).readUInt32BE(), signature: ecdsa(TEXT) },
  ];
  assert.deepEqual(verifyNote({ text: TEXT, signatures }, verifiers), { ok: true, value: signatures });
  for (let at = 0; at < 3; at++) {
    const bad = signatures.map((line, i) => (i === at ? { ...line, signature: turned(line.signature, 130) } : line));
    assert.equal(verifyNote({ text: TEXT, signatures: bad }, verifiers).ok, false);
    assert.equal(verifyNote({ text: `${TEXT}x\n`, signatures: signatures.slice(at, at + 1) }, verifiers).ok, false);
  }
});

test('an ECDSA signature is DER, and nothing behind it', () => {
  const { spki, sign: ecdsa } = spkiOf('prime256v1');
  const verifier = noteVerifier({ name: 'log.example', algorithm: ALG_ECDSA, publicKey: spki });
  assert.ok(verifier.ok);
  const signature = ecdsa(TEXT);
  assert.equal(verifier.value.verify(Buffer.from(TEXT), signature), true);
  for (const wrong of [
    Buffer.alloc(0),
    signature.subarray(1),
    Buffer.concat([signature, Buffer.of(0)]),
    Buffer.alloc(64, 1),
  ]) {
    assert.equal(verifier.value.verify(Buffer.from(TEXT), wrong), false);
  }
});

test('a P-256 key has one encoding: a point in another form is another key under another id, and refused', () => {
  const { spki } = spkiOf('prime256v1');
  const [x, parity] = [spki.subarray(27, 59), (spki[90] ?? 0) & 1];
  const compressed = Buffer.concat([
    Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
    Buffer.of(2 + parity),
    x,
  ]);
  const hybrid = Buffer.concat([spki.subarray(0, 26), Buffer.of(6 + parity), spki.subarray(27)]);
  const offCurve = Buffer.concat([spki.subarray(0, 90), Buffer.of((spki[90] ?? 0) ^ 1)]);
  for (const [name, key] of Object.entries({ compressed, hybrid, offCurve }))
    assert.deepEqual(
      noteVerifier({ name: 'a', algorithm: ALG_ECDSA, publicKey: key }),
      { ok: false, error: 'key_invalid' },
      name,
    );
});

test('keys that cannot be used are refused', () => {
  const invalid = { ok: false, error: 'key_invalid' };
  const { spki } = spkiOf('prime256v1');
  const verifierOf = (algorithm: number, key: Uint8Array) => noteVerifier({ name: 'a', algorithm, publicKey: key });
  for (const algorithm of [ALG_ED25519, ALG_COSIGNATURE_V1]) {
    assert.deepEqual(verifierOf(algorithm, Buffer.alloc(32)), invalid);
    assert.deepEqual(verifierOf(algorithm, publicKey.subarray(1)), invalid);
  }
  assert.deepEqual(verifierOf(ALG_ECDSA, spkiOf('secp384r1').spki), invalid);
  assert.deepEqual(verifierOf(ALG_ECDSA, spkiOf('secp256k1').spki), invalid);
  assert.deepEqual(verifierOf(ALG_ECDSA, spki.subarray(1)), invalid);
  assert.deepEqual(verifierOf(ALG_ECDSA, Buffer.concat([spki, Buffer.of(0)])), invalid);
  assert.deepEqual(verifierOf(ALG_ECDSA, Buffer.alloc(0)), invalid);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'der', type: 'spki' });
  assert.deepEqual(verifierOf(ALG_ECDSA, rsa), invalid);
  assert.deepEqual(verifierOf(6, publicKey), { ok: false, error: 'algorithm_unknown' });
});
