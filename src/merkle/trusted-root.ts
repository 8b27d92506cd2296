import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64 } from './base64.ts';
import { sameHash, sha256 } from './hash.ts';

/** A transparency log whose word is taken. */
export interface TrustedLog {
  /** Its signature lines carry a name that is a part of it. */
  readonly baseUrl: string;
  /** Names the key: SHA-256 of the SPKI for Rekor v1, the note's key id in front for v2. */
  readonly keyId: Uint8Array;
  readonly key: KeyObject;
}

/** Bytes of a file that lists logs; that of the public instances is below 10 KB. */
const MAX_ROOT_CHARS = 262_144;
const MAX_LOGS = 64;
const ED25519 = 'PKIX_ED25519';
const P256 = 'PKIX_ECDSA_P256_SHA_256';

/**
 * Reads the transparency logs of a Sigstore trusted root, `trusted_root.json`. Other members are for those who verify
 * certificates. Total.
 *
 * @returns the error says in words what was expected; logs with keys of other kinds are left out
 * @see sigstore/protobuf-specs, sigstore_trustroot.proto
 */
export function parseTrustedRoot(text: string): Result<readonly TrustedLog[], string> {
  if (text.length > MAX_ROOT_CHARS) return err(`expected at most ${MAX_ROOT_CHARS} characters, got ${text.length}`);
  const root = parseOrNull(text);
  const tlogs = isRecord(root) ? root['tlogs'] : undefined;
  if (!Array.isArray(tlogs) || tlogs.length === 0 || tlogs.length > MAX_LOGS)
    return err(`expected a Sigstore trusted root with 1 to ${MAX_LOGS} members of "tlogs"`);
  const logs = tlogs.map(readLog).filter((log) => log !== undefined);
  return logs.length > 0 ? ok(logs) : err('expected a log with an Ed25519 or P-256 key in "tlogs", got none');
}

/** Verifies what a log signed: Ed25519, or DER ECDSA over SHA-256. */
export function isSignedBy(log: TrustedLog, message: Uint8Array, signature: Uint8Array): boolean {
  const isEdwards = log.key.asymmetricKeyType === 'ed25519';
  try {
    return isEdwards
      ? verify(null, message, log.key, signature)
      : verify('sha256', message, { key: log.key, dsaEncoding: 'der' }, signature);
  } catch {
    return false;
  }
}

/**
 * Whether a log can be Rekor v1, which signs a time for each entry; v2 signs none. v1 is named by the hash of its key. v2
 * is named as in a note: for an Ed25519 key that is another hash, for P-256 it begins with the same one.
 */
export function mayStateTime({ key, keyId }: TrustedLog): boolean {
  const named = sha256(key.export({ format: 'der', type: 'spki' }));
  return sameHash(named.subarray(0, keyId.length), keyId);
}

function readLog(value: unknown): TrustedLog | undefined {
  if (!isRecord(value)) return undefined;
  const { baseUrl, publicKey, logId, checkpointKeyId } = value as Record<string, unknown>;
  const details = isRecord(publicKey) ? publicKey['keyDetails'] : undefined;
  const raw = isRecord(publicKey) ? bytesOf(publicKey['rawBytes']) : undefined;
  const id = isRecord(checkpointKeyId) ? checkpointKeyId : logId;
  const keyId = isRecord(id) ? bytesOf(id['keyId']) : undefined;
  if (typeof baseUrl !== 'string' || raw === undefined || keyId === undefined || keyId.length < 4) return undefined;
  if (details !== ED25519 && details !== P256) return undefined;
  const key = importSpki(raw);
  return key === undefined ? undefined : { baseUrl, keyId, key };
}

function importSpki(der: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return isP256 || key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(value: unknown): Buffer | undefined {
  return typeof value === 'string' ? decodeBase64(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
