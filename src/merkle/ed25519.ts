import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

export const PUBLIC_KEY_BYTES = 32;
export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const POINT_BYTES = 32;

/** A key under the name that its signature lines carry; for a log, the origin. */
export interface LogSigner {
  readonly name: string;
  readonly publicKey: Uint8Array;
  /** Keys that came before and still sign beside this one, each without former ones of its own. */
  readonly former: readonly LogSigner[];
  sign(message: Uint8Array): Uint8Array;
}

/** DER up to the raw key. @see RFC 8410 §4, §7 */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** y of the points of order 1, 2, 4, 8 and 8; each stands for both signs of x. */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** Importing a key costs as much as a third of a verification; peers and witnesses are few. */
const MAX_CACHED_KEYS = 1024;
const publicKeys = new Map<string, KeyObject>();

/**
 * A signer for a 32-byte seed.
 *
 * @param formerSeeds of the keys before it that are in their overlap
 * @throws RangeError if a seed is of another length
 * @see RFC 8032 §5.1.5
 */
export function createLogSigner(name: string, seed: Uint8Array, formerSeeds: readonly Uint8Array[] = []): LogSigner {
  if (seed.length !== SEED_BYTES) throw new RangeError('an Ed25519 seed is 32 bytes');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const publicKey = spki.subarray(SPKI_PREFIX.length);
  const former = formerSeeds.map((one) => createLogSigner(name, one));
  return { name, publicKey, former, sign: (message) => sign(null, message, key) };
}

/**
 * True for 32 bytes that can stand for an honest key: canonical, and not of small order. A key of small order verifies
 * signatures over messages that nobody signed. OpenSSL 3.5 refuses it and 3.0 does not; verdicts must not depend on that.
 */
export function isEd25519Key(publicKey: Uint8Array): boolean {
  return publicKey.length === PUBLIC_KEY_BYTES && isHonestPoint(publicKey);
}

/**
 * Checks a signature. Total: a wrong length, an unusable key or a signature that is not canonical is just false.
 *
 * @param publicKey 32 bytes
 * @param signature 64 bytes
 * @see RFC 8032 §5.1.7, without the cofactor; R of small order is refused too, as OpenSSL 3.5 does and 3.0 does not
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isHonestPoint(signature.subarray(0, POINT_BYTES))) return false;
  const key = importPublicKey(publicKey);
  return key !== undefined && verify(null, message, key, signature);
}

/** Not of small order, and the only encoding of its point. */
function isHonestPoint(point: Uint8Array): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] ?? 0) & 0x7f;
  return isBelowPrime(y) && !SMALL_ORDER_Y.has(y.toString('hex'));
}

function importPublicKey(publicKey: Uint8Array): KeyObject | undefined {
  const id = Buffer.from(publicKey).toString('latin1');
  const known = publicKeys.get(id);
  if (known !== undefined) return known;
  if (!isEd25519Key(publicKey)) return undefined;

  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  const [oldest] = publicKeys.size < MAX_CACHED_KEYS ? [] : publicKeys.keys();
  if (oldest !== undefined) publicKeys.delete(oldest);
  publicKeys.set(id, key);
  return key;
}

/** y < 2^255 - 19, for y little-endian without the sign bit. */
function isBelowPrime(y: Buffer): boolean {
  return y[31] !== 0x7f || y.subarray(1, 31).some((byte) => byte !== 0xff) || (y[0] ?? 0) < 0xed;
}
