/** What a client of Rekor sends for a checkpoint that the anchor key signed, and what it checks of the answer. */
import { createHash, createPublicKey } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import type { TrustedRootJson } from './programs/trusted-root.ts';

/** The text of a checkpoint with a signature over it. */
export interface Signed {
  readonly text: string;
  /** ECDSA over SHA-256 of the text, DER */
  readonly signature: Uint8Array;
  /** SPKI DER */
  readonly publicKey: Uint8Array;
}

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

export function postV1(url: string, { text, signature, publicKey }: Signed): Promise<Response> {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const pem = String(key.export({ format: 'pem', type: 'spki' }));
  const spec = {
    data: { hash: { algorithm: 'sha256', value: sha256(text).toString('hex') } },
    signature: { content: base64(signature), publicKey: { content: base64(pem) } },
  };
  return post(`${url}/api/v1/log/entries`, { apiVersion: '0.0.1', kind: 'hashedrekord', spec });
}

export function postV2(url: string, { text, signature, publicKey }: Signed): Promise<Response> {
  const verifier = { publicKey: { rawBytes: base64(publicKey) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
  const digest = sha256(text).toString('base64');
  const hashedRekordRequestV002 = { digest, signature: { content: base64(signature), verifier } };
  return post(`${url}/api/v2/log/entries`, { hashedRekordRequestV002 });
}

/**
 * Verifies signature and entry with the code of the Sigstore project.
 *
 * @param entry a TransparencyLogEntry in JSON
 * @throws VerificationError
 */
export function sigstoreVerify(signed: Signed, entry: object, root: TrustedRootJson, timestamps: number): void {
  const bundle = bundleFromJSON(sigstoreBundle(signed, entry));
  const key = { hint: 'anchor', rawBytes: Buffer.from(signed.publicKey) };
  const trust = toTrustMaterial(TrustedRoot.fromJSON(root), {
    [key.hint]: { rawBytes: key.rawBytes, keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: undefined } as never,
  });
  const verifier = new Verifier(trust, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: timestamps });
  verifier.verify(toSignedEntity(bundle, Buffer.from(signed.text)));
}

/** The bundle as `cosign verify-blob --bundle` reads it too. */
export function sigstoreBundle({ text, signature }: Signed, entry: object): object {
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: 'anchor' }, tlogEntries: [entry] },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: sha256(text).toString('base64') },
      signature: base64(signature),
    },
  };
}

/** Entries of Rekor v1 come in an older form. @param logEntry the one value of its answer */
export function entryOfV1(logEntry: V1LogEntry): object {
  const { inclusionProof, signedEntryTimestamp } = logEntry.verification;
  return {
    logIndex: String(logEntry.logIndex),
    logId: { keyId: Buffer.from(logEntry.logID, 'hex').toString('base64') },
    kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
    integratedTime: String(logEntry.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(inclusionProof.logIndex),
      rootHash: Buffer.from(inclusionProof.rootHash, 'hex').toString('base64'),
      treeSize: String(inclusionProof.treeSize),
      hashes: inclusionProof.hashes.map((hash) => Buffer.from(hash, 'hex').toString('base64')),
      checkpoint: { envelope: inclusionProof.checkpoint },
    },
    canonicalizedBody: logEntry.body,
  };
}

export interface V1LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly checkpoint: string;
      readonly hashes: readonly string[];
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
    };
  };
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
}
