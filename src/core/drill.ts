/**
 * Drills: labelled attacks through the real path of a running node. What kinds there are, what each has to come to, and how
 * the outcome is told. Pure.
 */

export const DRILL_KINDS = [
  'cid-mismatch',
  'cid-missing',
  'not-canonical',
  'chain-proof',
  'consistency-proof',
  'checkpoint-signature',
  'rollback',
  'split-view',
  'withheld-entry',
  'not-owned',
  'scope-not-granted',
  'time-future',
  'malformed-page',
  'anchor-down',
] as const;
export type DrillKind = (typeof DRILL_KINDS)[number];

export interface DrillForm {
  /** Completes "a partner that …"; of `anchor-down`: "a log that …". */
  readonly does: string;
  /** Rows of docs/threat-model.md. */
  readonly threats: readonly number[];
  /** The record that it has to end in: no other refusal counts. */
  readonly event: string;
  readonly reason: string;
  /** The evidence convicts the peer before a third party, by signed material alone. */
  readonly convicts: boolean;
}

const REFUSED = { event: 'federation_integrity_rejected', convicts: false } as const;

export const DRILLS: Readonly<Record<DrillKind, DrillForm>> = {
  'cid-mismatch': {
    ...REFUSED,
    does: 'signs facts whose CID is another body’s',
    threats: [4, 13],
    reason: 'cid_mismatch',
  },
  'cid-missing': { ...REFUSED, does: 'leaves the CID out', threats: [5], reason: 'cid_missing' },
  'not-canonical': {
    ...REFUSED,
    does: 'writes an entry with one space more',
    threats: [7],
    reason: 'entry_noncanonical',
  },
  'chain-proof': {
    ...REFUSED,
    does: 'changes facts on the way, behind their proofs of inclusion',
    threats: [4, 13],
    reason: 'inclusion_proof_invalid',
  },
  'consistency-proof': {
    ...REFUSED,
    does: 'proves its growth by a path that leads nowhere',
    threats: [12],
    reason: 'consistency_proof_invalid',
  },
  'checkpoint-signature': {
    ...REFUSED,
    does: 'signs its checkpoint with another key',
    threats: [31],
    reason: 'checkpoint_signature_invalid',
  },
  rollback: { ...REFUSED, does: 'goes back to a smaller tree', threats: [11], reason: 'checkpoint_rollback' },
  'split-view': {
    ...REFUSED,
    does: 'signs two histories of the same size',
    threats: [10],
    reason: 'checkpoint_split_view',
    convicts: true,
  },
  'withheld-entry': { ...REFUSED, does: 'leaves a fact out of a page', threats: [9], reason: 'feed_gap' },
  'not-owned': {
    does: 'writes in the name of somebody else',
    threats: [16],
    event: 'rejected_fact',
    reason: 'source_not_owned',
    convicts: false,
  },
  'scope-not-granted': {
    does: 'puts company facts into the public feed',
    threats: [15],
    event: 'scope_violation',
    reason: 'scope_not_granted',
    convicts: false,
  },
  'time-future': {
    does: 'stamps facts a century ahead',
    threats: [14],
    event: 'peer_hlc_anomaly',
    reason: 'hlc_future',
    convicts: false,
  },
  'malformed-page': { ...REFUSED, does: 'sends a page without its note', threats: [5, 34], reason: 'page_malformed' },
  'anchor-down': {
    does: 'hangs up on a checkpoint that is to be anchored',
    threats: [32],
    event: 'anchor_waits',
    reason: 'unreachable',
    convicts: false,
  },
};

/** `log-unavailable`, `cid mismatch`: what the reference wants drilled. */
export const DRILLED_BY_REFERENCE: readonly DrillKind[] = ['cid-mismatch', 'chain-proof', 'anchor-down'];
/** A detector that has neither refused nor been tried for so long may be dead. */
export const DRILL_QUIET_DAYS = 30;

export const DRILL_STARTED = 'drill_started';
export const DRILL_FINISHED = 'drill_finished';
export const DRILL_FAILED = 'drill_failed';
export const DRILL_REPORTED = 'drill_reported';

export const DRILL_FAILURES = [
  /** Nothing was refused in time. */
  'no_verdict',
  /** It was refused, and for something else. */
  'other_reason',
  /** The attack would have been taken. */
  'accepted',
  /** The evidence shows a third party nothing. */
  'not_convicted',
  /** A receiver of the audit log did not take the record in time. */
  'sink_silent',
  /** The node stopped, or was killed. */
  'interrupted',
] as const;
export type DrillFailure = (typeof DRILL_FAILURES)[number];

/** Why a drill has failed. */
export interface DrillFault {
  readonly code: DrillFailure;
  readonly message: string;
}

/** What is said of a drill that has a beginning and no end. */
export const CUT_OFF: DrillFault = {
  code: 'interrupted',
  message: 'the node ended while it ran, or could not record its end',
};

export interface DrillSink {
  readonly name: string;
  /** `filtered`: its own filter keeps the record back. */
  readonly state: 'acknowledged' | 'filtered' | 'silent';
  readonly acked_at: string | null;
}

export interface DrillOrder {
  readonly kind: DrillKind;
  readonly actor: string;
  readonly why: string;
  /** For how long its peer is let in at most. */
  readonly admittedMs: number;
}

/** A drill that was recorded, with the name of its peer. */
export interface StartedDrill {
  readonly id: string;
  readonly kind: DrillKind;
  readonly nodeId: string;
  readonly authority: string;
}

/** What a drill came to. Times are texts of the audit log. */
export interface DrillOutcome {
  readonly failure: DrillFault | null;
  readonly seen: DrillRun['seen'];
  readonly sent_at: string | null;
  readonly recorded_at: string | null;
  readonly sinks: readonly DrillSink[];
  readonly convicts: boolean | null;
}

/** One drill, as far as it is known by now. Times are texts of the audit log, by the node's own clock. */
export interface DrillRun {
  /** 32 hex digits. */
  readonly id: string;
  readonly kind: DrillKind;
  readonly state: 'running' | 'passed' | 'failed';
  /** Node id of its hostile peer, which nobody has but this drill. */
  readonly node_id: string;
  readonly started_at: string;
  readonly started_by: string;
  readonly why: string;
  readonly ended_at: string | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly expected: { readonly event: string; readonly reason: string };
  readonly seen: { readonly event: string; readonly reason: string; readonly audit_seq: number } | null;
  /** The lie left the hostile peer. */
  readonly sent_at: string | null;
  /** The verdict, by its audit record. */
  readonly refused_at: string | null;
  /** The journal's thread has said that the record is durable. */
  readonly recorded_at: string | null;
  readonly sinks: readonly DrillSink[];
  /** Whether a third party is convinced by the evidence alone; null: this kind makes none that could. */
  readonly convicts: boolean | null;
  /** The first person who did something about its case. */
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly case_id: number | null;
}

/** What a node knows of one kind. */
export interface DrillKindStatus extends DrillForm {
  readonly kind: DrillKind;
  readonly last_run_at: string | null;
  readonly last_state: DrillRun['state'] | null;
  readonly last_passed_at: string | null;
}

export function isDrillKind(text: string): text is DrillKind {
  return (DRILL_KINDS as readonly string[]).includes(text);
}

/** Authority of a drill's peer: no name of the DNS can end so (RFC 6761). */
export function drillAuthority(id: string): string {
  return `drill-${id}.invalid`;
}

/** No partner may be called so: records about him could be taken for those of a drill. */
export function isDrillAuthority(authority: string): boolean {
  return /^drill-[^/]*\.invalid(:|$)/i.test(authority);
}
