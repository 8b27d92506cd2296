/** Which entries are tombstones: readers of facts need no more of the rules than this. */
import type { Entry } from '../core/entry.ts';
import { decodeTombstone, TOMBSTONE, type Tombstone, tombstoneEntity } from '../core/tombstone.ts';

/**
 * What an entry of a node's own log says as a tombstone; null if it is none. Nobody speaks for another: author, entity and
 * source are one node, and what it names stands before it in the same feed.
 */
export function tombstoneOf(entry: Entry, nodeId: string): Tombstone | null {
  return tombstoneAt(entry, nodeId, entry);
}

/** @param at where the entry stands in the log of its author, as a relay's own entry does not say it */
export function tombstoneAt(entry: Entry, nodeId: string, at: Pick<Entry, 'chain_seq' | 'feed_seq'>): Tombstone | null {
  if (entry.relation !== TOMBSTONE || entry.source !== nodeId || entry.value_type !== 'text') return null;
  if (entry.confidence !== '1.0' || entry.interpret_as !== 'content' || entry.valid_until !== null) return null;
  if (entry.derived_from.length > 0 || entry.attestation !== null) return null;
  const said = decodeTombstone(entry.value_v);
  if (said === null || entry.entity !== tombstoneEntity(nodeId, said.leaf_index)) return null;
  return said.leaf_index < at.chain_seq - 1 && said.feed_seq < at.feed_seq ? said : null;
}
