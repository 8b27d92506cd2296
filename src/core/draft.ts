/** A fact on its way into the log: what it says before the log gives it a place, and with its place. */
import { chainHash } from './chain.ts';
import type { Entry } from './entry-record.ts';

/** What an entry says before the log gives it a place. */
export type Draft = Omit<
  Entry,
  'chain_hash' | 'chain_seq' | 'created_at' | 'feed_seq' | 'previous_hash' | 'tenant_id' | 'v'
>;

/** Where an entry stands. */
export interface LogPlace {
  readonly chainSeq: number;
  readonly feedSeq: number;
  readonly createdAt: string;
  /** Chain hash of the entry before it; null for the first. */
  readonly previousHash: string | null;
}

/**
 * A peer's fact keeps what its origin said; the place it has there becomes its origin here, unless the peer only relays it. Written out member by member:
 * this runs for each fact.
 *
 * @param leafHash of its leaf in the peer's tree, 32 bytes
 */
export function draftReceived(entry: Entry, leafHash: Uint8Array, nodeId: string): Draft {
  return {
    attestation: entry.attestation,
    cid: entry.cid,
    confidence: entry.confidence,
    derived_from: entry.derived_from,
    entity: entry.entity,
    event_hash: entry.event_hash,
    fact_id: entry.fact_id,
    garden_id: entry.garden_id,
    hlc: entry.hlc,
    interpret_as: entry.interpret_as,
    origin: entry.origin ?? {
      chain_seq: entry.chain_seq,
      leaf_hash: Buffer.from(leafHash).toString('base64'),
      node_id: nodeId,
    },
    received_from: nodeId,
    relation: entry.relation,
    scope: entry.scope,
    source: entry.source,
    timestamp: entry.timestamp,
    valid_until: entry.valid_until,
    value_type: entry.value_type,
    value_v: entry.value_v,
  };
}

/** The entry that a draft becomes at a place. */
export function placeDraft(draft: Draft, { chainSeq, feedSeq, createdAt, previousHash }: LogPlace): Entry {
  const link = {
    chain_seq: chainSeq,
    created_at: createdAt,
    event_hash: draft.event_hash,
    fact_id: draft.fact_id,
    previous_hash: previousHash,
    tenant_id: 'default' as const,
  };
  return { ...draft, ...link, chain_hash: chainHash(link), feed_seq: feedSeq, v: 1 };
}
