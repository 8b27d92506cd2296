/** Judges the proof that a fact was erased as a reader can who believes nobody but the keys that it was given. Pure and total. */
import { feedNameOf } from '../core/feed-name.ts';
import { nodeIdOf } from '../core/node-id.ts';
import { ok, type Result } from '../core/result.ts';
import type { Tombstone } from '../core/tombstone.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { decodeErasureProof } from '../wire/erasure-proof.ts';
import { type FactRefusal, judgeFactBundle, type ProvenFact } from './fact-bundle-verdict.ts';
import { type ReaderTrust, type Refusal, refusal } from './reader-trust.ts';
import { tombstoneOf } from './tombstone-entry.ts';

/** `erasure_malformed`: no proof at all. `erasure_unproven`: the tombstone is none of the log's node, or names no leaf of its tree. */
export type ErasureRefusal = FactRefusal | 'erasure_malformed' | 'erasure_unproven';

/** What a tombstone in the log of its author says. */
export interface ProvenTombstone {
  readonly said: Tombstone;
  /** The feed of the tombstone, and of the fact that it names. */
  readonly feed: string;
  readonly tombstone: ProvenFact;
}

/**
 * What a proven fact says as a tombstone of the node whose log it is proven in; null if it is none: an ordinary fact, one that was
 * received, or one that names another node.
 */
export function provenTombstone(tombstone: ProvenFact): ProvenTombstone | null {
  const { fact, checkpoint } = tombstone;
  const owner = checkpoint.owner ?? ownerByName(checkpoint.origin);
  const said = fact.origin === null && owner !== null ? tombstoneOf(fact, owner) : null;
  const feed = feedNameOf(fact);
  return said === null || !feed.ok ? null : { said, feed: feed.value, tombstone };
}

/** A log is named behind the authority of its node: where its key was given by hand, nothing else says whose it is. */
function ownerByName(origin: string): string | null {
  const named = nodeIdOf(origin.split('/', 1)[0] ?? '');
  return named.ok ? named.value : null;
}

/**
 * Verifies that a fact was erased: its author's tombstone is in the author's log, by the rules of any fact, and the leaf that it names
 * is in the same tree at the index that it names. What is left to the caller is the place: which hole it fills.
 */
export function judgeErasureProof(
  text: string | Uint8Array,
  trust: ReaderTrust,
): Result<ProvenTombstone, Refusal<ErasureRefusal>> {
  const proof = decodeErasureProof(text);
  if (!proof.ok) {
    const { at, expected, got } = proof.error;
    return refusal('erasure_malformed', `at "${at}": expected ${expected}, got ${got}`);
  }
  const bundle = judgeFactBundle(proof.value.tombstone, trust);
  if (!bundle.ok) return bundle;
  const proven = provenTombstone(bundle.value);
  if (proven === null) {
    const { fact_id, relation } = bundle.value.fact;
    return refusal('erasure_unproven', `fact ${fact_id} (${relation}) is no tombstone of the node whose log it is in`);
  }
  const { leaf_hash, leaf_index } = proven.said;
  const path = proof.value.path.flatMap((hash) => decodeBase64(hash) ?? []);
  const { root, size } = bundle.value.checkpoint;
  const leaf = Buffer.from(leaf_hash.slice('sha256:'.length), 'hex');
  const included = checkInclusion(leaf, leaf_index, path, root, size);
  if (included === 'ok') return ok(proven);
  return refusal(
    'erasure_unproven',
    `what the tombstone names is not leaf ${leaf_index} of the tree of ${size} (${included})`,
  );
}
