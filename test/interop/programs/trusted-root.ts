/** What a client has to trust to verify entries of a log: a Sigstore trusted root with that one log. */
import { createHash, type KeyObject } from 'node:crypto';

export interface LogKey {
  readonly baseUrl: string;
  readonly publicKey: KeyObject;
  readonly keyDetails: 'PKIX_ED25519' | 'PKIX_ECDSA_P256_SHA_256';
  /** 32 bytes */
  readonly logId: Uint8Array;
}

/** JSON of a `dev.sigstore.trustroot.v1.TrustedRoot`. */
export interface TrustedRootJson {
  readonly mediaType: string;
  readonly tlogs: readonly object[];
  readonly certificateAuthorities: readonly object[];
  readonly ctlogs: readonly object[];
  readonly timestampAuthorities: readonly object[];
}

export function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

/** How Rekor v1 names a log: SHA-256 of its public key as SPKI DER. */
export function keyLogId(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest();
}

/** Rekor v2: the C2SP key id before it is cut to four bytes; for Ed25519. */
export function noteLogId(origin: string, key: KeyObject): Buffer {
  const raw = spki(key).subarray(-32);
  return createHash('sha256').update(`${origin}\n\u0001`).update(raw).digest();
}

export function trustedRoot({ baseUrl, publicKey, keyDetails, logId }: LogKey): TrustedRootJson {
  const key = {
    rawBytes: spki(publicKey).toString('base64'),
    keyDetails,
    validFor: { start: '2020-01-01T00:00:00Z' },
  };
  const keyId = Buffer.from(logId).toString('base64');
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [{ baseUrl, hashAlgorithm: 'SHA2_256', publicKey: key, logId: { keyId } }],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  };
}
