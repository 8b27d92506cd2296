/** Proofs, true or not, that an entry in the log of an HonestPeer was erased. */
import { encodeTombstone, factDigest, TOMBSTONE, type Tombstone, tombstoneEntity } from '../../src/core/tombstone.ts';
import type { EntryLie, FactDraft } from '../../src/drill/entry-draft.ts';
import type { StoredEntry } from '../../src/drill/peer-log.ts';
import { hashText } from '../../src/journal/entry-row.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { formatTlogProof } from '../../src/merkle/tlog-proof.ts';
import type { ReaderTrust } from '../../src/verify/reader-trust.ts';
import { type ErasureProof, encodeErasureProof } from '../../src/wire/erasure-proof.ts';
import { encodeFactBundle, FACT_BUNDLE_KIND, type FactBundle } from '../../src/wire/fact-bundle.ts';
import type { HonestPeer } from './honest-peer.ts';

/** Trust in the log keys of these. */
export function trustIn(...peers: readonly HonestPeer[]): ReaderTrust {
  const logs = peers.map(({ origin, signer }) => ({ origin, key: signer.publicKey }));
  return { logs, nodes: [], policy: null, anchors: null };
}

export function factBundle(peer: HonestPeer, stored: StoredEntry, told: Partial<FactBundle> = {}): string {
  const { bytes, index, salt } = stored;
  return encodeFactBundle({
    anchors: [],
    declaration: 'none: the key of the log is trusted',
    entry: Buffer.from(bytes).toString('utf8'),
    kind: FACT_BUNDLE_KIND,
    origin: null,
    proof: formatTlogProof({ index, path: peer.inclusion(index), checkpoint: peer.checkpoint() }),
    salt: encodeBase64(salt),
    ...told,
  });
}

export function erasureProof(
  peer: HonestPeer,
  { index }: Pick<StoredEntry, 'index'>,
  tombstone: StoredEntry,
  told: Partial<ErasureProof> = {},
): string {
  const path = peer.inclusion(index).map(encodeBase64);
  return encodeErasureProof({ path, tombstone: factBundle(peer, tombstone), ...told });
}

/** What the tombstone of an entry says. */
export function saidOf({ entry, feedSeq, index, leaf }: StoredEntry): Tombstone {
  const fact = hashText(factDigest(entry.fact_id));
  return { fact, feed_seq: feedSeq, leaf_hash: hashText(leaf), leaf_index: index };
}

/** Appends a tombstone of an entry that says something else, or is something else. */
export function buryWith(
  peer: HonestPeer,
  buried: StoredEntry,
  { said = {}, draft = {}, lie = {} }: { said?: Partial<Tombstone>; draft?: FactDraft; lie?: EntryLie },
): StoredEntry {
  const tombstone = { ...saidOf(buried), ...said };
  const entry: FactDraft = {
    entity: tombstoneEntity(peer.nodeId, tombstone.leaf_index),
    relation: TOMBSTONE,
    source: peer.nodeId,
    scope: buried.entry.scope,
    value_type: 'text',
    value_v: encodeTombstone(tombstone),
    confidence: 1,
    ...draft,
  };
  return peer.append(entry, lie);
}
