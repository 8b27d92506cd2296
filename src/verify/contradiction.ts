/** Two signed heads of one log that no honest log can have signed. Pure: what a third party needs to judge is all there. */
import { canonicalJson } from '../core/canonical-json.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { checkShownConsistency } from '../merkle/consistency.ts';
import { sameHash } from '../merkle/hash.ts';

export type ContradictionReason = 'checkpoint_split_view' | 'consistency_proof_invalid';

/** The log that is judged, with the key that this node has pinned for it. */
export interface JudgedLog {
  readonly nodeId: string;
  readonly origin: string;
  /** Raw Ed25519 key. */
  readonly key: Uint8Array;
}

/** What is held against a log: two of its notes, the smaller first, and a path between them. */
export interface HeadPair {
  readonly notes: readonly [string, string];
  /**
   * From the smaller to the larger; null when both have one size. Where the smaller size is a power of two, RFC 9162 leaves
   * its root out, and a path of another tree leads nowhere: such a path may start with the hash that stands in that place.
   */
  readonly path: readonly Uint8Array[] | null;
}

/**
 * `contradiction`: the log signed both, and they cannot both be true. `consistent`: the larger extends the smaller.
 * `no_proof`: a note is not the log's, or the path leads nowhere: whoever shows it may have garbled it.
 */
export type PairVerdict =
  | { readonly kind: 'contradiction'; readonly reason: ContradictionReason }
  | { readonly kind: 'consistent' }
  | { readonly kind: 'no_proof' };

/** Pure and total. */
export function judgePair({ notes, path }: HeadPair, log: JudgedLog): PairVerdict {
  const [smaller, larger] = notes.map((note) => openCheckpoint(note, log));
  if (!smaller?.ok || !larger?.ok || smaller.value.size > larger.value.size) return { kind: 'no_proof' };
  const { size, root } = larger.value;
  if (smaller.value.size === size) {
    // Two signed roots for one size: nothing else is needed to show it.
    return sameHash(smaller.value.root, root)
      ? { kind: 'consistent' }
      : { kind: 'contradiction', reason: 'checkpoint_split_view' };
  }
  const verdict = checkShownConsistency(smaller.value.size, smaller.value.root, size, root, path ?? []);
  if (verdict === 'ok') return { kind: 'consistent' };
  // The path leads to the signed larger root: it shows what the smaller tree was, and that is not what was signed.
  return verdict === 'old_root_mismatch'
    ? { kind: 'contradiction', reason: 'consistency_proof_invalid' }
    : { kind: 'no_proof' };
}

/**
 * The evidence text of a contradiction: canonical JSON.
 *
 * @param seenFrom node id of who showed the second head
 */
export function pairEvidence(pair: HeadPair, log: JudgedLog, reason: ContradictionReason, seenFrom: string): string {
  return canonicalJson({
    class: 'contradiction',
    event: 'federation_integrity_rejected',
    kind: 'checkpoints',
    notes: [...pair.notes],
    path: pair.path === null || reason === 'checkpoint_split_view' ? null : pair.path.map(encodeBase64),
    peer: { log_key: encodeBase64(log.key), node_id: log.nodeId, origin: log.origin },
    reason,
    seen_from: seenFrom,
    v: 1,
  });
}

/** Puts two heads into the order of {@link HeadPair}; one size keeps the order given. */
export function pairOf(
  one: { readonly size: number; readonly note: string },
  other: { readonly size: number; readonly note: string },
): HeadPair['notes'] {
  return one.size <= other.size ? [one.note, other.note] : [other.note, one.note];
}
