/** Verifiers for what a node, or somebody else, hands out. Pure and total: a refusal is a value with a code. */
import { isJsonObject, parseJson } from '../core/json.ts';
import { checkSdkProof, type SdkRefusal } from '../core/reference/sdk-proof.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readTar } from '../core/ustar.ts';
import { type AnchorReceipt, MAX_ANCHOR_RECEIPT_CHARS, readAnchorReceipt } from '../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { parseNote } from '../merkle/note.ts';
import { type ErasureRefusal, judgeErasureProof } from '../verify/erasure-verdict.ts';
import { type EvidenceContext, type EvidenceVerdict, judgeEvidence } from '../verify/evidence-verdict.ts';
import { type FactRefusal, judgeFactBundle, judgeReceipt, provenAnchor } from '../verify/fact-bundle-verdict.ts';
import { judgePacket } from '../verify/packet-verdict.ts';
import {
  anchorKeysOf,
  type Refusal,
  refusal,
  type TrustRefusal,
  verifyCheckpointNote,
} from '../verify/reader-trust.ts';
import { type ErasedFact, erasedFactOf } from './erased.ts';
import { VerificationError } from './errors.ts';
import { cidOfFact, type Fact, factOfProven, factOfRecord } from './facts.ts';
import { type TrustOptions, trustOf } from './trust.ts';

/** What a verified checkpoint says. */
export interface VerifiedCheckpoint {
  readonly origin: string;
  readonly size: number;
  /** Root hash, base64. */
  readonly root: string;
  readonly cosigned: readonly { readonly witness: string; readonly timeSeconds: number }[];
}

/**
 * Checks that a fact record has the CID of its body. That says nothing of who asserted it, when, or until when it holds.
 *
 * @param record JSON text of a record as the API writes it: numbers in it keep their text
 */
export function verifyFactCid(record: string): Result<string, 'record_malformed' | 'cid_mismatch'> {
  const parsed = parseJson(record);
  const fact = parsed.ok && isJsonObject(parsed.value) ? readRecord(parsed.value) : undefined;
  if (fact === undefined) return err('record_malformed');
  return cidOfFact(fact) === fact.cid ? ok(fact.cid) : err('cid_mismatch');
}

function readRecord(record: Parameters<typeof factOfRecord>[0]): Fact | undefined {
  try {
    return factOfRecord(record);
  } catch (error) {
    if (error instanceof VerificationError) return undefined;
    throw error;
  }
}

/**
 * Checks a `chain_proof` as the reference's Python SDK does: that it is of one piece, not that it is true. Use
 * {@link verifyFactBundle} for that.
 *
 * @param proof JSON text; null: there was none
 */
export function verifyFactChainProof(
  proof: string | null,
  options: { readonly requireCheckpoint?: boolean } = {},
): Result<true, SdkRefusal> {
  return checkSdkProof(proof, options.requireCheckpoint ?? false);
}

/**
 * Verifies a fact bundle against what is trusted.
 *
 * @throws TypeError if `trust` is malformed: that is the caller's own
 */
export function verifyFactBundle(bundle: string | Uint8Array, trust: TrustOptions): Result<Fact, Refusal<FactRefusal>> {
  const judged = judgeFactBundle(bundle, trustOf(trust));
  return judged.ok ? ok(factOfProven(judged.value)) : judged;
}

/**
 * Verifies that the node, whose log has the fact, has had it erased: its tombstone by the rules of any fact, and the leaf that it names
 * in the same tree.
 *
 * @throws TypeError if `trust` is malformed
 */
export function verifyErasureProof(
  proof: string | Uint8Array,
  trust: TrustOptions,
): Result<ErasedFact, Refusal<ErasureRefusal>> {
  const judged = judgeErasureProof(proof, trustOf(trust));
  return judged.ok ? ok(erasedFactOf(judged.value)) : judged;
}

/**
 * Verifies a signed checkpoint against what is trusted.
 *
 * @param declaration the node's signed declaration, where trust is in nodes
 * @throws TypeError if `trust` is malformed
 */
export function verifyCheckpoint(
  checkpoint: string | Uint8Array,
  trust: TrustOptions,
  declaration: string | null = null,
): Result<VerifiedCheckpoint, Refusal<TrustRefusal>> {
  const verified = verifyCheckpointNote(checkpoint, trustOf(trust), declaration);
  if (!verified.ok) return verified;
  const { origin, size, root, cosigned } = verified.value;
  return ok({ origin, size, root: encodeBase64(root), cosigned });
}

/** Judges evidence against a node by what is signed in it. */
export function verifyEvidence(text: string, beside: EvidenceContext = {}): EvidenceVerdict {
  return judgeEvidence(text, beside);
}

/** Judges an evidence packet, the tar that `evidence export` and the API give out. */
export function verifyEvidencePacket(tar: Uint8Array): EvidenceVerdict {
  const files = readTar(tar);
  // A packet without files is judged too: there is a verdict for whatever the bytes are.
  return judgePacket(files.ok ? files.value : new Map());
}

/** What a verified anchor says. */
export interface VerifiedAnchor {
  readonly origin: string;
  readonly size: number;
  /** Root hash, base64. */
  readonly root: string;
  readonly backend: string;
  readonly logId: string;
  readonly logIndex: number;
  /** POSIX seconds by the log's word; null where it states none. */
  readonly integratedTime: number | null;
}

/**
 * Verifies a receipt of a transparency log: the anchor key has signed the checkpoint, and a log that is trusted has that
 * very signature. A line of a local log is as good as the storage that it lies on, and is told apart by `backend`.
 *
 * @param receipt JSON text
 * @param declaration the node's signed declaration, where trust is in nodes
 * @throws TypeError if `trust` is malformed
 */
export function verifyAnchor(
  receipt: string,
  trust: TrustOptions,
  declaration: string | null = null,
): Result<VerifiedAnchor, Refusal<'anchor_malformed' | 'anchor_invalid'>> {
  const read = readReceipt(receipt);
  const note = read === undefined ? undefined : parseNote(read.checkpoint);
  const checkpoint = note?.ok === true ? parseCheckpoint(note.value.text) : undefined;
  if (read === undefined || checkpoint?.ok !== true) return refusal('anchor_malformed', 'expected an anchor receipt');
  const { origin, size, root } = checkpoint.value;
  const trusted = trustOf(trust);
  const keys = anchorKeysOf(origin, trusted, declaration);
  const judged = judgeReceipt(read, origin, keys, trusted.anchors?.logs ?? []);
  if (!judged.ok) return refusal('anchor_invalid', `the anchor does not verify (${judged.error})`);
  return ok({ origin, size, root: encodeBase64(root), ...provenAnchor(read, judged.value) });
}

function readReceipt(text: string): AnchorReceipt | undefined {
  if (text.length > MAX_ANCHOR_RECEIPT_CHARS) return undefined;
  try {
    const read = readAnchorReceipt(JSON.parse(text));
    return read.ok ? read.value : undefined;
  } catch {
    return undefined;
  }
}
