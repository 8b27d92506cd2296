/** Judges a fact bundle as a reader can who believes nobody but the keys that it was given. Pure and total. */
import { chainHash, eventHashOfText } from '../core/chain.ts';
import { cidOfText } from '../core/cid.ts';
import { decodeEntry, type Entry } from '../core/entry.ts';
import { err, ok, type Result } from '../core/result.ts';
import {
  type AnchorFault,
  type AnchorReceipt,
  type CheckedAnchor,
  checkAnchorReceipt,
  readAnchorReceipt,
} from '../merkle/anchor-receipt.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { sameHash } from '../merkle/hash.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { parseTlogProof } from '../merkle/tlog-proof.ts';
import type { TrustedLog } from '../merkle/trusted-root.ts';
import type { VerifierKey } from '../merkle/verifier-key.ts';
import { decodeFactBundle, type FactBundle } from '../wire/fact-bundle.ts';
import {
  anchorKeysOf,
  type ProvenAnchor,
  type ProvenCheckpoint,
  type ReaderTrust,
  type Refusal,
  refusal,
  type TrustRefusal,
  verifyCheckpointNote,
} from './reader-trust.ts';

export type FactRefusal =
  | TrustRefusal
  | 'bundle_malformed'
  | 'proof_malformed'
  | 'inclusion_proof_invalid'
  | 'entry_malformed'
  | 'index_mismatch'
  | 'cid_mismatch'
  | 'event_hash_mismatch'
  | 'chain_hash_mismatch'
  | 'anchor_missing'
  | 'anchor_invalid';

/** What was proven. */
export interface ProvenFact {
  readonly fact: Entry;
  /** 0-based position in the journal. */
  readonly index: number;
  readonly checkpoint: ProvenCheckpoint;
  readonly anchors: readonly ProvenAnchor[];
}

/**
 * Verifies a bundle: the checkpoint against what is trusted, the leaf of salt and entry in its tree, the entry's own
 * hashes, and the anchors where some are asked for. O(log of the journal).
 */
export function judgeFactBundle(
  text: string | Uint8Array,
  trust: ReaderTrust,
): Result<ProvenFact, Refusal<FactRefusal>> {
  const bundle = decodeFactBundle(text);
  if (!bundle.ok) {
    const { at, expected, got } = bundle.error;
    return refusal('bundle_malformed', `at "${at}": expected ${expected}, got ${got}`);
  }
  const proof = parseTlogProof(bundle.value.proof);
  if (!proof.ok) return refusal('proof_malformed', 'the proof is no C2SP tlog-proof');
  const checkpoint = verifyCheckpointNote(proof.value.checkpoint, trust, bundle.value.declaration);
  if (!checkpoint.ok) return checkpoint;

  const { index, path } = proof.value;
  const { root, size } = checkpoint.value;
  const salt = decodeBase64(bundle.value.salt) ?? Buffer.alloc(0);
  const leaf = entryLeafHash(salt, bundle.value.entry);
  const included = checkInclusion(leaf, index, path, root, size);
  if (included !== 'ok') {
    return refusal('inclusion_proof_invalid', `the entry is not leaf ${index} of the tree of ${size} (${included})`);
  }
  const fact = judgeEntry(bundle.value.entry, index);
  if (!fact.ok) return fact;
  const anchors = judgeAnchors(bundle.value, trust, checkpoint.value);
  return anchors.ok ? ok({ fact: fact.value, index, checkpoint: checkpoint.value, anchors: anchors.value }) : anchors;
}

/** The entry's own hashes: whoever signed the tree may have put anything into it. */
function judgeEntry(text: string, index: number): Result<Entry, Refusal<FactRefusal>> {
  const decoded = decodeEntry(Buffer.from(text));
  if (!decoded.ok) return refusal('entry_malformed', `the entry is not one (${decoded.error.code})`);
  const entry = decoded.value;
  if (entry.chain_seq !== index + 1) {
    return refusal('index_mismatch', `entry ${entry.chain_seq} stands at leaf ${index} of the tree`);
  }
  const cid = cidOfText(entry.confidence, entry);
  if (cid !== entry.cid) return refusal('cid_mismatch', `the entry says ${entry.cid}, its body gives ${cid}`);
  const event = eventHashOfText(entry.confidence, entry);
  if (event !== entry.event_hash) return refusal('event_hash_mismatch', `the entry's members give ${event}`);
  const chain = chainHash(entry);
  return chain === entry.chain_hash ? ok(entry) : refusal('chain_hash_mismatch', `the entry's members give ${chain}`);
}

/** Where anchors are asked for, one by a trusted log has to be there, and all of such logs have to hold. */
function judgeAnchors(
  { anchors, declaration }: FactBundle,
  trust: ReaderTrust,
  checkpoint: ProvenCheckpoint,
): Result<readonly ProvenAnchor[], Refusal<FactRefusal>> {
  if (trust.anchors === null) return ok([]);
  const { logs } = trust.anchors;
  const keys = anchorKeysOf(checkpoint.origin, trust, declaration);
  const proven: ProvenAnchor[] = [];
  for (const value of anchors) {
    const receipt = readAnchorReceipt(value);
    if (!receipt.ok) return refusal('anchor_invalid', 'an anchor is no receipt');
    // A line on the node's own disk is nobody else's word.
    if (receipt.value.backend === 'local') continue;
    const anchor = judgeReceipt(receipt.value, checkpoint.origin, keys, logs);
    if (!anchor.ok) return refusal('anchor_invalid', `an anchor does not verify (${anchor.error})`);
    const isOfThis = anchor.value.treeSize === checkpoint.size && sameHash(anchor.value.root, checkpoint.root);
    if (!isOfThis) return refusal('anchor_invalid', 'an anchor is of another checkpoint');
    proven.push(provenAnchor(receipt.value, anchor.value));
  }
  return proven.length > 0
    ? ok(proven)
    : refusal('anchor_missing', 'no anchor by a log is there, and one is asked for');
}

/** Checks a receipt against each key that may have signed it; the first one that fits decides. */
export function judgeReceipt(
  receipt: AnchorReceipt,
  origin: string,
  keys: readonly VerifierKey[],
  logs: readonly TrustedLog[],
): Result<CheckedAnchor, AnchorFault | 'anchor_key_unknown'> {
  let fault: AnchorFault | 'anchor_key_unknown' = 'anchor_key_unknown';
  for (const { publicKey } of keys) {
    const checked = checkAnchorReceipt(receipt, { origin, anchorKey: publicKey, logs });
    if (checked.ok) return checked;
    fault = checked.error;
  }
  return err(fault);
}

/** What a caller learns of an anchor. */
export function provenAnchor({ log_id: logId }: AnchorReceipt, checked: CheckedAnchor): ProvenAnchor {
  const { backend, logIndex, integratedTime } = checked;
  return { backend, logId, logIndex, integratedTime };
}
