/**
 * What a node decides about what a peer sends. The codes are a public contract: audit rows, metrics, the admin API
 * and tests match on them. A refusal is a value of one of these kinds, never an exception.
 */

/** Names under which refusals and other decisions are written to `federation_audit`. */
export type RefusalEvent =
  | 'federation_integrity_rejected'
  | 'scope_violation'
  | 'rejected_fact'
  | 'peer_hlc_anomaly'
  | 'federation_valid_until_extension_rejected'
  | 'quarantine_ingest';

/** Why a whole page is refused. The cursor stays where it is. */
export type PageReason =
  | 'page_malformed'
  | 'checkpoint_malformed'
  | 'checkpoint_origin_mismatch'
  | 'checkpoint_signature_invalid'
  | 'checkpoint_rollback'
  | 'checkpoint_split_view'
  | 'consistency_proof_invalid'
  | 'feed_gap'
  | 'feed_head_mismatch'
  | 'erasure_unproven'
  | 'witness_quorum_unmet'
  | 'anchor_missing'
  | 'anchor_invalid'
  | 'relay_not_permitted';

/** Why one fact is refused. The rest of its page goes on and the cursor passes it. */
export type FactReason =
  | 'entry_malformed'
  | 'entry_noncanonical'
  | 'cid_missing'
  | 'cid_malformed'
  | 'cid_mismatch'
  | 'event_hash_mismatch'
  | 'chain_hash_mismatch'
  | 'chain_link_mismatch'
  | 'inclusion_proof_invalid'
  | 'fact_rewritten'
  | 'origin_proof_invalid'
  | 'scope_not_granted'
  | 'scope_escalated'
  | 'source_not_owned'
  | 'value_too_large'
  | 'interpretation_invalid'
  | 'namespace_reserved'
  | 'hlc_future'
  | 'hlc_past'
  | 'valid_until_extended';

/** Why an accepted fact is hidden from reads until an operator promotes it. */
export type QuarantineReason = 'instruction_inbound';

export type Reason = PageReason | FactReason | QuarantineReason;

/** What a refused page costs its peer. A new reason does not compile until it has a line here. */
export const PENALTY: Readonly<Record<PageReason, 'backoff' | 'suspended'>> = {
  page_malformed: 'backoff',
  checkpoint_malformed: 'backoff',
  checkpoint_origin_mismatch: 'backoff',
  checkpoint_signature_invalid: 'backoff',
  checkpoint_rollback: 'suspended',
  checkpoint_split_view: 'suspended',
  consistency_proof_invalid: 'suspended',
  feed_gap: 'suspended',
  feed_head_mismatch: 'suspended',
  erasure_unproven: 'suspended',
  witness_quorum_unmet: 'backoff',
  anchor_missing: 'backoff',
  anchor_invalid: 'backoff',
  relay_not_permitted: 'backoff',
};

export function isPageReason(reason: string): reason is PageReason {
  return Object.hasOwn(PENALTY, reason);
}

export function isFactReason(reason: string): reason is FactReason {
  return Object.hasOwn(FACT_EVENT, reason);
}

/** The event each fact-level reason is recorded under. */
export const FACT_EVENT: Readonly<Record<FactReason | QuarantineReason, RefusalEvent>> = {
  entry_malformed: 'federation_integrity_rejected',
  entry_noncanonical: 'federation_integrity_rejected',
  cid_missing: 'federation_integrity_rejected',
  cid_malformed: 'federation_integrity_rejected',
  cid_mismatch: 'federation_integrity_rejected',
  event_hash_mismatch: 'federation_integrity_rejected',
  chain_hash_mismatch: 'federation_integrity_rejected',
  chain_link_mismatch: 'federation_integrity_rejected',
  inclusion_proof_invalid: 'federation_integrity_rejected',
  fact_rewritten: 'federation_integrity_rejected',
  origin_proof_invalid: 'federation_integrity_rejected',
  scope_not_granted: 'scope_violation',
  scope_escalated: 'scope_violation',
  source_not_owned: 'rejected_fact',
  value_too_large: 'rejected_fact',
  interpretation_invalid: 'rejected_fact',
  namespace_reserved: 'rejected_fact',
  hlc_future: 'peer_hlc_anomaly',
  hlc_past: 'peer_hlc_anomaly',
  valid_until_extended: 'federation_valid_until_extension_rejected',
  instruction_inbound: 'quarantine_ingest',
};

/** The first field in which what was claimed and what was computed differ. Texts are bounded by the maker. */
export interface Difference {
  readonly field: string;
  readonly claimed: string | null;
  readonly computed: string | null;
}
