/** The anchor key: ECDSA P-256 over SHA-256, the one kind of key that both notes and Rekor's hashedrekord take. */
import { createECDH, createPrivateKey, sign } from 'node:crypto';
import { sha256 } from './hash.ts';
import type { NoteSignature } from './note.ts';

export const ANCHOR_SEED_BYTES = 32;
/** SPKI DER of a P-256 key up to the coordinates of its uncompressed point. @see RFC 5480 §2 */
export const P256_SPKI_PREFIX: Buffer = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
export const P256_SPKI_BYTES = 91;
/** PKCS #8 DER around the RFC 5915 key with its public point. */
const PKCS8_PREFIX = Buffer.from('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420', 'hex');
const PKCS8_POINT = Buffer.from('a144034200', 'hex');

/** A P-256 key under the origin of the log whose checkpoints it anchors. */
export interface AnchorSigner {
  readonly name: string;
  /** SPKI DER, 91 bytes */
  readonly publicKey: Uint8Array;
  /** First four bytes of SHA-256 of the SPKI DER. */
  readonly keyId: number;
  /** DER signature over SHA-256 of the message; another one at each call. */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * A signer for a private scalar.
 *
 * @throws RangeError if it is not 32 bytes that can be one
 */
export function createAnchorSigner(name: string, seed: Uint8Array): AnchorSigner {
  const point = publicPoint(seed);
  const der = Buffer.concat([PKCS8_PREFIX, seed, PKCS8_POINT, point]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = Buffer.concat([P256_SPKI_PREFIX, point.subarray(1)]);
  return {
    name,
    publicKey,
    keyId: sha256(publicKey).readUInt32BE(),
    sign: (message) => sign('sha256', message, { key, dsaEncoding: 'der' }),
  };
}

/** The second line of an anchored checkpoint. @param text of the checkpoint, with its final newline */
export function signAnchor(text: string, signer: AnchorSigner): NoteSignature {
  return { name: signer.name, keyId: signer.keyId, signature: signer.sign(Buffer.from(text)) };
}

function publicPoint(seed: Uint8Array): Buffer {
  if (seed.length !== ANCHOR_SEED_BYTES) throw new RangeError('a P-256 scalar is 32 bytes');
  const key = createECDH('prime256v1');
  try {
    key.setPrivateKey(seed);
  } catch {
    throw new RangeError('not a scalar of P-256');
  }
  return key.getPublicKey();
}
