import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as noble from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { createLogSigner, isEd25519Key, verifyEd25519 } from '../../../src/merkle/ed25519.ts';
import { turned } from './slow-tree.ts';

noble.hashes.sha512 = sha512;

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const { Point } = noble;
const seed = Buffer.alloc(32, 9);
const signer = createLogSigner('log.example', seed);
const message = Buffer.from('message');
const fixed = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** The strict branch of noble, with its exceptions as a no. */
function nobleVerifies(key: Uint8Array, text: Uint8Array, signature: Uint8Array): boolean {
  try {
    return noble.verify(signature, text, key, { zip215: false });
  } catch {
    return false;
  }
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

/** k of the verification equation. */
function challenge(r: Uint8Array, key: Uint8Array, text: Uint8Array): bigint {
  return toNumber(sha512(Buffer.concat([r, key, text]))) % ORDER;
}

/** y of all points of small order, p and p + 1 as other encodings of 0 and 1 included. */
const SMALL_ORDER_Y = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];
const SMALL_ORDER = SMALL_ORDER_Y.map((y) => Buffer.from(y, 'hex')).flatMap((y) => [y, turned(y, 255)]);

test('keys and signatures are the same as those of noble', () => {
  fc.assert(
    fc.property(fixed, fc.uint8Array({ maxLength: 300 }), (secret, text) => {
      const ours = createLogSigner('log.example', secret);
      assert.deepEqual(Buffer.from(ours.publicKey), Buffer.from(noble.getPublicKey(secret)));
      assert.deepEqual(Buffer.from(ours.sign(text)), Buffer.from(noble.sign(text, secret)));
      assert.equal(verifyEd25519(ours.publicKey, text, ours.sign(text)), true);
      assert.equal(nobleVerifies(ours.publicKey, text, ours.sign(text)), true);
    }),
    { numRuns: 30 },
  );
});

test('a turned bit in key, message or signature is refused by both', () => {
  const signature = signer.sign(message);
  for (let bit = 0; bit < 512; bit += 11) {
    assert.equal(verifyEd25519(signer.publicKey, message, turned(signature, bit)), false);
    assert.equal(nobleVerifies(signer.publicKey, message, turned(signature, bit)), false);
    const key = turned(signer.publicKey, bit % 256);
    assert.equal(verifyEd25519(key, message, signature), false);
    assert.equal(nobleVerifies(key, message, signature), false);
    const text = turned(message, bit % 56);
    assert.equal(verifyEd25519(signer.publicKey, text, signature), false);
    assert.equal(nobleVerifies(signer.publicKey, text, signature), false);
  }
});

test('a signature is not malleable: S plus the group order is refused by both', () => {
  const signature = Buffer.from(signer.sign(message));
  for (let times = 1n; times <= 8n; times++) {
    const s = toNumber(signature.subarray(32)) + times * ORDER;
    const malleated = Buffer.concat([signature.subarray(0, 32), littleEndian(s)]);
    assert.equal(verifyEd25519(signer.publicKey, message, malleated), false);
    assert.equal(nobleVerifies(signer.publicKey, message, malleated), false);
  }
});

test('wrong lengths are refused by both', () => {
  const signature = Buffer.from(signer.sign(message));
  const key = Buffer.from(signer.publicKey);
  const longer = (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)]);
  for (const wrong of [Buffer.alloc(0), signature.subarray(1), signature.subarray(0, 63), longer(signature)]) {
    assert.equal(verifyEd25519(key, message, wrong), false);
    assert.equal(nobleVerifies(key, message, wrong), false);
  }
  for (const wrong of [Buffer.alloc(0), key.subarray(1), key.subarray(0, 31), longer(key)]) {
    assert.equal(verifyEd25519(wrong, message, signature), false);
    assert.equal(nobleVerifies(wrong, message, signature), false);
  }
  for (const length of [0, 31, 33, 64]) {
    assert.throws(() => createLogSigner('log.example', Buffer.alloc(length)), RangeError);
  }
});

// OpenSSL 3.0, which Node 22 has, takes such keys; 3.5 refuses them. With the neutral element as key, R = S * B fits
// every message; with the others, one message in 2, 4 or 8.
test('keys of small order are refused by both', () => {
  for (const key of SMALL_ORDER) {
    assert.equal(isEd25519Key(key), false);
    for (let s = 1n; s <= 16n; s++) {
      const signature = Buffer.concat([Point.BASE.multiply(s).toBytes(), littleEndian(s)]);
      assert.equal(verifyEd25519(key, message, signature), false);
      assert.equal(nobleVerifies(key, message, signature), false);
    }
  }
});

test('a key has one encoding: y from the prime on is refused by both', () => {
  const signature = signer.sign(message);
  for (let above = 0; above < 19; above++) {
    const key = Buffer.from(`${(0xed + above).toString(16)}${'ff'.repeat(30)}7f`, 'hex');
    for (const one of [key, turned(key, 255)]) {
      assert.equal(isEd25519Key(one), false);
      assert.equal(nobleVerifies(one, message, signature), false);
    }
  }
  assert.equal(isEd25519Key(Buffer.from(`eb${'ff'.repeat(30)}7f`, 'hex')), true);
});

test('a key that is no point of the curve verifies nothing', () => {
  const off = Buffer.from(`02${'00'.repeat(31)}`, 'hex');
  assert.throws(() => Point.fromBytes(off));
  assert.equal(verifyEd25519(off, message, signer.sign(message)), false);
});

// First difference. Only the holder of the secret key can make such a signature. OpenSSL 3.0 takes it too, 3.5 does not.
test('R of small order with an honest key: noble takes it, we refuse', () => {
  const { scalar, pointBytes } = noble.utils.getExtendedPublicKey(seed);
  const withR = (r: Buffer) => Buffer.concat([r, littleEndian((challenge(r, pointBytes, message) * scalar) % ORDER)]);
  const neutral = Buffer.from(`01${'00'.repeat(31)}`, 'hex');
  assert.equal(nobleVerifies(signer.publicKey, message, withR(neutral)), true);
  for (const r of SMALL_ORDER) assert.equal(verifyEd25519(signer.publicKey, message, withR(r)), false);

  // the same R written in another way is refused by both
  assert.equal(nobleVerifies(signer.publicKey, message, withR(turned(neutral, 255))), false);
});

// Second difference. noble multiplies the equation by the cofactor 8, OpenSSL does not, so a signature whose R, or whose
// key, has a part of small order passes noble alone. Again only the holder of the secret key can make one: a portable
// verifier may take what the daemon refuses, never the other way round.
test('a part of small order in R or in the key: noble takes it, we refuse', () => {
  const torsion = Point.fromBytes(SMALL_ORDER[6] as Buffer, true);
  const { scalar, pointBytes } = noble.utils.getExtendedPublicKey(seed);
  const nonce = 12345n;

  const r = Point.BASE.multiply(nonce).add(torsion).toBytes();
  const s = (nonce + challenge(r, pointBytes, message) * scalar) % ORDER;
  const mixedR = Buffer.concat([r, littleEndian(s)]);
  assert.equal(nobleVerifies(pointBytes, message, mixedR), true);
  assert.equal(verifyEd25519(pointBytes, message, mixedR), false);

  const key = Point.fromBytes(pointBytes).add(torsion).toBytes();
  const plainR = Point.BASE.multiply(nonce).toBytes();
  let texts = 0;
  for (let at = 0; at < 16; at++) {
    const text = Buffer.from(`message ${at}`);
    const k = challenge(plainR, key, text);
    const mixedKey = Buffer.concat([plainR, littleEndian((nonce + k * scalar) % ORDER)]);
    assert.equal(nobleVerifies(key, text, mixedKey), true);
    const isCancelled = k % 8n === 0n; // the small part vanishes by itself
    assert.equal(verifyEd25519(key, text, mixedKey), isCancelled);
    texts += isCancelled ? 0 : 1;
  }
  assert.ok(texts > 0);
});

test('what we take, noble takes, for any bytes', () => {
  fc.assert(
    fc.property(fixed, fc.uint8Array({ minLength: 64, maxLength: 64 }), (key, signature) => {
      if (verifyEd25519(key, message, signature)) assert.equal(nobleVerifies(key, message, signature), true);
    }),
    { numRuns: 50 },
  );
});

test('more keys than are cached still verify', () => {
  const signature = signer.sign(message);
  for (let at = 0; at < 1100; at++) verifyEd25519(Buffer.alloc(32, `${at}k`), message, signature);
  assert.equal(verifyEd25519(signer.publicKey, message, signature), true);
});
