/** L3: a row is checked against its CID, its leaf and its feed each time it is read, whoever asks. */

import { computeCid } from '../core/cid.ts';
import { type Entry, encodeEntry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { entryLeafHash, SALT_BYTES } from '../merkle/commitment.ts';
import { sameHash } from '../merkle/hash.ts';
import { entryOf, hashText } from './entry-row.ts';
import { erasedLeafData, isErased, isWhollyErased } from './erased-row.ts';
import { locate } from './locator.ts';
import type { CorruptFact } from './read-model.ts';
import type { EntryRow } from './tables-logs.ts';

export type CheckedRow =
  | { readonly ok: true; readonly entry: Entry; readonly text: string }
  | { readonly ok: false; readonly kind: 'corrupt'; readonly corrupt: CorruptFact }
  | ErasedFact;

/** A row whose body was erased; the tree has its leaf as before. */
export interface ErasedFact {
  readonly ok: false;
  readonly kind: 'erased';
  readonly chainSeq: number;
  readonly leafHash: Uint8Array;
  /** Whether it was asserted at this node. */
  readonly isOwn: boolean;
}

/** What the journal holds about a row outside of it. */
export interface RowSurroundings {
  /** Its leaf as a full tile has it, 32 bytes; undefined while the tile grows. */
  readonly treeLeaf: Uint8Array | undefined;
  /** Name of the feed that `feed_id` stands for; undefined if there is none. */
  readonly feed: string | undefined;
}

/**
 * Rebuilds the entry of `row` and compares its CID, its leaf and its feed with what is stored. The feed is not part of the
 * entry: without this check, another `feed_id` would have a fact served under a grant that does not cover it. Total: no
 * stored value makes it throw. Some 5 µs for a fact of usual size.
 */
export function checkRow(row: EntryRow, around: RowSurroundings): CheckedRow {
  if (isErased(row)) return checkErased(row, around);
  const entry = entryOf(row);
  const text = encodeEntry(entry);
  const cid = computeCid({ ...entry, confidence: row.confidence });
  const leaf = leafOf(row, text);
  const leafHolds =
    leaf !== undefined &&
    sameHash(leaf, row.leaf_hash) &&
    (around.treeLeaf === undefined || sameHash(leaf, around.treeLeaf));
  if (cid === entry.cid && leafHolds && isInFeed(entry, around.feed)) return { ok: true, entry, text };
  return { ok: false, kind: 'corrupt', corrupt: describe(row, entry, cid, leaf) };
}

/** By the commitment that was left, its leaf has to be the one in the tree, and nothing else may be in the row. */
function checkErased(row: EntryRow, { treeLeaf }: RowSurroundings): CheckedRow {
  const data = erasedLeafData(row);
  const holds = data !== undefined && (treeLeaf === undefined || sameHash(row.leaf_hash, treeLeaf));
  const isOwn = row.origin_node_id === null;
  if (holds && isWhollyErased(row))
    return { ok: false, kind: 'erased', chainSeq: row.chain_seq, leafHash: row.leaf_hash, isOwn };
  const leaf = data === undefined ? undefined : row.leaf_hash;
  const corrupt = describe(row, entryOf(row), hashText(row.cid), leaf);
  return { ok: false, kind: 'corrupt', corrupt };
}

/** The leaf that salt and entry make; undefined if the salt is none. */
export function leafOf(row: Pick<EntryRow, 'salt'>, text: string): Buffer | undefined {
  return row.salt.length === SALT_BYTES ? entryLeafHash(row.salt, text) : undefined;
}

/** True if an entry's own members put it into the feed of that name. */
export function isInFeed(entry: Entry, feed: string | undefined): boolean {
  const name = feedNameOf(entry);
  return name.ok && name.value === feed;
}

function describe(row: EntryRow, entry: Entry, cid: string, leaf: Uint8Array | undefined): CorruptFact {
  const code = cid === entry.cid ? 'leaf_mismatch' : 'cid_mismatch';
  const located = locate('entries', row);
  const isOne = located !== undefined && located !== 'several';
  return {
    chainSeq: row.chain_seq,
    factId: row.fact_id,
    code,
    computedCid: cid,
    storedCid: entry.cid,
    difference: {
      field: isOne ? located : code === 'cid_mismatch' ? 'cid' : 'leaf_hash',
      claimed: hashText(row.leaf_hash),
      computed: leaf === undefined ? null : hashText(leaf),
    },
  };
}
