/** What a reader is given where a fact was: that its author, whose log it is, has had it erased. */
import { MAX_TREE_SIZE } from '../core/limits.ts';
import { err, type Result } from '../core/result.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { MAX_FACT_BUNDLE_BYTES } from './fact-bundle.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { base64, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

export const ERASURE_PROOF_KIND = 'stigmem-erasure-proof/v1';
const MAX_PATH_HASHES = Math.ceil(Math.log2(MAX_TREE_SIZE));
/** The bundle in it, escaped once more, and the path. */
const MAX_BYTES = 2 * MAX_FACT_BUNDLE_BYTES;

/** Nothing of it is verified by reading it. */
export interface ErasureProof {
  readonly kind: typeof ERASURE_PROOF_KIND;
  /** Inclusion path of the erased leaf in the tree of the tombstone's checkpoint, leaf to root, base64. */
  readonly path: readonly string[];
  /** Fact bundle of the tombstone, which names leaf, index and place. */
  readonly tombstone: string;
}

const ERASURE_PROOF: Shape<ErasureProof> = object<ErasureProof>({
  kind: literal(ERASURE_PROOF_KIND),
  path: list(base64(HASH_BYTES), MAX_PATH_HASHES),
  tombstone: text(MAX_FACT_BUNDLE_BYTES),
});

/** @throws TypeError when it is not one that {@link decodeErasureProof} takes */
export function encodeErasureProof(proof: Omit<ErasureProof, 'kind'>): string {
  return Buffer.from(encodeMessage(ERASURE_PROOF, { ...proof, kind: ERASURE_PROOF_KIND })).toString('utf8');
}

/** Pure and total; one text per proof. */
export function decodeErasureProof(proof: string | Uint8Array): Result<ErasureProof, Malformed> {
  // Bytes of a text are no fewer than its units: what is too long is not copied.
  if (proof.length > MAX_BYTES)
    return err({ at: '', expected: `at most ${MAX_BYTES} bytes`, got: `${proof.length} or more` });
  return decodeMessage(typeof proof === 'string' ? Buffer.from(proof) : proof, ERASURE_PROOF, MAX_BYTES);
}
