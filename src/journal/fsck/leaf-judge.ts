/** Whose leaf goes into the tree that is grown again: one changed row must not make every root after it look wrong. */
import { encodeBase64 } from '../../merkle/base64.ts';
import { HASH_BYTES, sameHash } from '../../merkle/hash.ts';
import { hashText } from '../entry-row.ts';
import type { Fault } from './context.ts';
import type { LogTree } from './log-tree.ts';

export interface JudgedLeaf {
  /** For the tree. */
  readonly leaf: Uint8Array;
  readonly fault: Fault | undefined;
}

interface LeafOfRow {
  readonly seq: number;
  readonly stored: Uint8Array;
  /** What the row gives; undefined: it has none that could be computed. */
  readonly computed: Uint8Array | undefined;
  /** Column that was changed, by the sums of the row. */
  readonly changed: string | undefined;
  /** What the leaf is computed of, for people: `salt and columns`. */
  readonly made: string;
}

export function judgeLeaf(tree: LogTree, { seq, stored, computed, changed, made }: LeafOfRow): JudgedLeaf {
  const vouched = vouchedInstead(tree, seq, stored);
  const leaf = vouched ?? stored;
  if (computed !== undefined && sameHash(computed, stored)) {
    return { leaf, fault: vouched === undefined ? undefined : elsewhere(vouched) };
  }
  const isStoredWrong = (computed !== undefined && changed === 'leaf_hash') || leaf.length !== HASH_BYTES;
  const gives = computed === undefined ? 'no leaf' : hashText(computed);
  return {
    leaf: isStoredWrong ? (computed ?? new Uint8Array(HASH_BYTES)) : leaf,
    fault: { code: 'leaf_mismatch', field: 'leaf_hash', detail: `${made} give ${gives}` },
  };
}

/** The leaf that the tree has in place of the one that is stored; undefined: the same, or none that is vouched for. */
export function vouchedInstead(tree: LogTree, seq: number, stored: Uint8Array): Uint8Array | undefined {
  return tree.isElsewhere(seq, stored) ? tree.vouchedLeaf(seq) : undefined;
}

export function elsewhere(vouched: Uint8Array): Fault {
  const detail = `the tree has leaf ${encodeBase64(vouched)} here: the row was rewritten with all its hashes`;
  return { code: 'leaf_mismatch', field: 'leaf_hash', detail };
}
