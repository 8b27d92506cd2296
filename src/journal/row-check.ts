/** L3: a row is checked against its CID and its leaf each time it is read, whoever asks. */
import { computeCid } from '../core/cid.ts';
import { type Entry, encodeEntry } from '../core/entry.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { sameHash } from '../merkle/hash.ts';
import { entryOf, hashText } from './entry-row.ts';
import { locate } from './locator.ts';
import type { CorruptFact } from './read-model.ts';
import type { EntryRow } from './tables.ts';

export type CheckedRow =
  | { readonly ok: true; readonly entry: Entry; readonly text: string }
  | { readonly ok: false; readonly corrupt: CorruptFact };

/**
 * Rebuilds the entry of `row` and compares its CID, its leaf with the row's and, where the tree has one, with
 * `treeLeaf` (32 bytes out of a tile). Some 5 µs for a fact of usual size.
 */
export function checkRow(row: EntryRow, treeLeaf: Uint8Array | undefined): CheckedRow {
  const entry = entryOf(row);
  const text = encodeEntry(entry);
  const cid = computeCid({ ...entry, confidence: row.confidence });
  const leaf = entryLeafHash(row.salt, text);
  const leafHolds = sameHash(leaf, row.leaf_hash) && (treeLeaf === undefined || sameHash(leaf, treeLeaf));
  if (cid === entry.cid && leafHolds) return { ok: true, entry, text };
  return { ok: false, corrupt: describe(row, entry, cid, leaf) };
}

function describe(row: EntryRow, entry: Entry, cid: string, leaf: Uint8Array): CorruptFact {
  const field = locate(row) ?? (cid === entry.cid ? 'leaf_hash' : 'cid');
  return {
    chainSeq: row.chain_seq,
    factId: row.fact_id,
    code: cid === entry.cid ? 'leaf_mismatch' : 'cid_mismatch',
    computedCid: cid,
    storedCid: entry.cid,
    difference: { field, claimed: hashText(row.leaf_hash), computed: hashText(leaf) },
  };
}
