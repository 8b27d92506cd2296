/** Tombstones in the log of an HonestPeer, and pages of it with the hole that they leave, true or not. */
import { encodeTombstone, factDigest, TOMBSTONE, tombstoneEntity } from '../../src/core/tombstone.ts';
import type { StoredEntry } from '../../src/drill/peer-log.ts';
import { hashText } from '../../src/journal/entry-row.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { type ErasedEntry, encodeErasedEntry } from '../../src/wire/erased-entry.ts';
import type { PageContent } from '../../src/wire/page.ts';
import type { HonestPeer } from './honest-peer.ts';

/** Appends the tombstone of an entry. */
export function bury(peer: HonestPeer, { entry, feedSeq, index, leaf }: StoredEntry): StoredEntry {
  const { nodeId } = peer;
  const said = {
    fact: hashText(factDigest(entry.fact_id)),
    feed_seq: feedSeq,
    leaf_hash: hashText(leaf),
    leaf_index: index,
  };
  return peer.append({
    entity: tombstoneEntity(nodeId, index),
    relation: TOMBSTONE,
    source: nodeId,
    scope: entry.scope,
    garden_id: entry.garden_id,
    value_type: 'text',
    value_v: encodeTombstone(said),
    confidence: 1,
  });
}

/** The entry at a place of the page gives way to what says that it was erased; the newest tombstone unless told otherwise. */
export function withHole(
  peer: HonestPeer,
  place: number,
  told: Partial<ErasedEntry> = {},
): (content: PageContent) => PageContent {
  return (content) => {
    const tombstone = peer.entries.findLast(({ entry }) => entry.relation === TOMBSTONE) ?? peer.entries.at(-1);
    if (tombstone === undefined) throw new Error('an empty log');
    const size = Number(content.checkpoint.split('\n')[1]);
    const bytes = encodeErasedEntry({
      path: peer.inclusion(tombstone.index, size).map(encodeBase64),
      salt: encodeBase64(tombstone.salt),
      tombstone: Buffer.from(tombstone.bytes).toString('utf8'),
      ...told,
    });
    const entries = content.entries.map((one, i) => {
      const leaf = peer.entries.find(({ index }) => index === one.index)?.leaf;
      return i === place && leaf !== undefined ? { index: one.index, salt: leaf, bytes } : one;
    });
    return { ...content, entries };
  };
}
