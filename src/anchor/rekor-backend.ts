/**
 * Rekor: the anchor key's signature over a checkpoint as a `hashedrekord`, API v1 or v2. What comes back is compared with
 * the leaf that was meant, then verified by the Sigstore libraries, before it counts.
 */
import { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
import type { AnchorCheckpoint, NewAnchorReceipt } from '../journal/anchor-records.ts';
import { leafHash } from '../merkle/hash.ts';
import { ALG_ECDSA, parseNote } from '../merkle/note.ts';
import { checkRekorEntry, readRekorEntry, type SignedDigest } from '../merkle/rekor-entry.ts';
import type { TrustedLog } from '../merkle/trusted-root.ts';
import { verifierKeyId } from '../merkle/verifier-key.ts';
import type { AnchorBackend } from './backend.ts';
import { AnchorError } from './errors.ts';
import type { RekorApi } from './rekor-api.ts';
import { verifyWithSigstore } from './sigstore.ts';

export interface RekorOptions {
  readonly api: RekorApi;
  /** Text of the trust root, as it is kept with each receipt. */
  readonly trustRoot: string;
  /** The same, read. */
  readonly logs: readonly TrustedLog[];
  /** SPKI DER, P-256 */
  readonly anchorKey: Uint8Array;
}

export function createRekorBackend(options: RekorOptions): AnchorBackend {
  return {
    name: 'rekor',
    async submit(checkpoint, signal) {
      const sent = signedDigest(checkpoint, options.anchorKey);
      const entry = await options.api.submit(sent, signal);
      return verified(entry, sent, options);
    },
  };
}

/** The ECDSA line of the note is the signature that Rekor takes: DER over SHA-256 of the same text. */
function signedDigest({ note }: AnchorCheckpoint, publicKey: Uint8Array): SignedDigest {
  const parsed = parseNote(note);
  const keyId = verifierKeyId({ name: '', algorithm: ALG_ECDSA, publicKey });
  const line = parsed.ok ? parsed.value.signatures.find((one) => one.keyId === keyId) : undefined;
  if (!parsed.ok || line === undefined) throw new TypeError('a checkpoint to be anchored has a line of the anchor key');
  return { text: parsed.value.text, signature: line.signature, publicKey };
}

function verified(entry: unknown, sent: SignedDigest, { trustRoot, logs }: RekorOptions): NewAnchorReceipt {
  const read = readRekorEntry(entry);
  if (!read.ok) throw new AnchorError('unverified', 'the log’s answer is no entry with an inclusion proof');
  const checked = checkRekorEntry(read.value, sent, logs);
  if (!checked.ok) throw new AnchorError('unverified', `the log’s answer does not verify: ${checked.error}`);
  verifyWithSigstore(read.value, sent, trustRoot);
  return {
    backend: 'rekor',
    logId: read.value.logId.toString('hex'),
    logIndex: read.value.logIndex,
    integratedTime: read.value.integratedTime,
    leafHash: leafHash(read.value.body).toString('hex'),
    entry: canonicalText(entry),
    trustRoot,
  };
}

/** In receipts, which have one text, an entry has to have one too. */
function canonicalText(entry: unknown): string {
  try {
    return canonicalJson(entry as PlainJson);
  } catch (cause) {
    throw new AnchorError('unverified', 'the log’s answer holds a number that is no whole one', { cause });
  }
}
