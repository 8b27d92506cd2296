import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { cosignatureVerifier } from './cosignature.ts';
import { P256_SPKI_BYTES, P256_SPKI_PREFIX } from './ecdsa.ts';
import { isEd25519Key } from './ed25519.ts';
import { sha256 } from './hash.ts';
import {
  ALG_COSIGNATURE_V1,
  ALG_ECDSA,
  ALG_ED25519,
  ed25519Verifier,
  isKeyName,
  type NoteVerifier,
  noteKeyId,
} from './note.ts';

/** A public key in the text form of notes, `name+hex8(key id)+base64(algorithm ‖ public key)`. */
export interface VerifierKey {
  readonly name: string;
  readonly algorithm: number;
  /** 32 raw bytes for Ed25519 and cosignatures, SPKI DER for ECDSA */
  readonly publicKey: Uint8Array;
}

/**
 * Writes a verifier key.
 *
 * @throws RangeError if the name is no key name
 * @see C2SP signed-note, verifier keys
 */
export function formatVerifierKey({ name, algorithm, publicKey }: VerifierKey): string {
  if (!isKeyName(name)) throw new RangeError('not a key name');
  const keyId = verifierKeyId({ name, algorithm, publicKey }).toString(16).padStart(8, '0');
  return `${name}+${keyId}+${encodeBase64(Buffer.concat([Buffer.from([algorithm]), publicKey]))}`;
}

/** Reads a verifier key. Total; the key id must be the one of name and key, in lowercase. */
export function parseVerifierKey(text: string): Result<VerifierKey, 'verifier_key_malformed'> {
  // the base64 may hold a plus: only the first two are borders
  const [, name = '', keyId, base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  const bytes = decodeBase64(base64);
  const algorithm = bytes?.[0];
  if (!isKeyName(name) || bytes === undefined || algorithm === undefined) return err('verifier_key_malformed');

  const key = { name, algorithm, publicKey: bytes.subarray(1) };
  const isMatching = verifierKeyId(key).toString(16).padStart(8, '0') === keyId;
  return isMatching ? ok(key) : err('verifier_key_malformed');
}

/** The verifier of a key: Ed25519, ECDSA P-256 or cosignature/v1. */
export function noteVerifier(key: VerifierKey): Result<NoteVerifier, 'algorithm_unknown' | 'key_invalid'> {
  switch (key.algorithm) {
    case ALG_ED25519:
      return isEd25519Key(key.publicKey) ? ok(ed25519Verifier(key.name, key.publicKey)) : err('key_invalid');
    case ALG_COSIGNATURE_V1:
      return isEd25519Key(key.publicKey) ? ok(cosignatureVerifier(key.name, key.publicKey)) : err('key_invalid');
    case ALG_ECDSA:
      return ecdsaVerifier(key.name, key.publicKey);
    default:
      return err('algorithm_unknown');
  }
}

/** The key id of a verifier key. That of an ECDSA key leaves the name out. */
export function verifierKeyId({ name, algorithm, publicKey }: VerifierKey): number {
  return algorithm === ALG_ECDSA ? sha256(publicKey).readUInt32BE() : noteKeyId(name, algorithm, publicKey);
}

/** Verifies DER signatures over SHA-256 of the text. */
function ecdsaVerifier(name: string, spki: Uint8Array): Result<NoteVerifier, 'key_invalid'> {
  const key = importP256(spki);
  if (key === undefined) return err('key_invalid');
  return ok({
    name,
    keyId: verifierKeyId({ name, algorithm: ALG_ECDSA, publicKey: spki }),
    verify: (text, signature) => verify('sha256', text, { key, dsaEncoding: 'der' }, signature),
  });
}

/**
 * The key id is a hash of the DER: another encoding of the same key would be another key. OpenSSL reads points in three forms,
 * and writes each as it came.
 */
function importP256(spki: Uint8Array): KeyObject | undefined {
  const isUncompressed =
    spki.length === P256_SPKI_BYTES && P256_SPKI_PREFIX.equals(spki.subarray(0, P256_SPKI_PREFIX.length));
  if (!isUncompressed) return undefined;
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
