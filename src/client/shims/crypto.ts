/**
 * Stands in for the part of `node:crypto` that verifiers use, in browsers: synchronous, which WebCrypto is not. Verdicts
 * must be those of OpenSSL for every input; a test compares the two on thousands of them.
 */
import { p256 } from '@noble/curves/nist.js';
import { hashes, Point } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Buffer } from './buffer.ts';

hashes.sha512 = sha512;

const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const P256_ALGORITHM = Buffer.from('301306072a8648ce3d020106082a8648ce3d030107', 'hex');
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const UNCOMPRESSED = 0x04;
const BIT_STRING = 0x03;
const SEQUENCE = 0x30;

/** What a KeyObject is to the verifiers. */
export interface KeyObject {
  readonly asymmetricKeyType: 'ed25519' | 'ec';
  readonly asymmetricKeyDetails: { readonly namedCurve?: string };
  /** Raw key or point. */
  readonly raw: Uint8Array;
  export(options: { readonly format: 'der'; readonly type: 'spki' }): Buffer;
}

/** A digest as text, as `hash('sha256', …)` of Node gives it. */
export function hash(
  algorithm: 'sha256',
  data: Uint8Array | string,
  encoding: 'hex' | 'binary' | 'base64' = 'hex',
): string {
  if (algorithm !== 'sha256') throw new Error(`no ${algorithm} here`);
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const digest = sha256(bytes);
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString(encoding);
}

/** @throws Error if the DER is not that of an Ed25519 or P-256 key */
export function createPublicKey({ key }: { readonly key: Uint8Array }): KeyObject {
  const der = Buffer.from(key);
  if (der.length === ED25519_PREFIX.length + 32 && der.subarray(0, ED25519_PREFIX.length).equals(ED25519_PREFIX)) {
    return keyObject('ed25519', der, der.subarray(ED25519_PREFIX.length));
  }
  const point = p256Point(der);
  if (point === undefined) throw new Error('not a key that is known here');
  return keyObject('ec', der, point);
}

/**
 * Verifies a signature as OpenSSL does: Ed25519 without the cofactor for a null algorithm, else ECDSA on P-256 over
 * SHA-256 with a signature in DER.
 */
export function verify(
  algorithm: 'sha256' | null,
  message: Uint8Array,
  key: KeyObject | { readonly key: KeyObject; readonly dsaEncoding: 'der' },
  signature: Uint8Array,
): boolean {
  const { asymmetricKeyType, raw } = 'key' in key ? key.key : key;
  try {
    if (asymmetricKeyType === 'ed25519') return algorithm === null && verifyEd25519(raw, message, signature);
    return p256.verify(signature, message, raw, { format: 'der', lowS: false, prehash: true });
  } catch {
    return false;
  }
}

/** @see RFC 8032 §5.1.7, the equation without the cofactor */
function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (signature.length !== 64 || s >= ED25519_ORDER) return false;
  const k = littleEndian(sha512(Buffer.concat([r, key, message]))) % ED25519_ORDER;
  // Adding the negated point, and not comparing sums: R itself never has to be a point.
  const expected = Point.BASE.multiply(s, false).add(Point.fromBytes(key, true).negate().multiply(k, false));
  return Buffer.compare(Buffer.from(expected.toBytes()), Buffer.from(r)) === 0;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

/** The point of an SPKI key; all three encodings of a point are taken, as OpenSSL does. */
function p256Point(der: Buffer): Uint8Array | undefined {
  const start = 2 + P256_ALGORITHM.length + 3;
  const point = der.subarray(start);
  const header = Buffer.concat([
    Buffer.from([SEQUENCE, der.length - 2]),
    P256_ALGORITHM,
    Buffer.from([BIT_STRING, point.length + 1, 0]),
  ]);
  if (der.length > 127 || !der.subarray(0, start).equals(header)) return undefined;
  const bytes = isHybrid(point) ? Buffer.concat([Buffer.from([UNCOMPRESSED]), point.subarray(1)]) : point;
  try {
    p256.Point.fromBytes(bytes).assertValidity();
    return bytes;
  } catch {
    return undefined;
  }
}

/** An uncompressed point whose first byte repeats the parity of y. */
function isHybrid(point: Uint8Array): boolean {
  return point.length === 65 && point[0] === 0x06 + ((point[64] ?? 0) & 1);
}

function keyObject(type: KeyObject['asymmetricKeyType'], der: Buffer, raw: Uint8Array): KeyObject {
  return {
    asymmetricKeyType: type,
    asymmetricKeyDetails: type === 'ec' ? { namedCurve: 'prime256v1' } : {},
    raw,
    export: () => Buffer.from(der),
  };
}

const NO_SIGNING = 'browsers verify, they do not sign';

export function createPrivateKey(): never {
  throw new Error(NO_SIGNING);
}

export function sign(): never {
  throw new Error(NO_SIGNING);
}

export function createECDH(): never {
  throw new Error(NO_SIGNING);
}

export function createHash(): never {
  throw new Error('hash() is what is here');
}
