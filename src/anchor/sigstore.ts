/** The second opinion: the Sigstore libraries verify the entry as they verify any bundle. */
import { bundleFromJSON } from '@sigstore/bundle';
import { PublicKeyDetails, TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { encodeBase64 } from '../merkle/base64.ts';
import { sha256 } from '../merkle/hash.ts';
import type { RekorEntry, SignedDigest } from '../merkle/rekor-entry.ts';
import { AnchorError } from './errors.ts';

const HINT = 'anchor';

/** @throws AnchorError `unverified` */
export function verifyWithSigstore(entry: RekorEntry, sent: SignedDigest, trustRoot: string): void {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(trustRoot)), {
    [HINT]: {
      rawBytes: Buffer.from(sent.publicKey),
      keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
      validFor: { start: new Date(0) },
    },
  });
  // v2 states no time, and a key of one's own needs none: the time of an anchor is what witnesses cosign.
  const verifier = new Verifier(trust, { tlogThreshold: 1, timestampThreshold: 0, ctlogThreshold: 0 });
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(bundleOf(entry, sent)), Buffer.from(sent.text)));
  } catch (cause) {
    throw new AnchorError('unverified', `the Sigstore verifier refuses the log’s answer: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The entry as a Sigstore bundle, in JSON: what `cosign verify-blob --bundle` reads too. */
export function bundleOf(entry: RekorEntry, { text, signature }: SignedDigest): unknown {
  const digest = { algorithm: 'SHA2_256', digest: encodeBase64(sha256(Buffer.from(text))) };
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: HINT }, tlogEntries: [tlogEntry(entry)] },
    messageSignature: { messageDigest: digest, signature: encodeBase64(signature) },
  };
}

function tlogEntry({ version, body, logId, logIndex, integratedTime, proof, timestamp }: RekorEntry): unknown {
  return {
    logIndex: String(logIndex),
    logId: { keyId: encodeBase64(logId) },
    kindVersion: { kind: 'hashedrekord', version: version === 1 ? '0.0.1' : '0.0.2' },
    integratedTime: String(integratedTime ?? 0),
    ...(timestamp === null ? {} : { inclusionPromise: { signedEntryTimestamp: encodeBase64(timestamp) } }),
    inclusionProof: {
      logIndex: String(proof.index),
      rootHash: encodeBase64(proof.root),
      treeSize: String(proof.size),
      hashes: proof.hashes.map((hash) => encodeBase64(hash)),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: encodeBase64(body),
  };
}
