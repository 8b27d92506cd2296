/**
 * How much a record of the audit log asks for somebody to look at it. A property of event and reason, not stored: the same record reads
 * the same everywhere. One lane for each: what is critical is found whatever else there is.
 */
import type { Reason } from './verdict.ts';

/** From the least. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A new reason does not compile until it has a line here. */
const OF_REASON: Readonly<Record<Reason, Severity>> = {
  // Two signed statements contradict each other, or something is kept from us.
  checkpoint_rollback: 'critical',
  checkpoint_split_view: 'critical',
  consistency_proof_invalid: 'critical',
  feed_gap: 'critical',
  feed_head_mismatch: 'critical',
  erasure_unproven: 'critical',
  // Somebody speaks for another, reaches beyond a grant, or changes what was said.
  anchor_invalid: 'high',
  checkpoint_origin_mismatch: 'high',
  checkpoint_signature_invalid: 'high',
  cid_missing: 'high',
  fact_rewritten: 'high',
  origin_proof_invalid: 'high',
  scope_escalated: 'high',
  scope_not_granted: 'high',
  source_not_owned: 'high',
  // Broken, or not yet what a policy asks for: a fault more often than an attack.
  anchor_missing: 'medium',
  chain_hash_mismatch: 'medium',
  chain_link_mismatch: 'medium',
  checkpoint_malformed: 'medium',
  cid_malformed: 'medium',
  cid_mismatch: 'medium',
  entry_malformed: 'medium',
  entry_noncanonical: 'medium',
  event_hash_mismatch: 'medium',
  inclusion_proof_invalid: 'medium',
  instruction_inbound: 'medium',
  namespace_reserved: 'medium',
  relay_not_permitted: 'medium',
  valid_until_extended: 'medium',
  witness_quorum_unmet: 'medium',
  hlc_future: 'low',
  hlc_past: 'low',
  interpretation_invalid: 'low',
  page_malformed: 'low',
  value_too_large: 'low',
};

/** Events that weigh something without a reason of these; all others are `info`. */
const OF_EVENT: Readonly<Record<string, Severity>> = {
  audit_record_unreadable: 'critical',
  audit_tail_lost: 'critical',
  journal_check_failed: 'critical',
  journal_corrupt: 'critical',
  journal_verification_failed: 'critical',
  own_history_forked: 'critical',
  anchor_refused: 'high',
  drill_failed: 'high',
  export_gap: 'high',
  fact_mutation_attempted: 'high',
  key_expired: 'high',
  mass_deletion: 'high',
  peer_declaration_refused: 'high',
  peer_suspended: 'high',
  peer_words_differ: 'high',
  snapshot_failed: 'high',
  worm_export_refused: 'high',
  worm_export_resumed: 'high',
  refusal_budget_reached: 'high',
  tombstone_refused: 'high',
  anchor_waits: 'medium',
  checkpoint_unreconciled: 'medium',
  configuration_weakened: 'medium',
  invite_refused: 'medium',
  journal_check_stopped: 'medium',
  key_expiring: 'medium',
  peer_key_succession: 'medium',
  peer_log_key_waits: 'medium',
  peer_key_trusted: 'medium',
  refusals_summarized: 'medium',
  tee_report_failed: 'medium',
  restored: 'medium',
  connection_refused: 'low',
  console_sign_in_refused: 'low',
  peer_circuit_opened: 'low',
};

/** Of event and reason the one that weighs more. Total: what is not known is `info`. */
export function severityOf(event: string, reason: string | null): Severity {
  const ofEvent = rank(own(OF_EVENT, event));
  const ofReason = rank(reason === null ? undefined : own(OF_REASON, reason));
  return SEVERITIES[Math.max(ofEvent, ofReason)] ?? 'info';
}

/** Events and reasons that make a record at least so severe. */
export function atLeast(severity: Severity): {
  readonly events: readonly string[];
  readonly reasons: readonly string[];
} {
  const least = rank(severity);
  const names = (table: Readonly<Record<string, Severity>>): string[] =>
    Object.keys(table).filter((name) => rank(table[name]) >= least);
  return { events: names(OF_EVENT), reasons: names(OF_REASON) };
}

function own(table: Readonly<Record<string, Severity>>, name: string): Severity | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function rank(severity: Severity | undefined): number {
  return severity === undefined ? 0 : SEVERITIES.indexOf(severity);
}
