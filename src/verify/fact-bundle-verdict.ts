/** Judges a fact bundle as a reader can who believes nobody but the keys that it was given. Pure and total. */
import { chainHash, eventHashOfText } from '../core/chain.ts';
import { cidOfText } from '../core/cid.ts';
import { decodeEntry, type Entry } from '../core/entry.ts';
import { ok, type Result } from '../core/result.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { parseTlogProof } from '../merkle/tlog-proof.ts';
import { decodeFactBundle, type FactBundle } from '../wire/fact-bundle.ts';
import {
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

/** With a judge, at least one anchor has to be there, and all that are there have to hold. */
function judgeAnchors(
  { anchors }: FactBundle,
  trust: ReaderTrust,
  checkpoint: ProvenCheckpoint,
): Result<readonly ProvenAnchor[], Refusal<FactRefusal>> {
  if (trust.anchors === null) return ok([]);
  const proven: ProvenAnchor[] = [];
  for (const receipt of anchors) {
    const judged = trust.anchors(receipt, checkpoint.note);
    if (!judged.ok) return refusal('anchor_invalid', judged.error);
    proven.push(judged.value);
  }
  return proven.length > 0
    ? ok(proven)
    : refusal('anchor_missing', 'the bundle carries no anchor, and one is asked for');
}
