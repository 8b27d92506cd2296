/** Members of the API's answers that pages show. The API's own schemas stand in `admin/api/`. */

import type { ExplainedSetting } from '../../config/effective.ts';
import type { Proposal } from '../../core/approval.ts';
import type { CaseState } from '../../core/case-state.ts';
import type { JournalCheck } from '../../core/journal-check.ts';
import type { KeyStatus } from '../../core/key-status.ts';
import type { OnboardingView } from '../../core/onboarding.ts';
import type { PeerStatus } from '../../core/peer-status.ts';
import type { ReviewStatus } from '../../core/review.ts';
import type { Severity } from '../../core/severity.ts';
import type { Weakening } from '../../core/weakening.ts';
import type { AuditEntry } from '../api/audit-entry.ts';
import type { ShownCase } from '../api/case-schemas.ts';
import type { RunningCheck } from '../check-desk.ts';

export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  readonly notices: readonly string[];
}

export interface WellKnown {
  readonly node_id: string;
  readonly node_url: string;
  readonly peerd: {
    readonly software: string;
    readonly version: string;
    readonly authority: string;
    readonly peer_id: string;
    readonly addresses: readonly string[];
  };
}

export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly chain_hash: string | null;
  readonly checkpoint: string;
  readonly audit: { readonly origin: string; readonly size: number; readonly checkpoint: string };
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
  readonly projection_lag: number;
}

export interface Anchors {
  readonly backends: readonly {
    readonly backend: string;
    readonly pending: number;
    readonly oldest_pending_at: string | null;
    readonly watermark: number;
    readonly last_error: string | null;
    readonly sentence: string;
  }[];
  readonly anchors: readonly {
    readonly id: number;
    readonly log: 'journal' | 'audit';
    readonly tree_size: number;
    readonly root: string;
    readonly created_at: string;
    readonly status: 'pending' | 'submitted';
    readonly receipts: readonly { readonly backend: string; readonly log_index: number }[];
  }[];
}

export interface Witness {
  readonly size: number;
  readonly cosignatures: readonly { readonly witness: string; readonly time: string | null }[];
  readonly policy: {
    readonly met: boolean;
    readonly met_size: number | null;
    readonly satisfied: readonly string[];
    readonly missing: readonly string[];
  } | null;
  readonly logs: readonly {
    readonly origin: string;
    readonly node_id: string | null;
    readonly cosigned_size: number | null;
    readonly verified_size: number | null;
    readonly seen_size: number | null;
    readonly seen_from: string | null;
    readonly unreconciled: number;
  }[];
}

export interface SigningKeys {
  readonly keys: readonly KeyStatus[];
}

export interface Peers {
  readonly peers: readonly PeerStatus[];
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

export interface AuditDetail {
  readonly record: AuditEntry;
  readonly evidence: unknown;
  readonly intact: boolean;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly class: 'human' | 'automation';
  readonly role: string | null;
  readonly permissions: readonly string[];
  readonly state: 'active' | 'expired' | 'revoked';
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export interface Fact {
  readonly id: string;
  readonly entity: string;
  readonly relation: string;
  readonly value: { readonly type: string; readonly v: unknown };
  readonly source: string;
  readonly timestamp: string;
  readonly valid_until: string | null;
  readonly confidence: number;
  readonly scope: string;
  readonly garden_id: string | null;
  readonly cid: string | null;
  readonly received_from: string | null;
  readonly contradicted: boolean;
  readonly quarantine_status: string | null;
}

export interface Facts {
  readonly facts: readonly Fact[];
  readonly total: number;
  readonly cursor: string | null;
}

/** `fact` null: its stored row is damaged. */
export interface HeldFact {
  readonly seq: number;
  readonly status: ReviewStatus;
  readonly reason: string;
  readonly fact: Fact | null;
}

export interface HeldBack {
  readonly facts: readonly HeldFact[];
  readonly before: number | null;
}

export interface Erasure {
  readonly id: number;
  readonly fact: string;
  readonly state: string;
  readonly author: string;
  readonly feed: string;
  readonly feed_seq: number;
  readonly seq: number | null;
  readonly tombstone_seq: number | null;
  readonly since: string;
  readonly due_at: string | null;
  readonly reason: string | null;
}

export interface Erasures {
  readonly tombstones: readonly Erasure[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

export interface ErasureFile extends Erasure {
  readonly steps: readonly {
    readonly step: string;
    readonly at: string;
    readonly actor: string | null;
    readonly reason: string | null;
  }[];
  readonly peers: readonly {
    readonly peer: string;
    readonly given_at: string;
    readonly told: boolean;
    readonly erased_at: string | null;
  }[];
  readonly relayed: readonly { readonly peer: string; readonly relay: string | null; readonly erased_at: string }[];
}

export interface JournalChecks {
  readonly every_hours: number | null;
  readonly running: RunningCheck | null;
  readonly last_error: string | null;
  readonly last_clean_at: string | null;
  readonly checks: readonly JournalCheck[];
}

export interface SinkState {
  readonly name: string;
  readonly kind: string;
  readonly format: string;
  readonly target: string;
  readonly lag_events: number;
  readonly attempts: number;
  readonly last_taken_at: string | null;
  readonly sentence: string;
}

export interface Sinks {
  readonly sinks: readonly SinkState[];
}

export interface Backups {
  readonly worm: {
    readonly sentence: string;
    readonly weakness: string | null;
    readonly last_error: string | null;
  } | null;
  readonly snapshots: { readonly every_hours: number; readonly verified_age_seconds: number | null } | null;
}

export interface Recalled {
  readonly facts: readonly { readonly fact: Fact }[];
}

export interface Configuration {
  readonly settings: readonly ExplainedSetting[];
}

export interface Weakenings {
  readonly weakenings: readonly Weakening[];
}

export interface Provenance {
  readonly fact_id: string;
  readonly cid: string;
  readonly derived_from: readonly { readonly hash?: string; readonly fact_id?: string }[];
  readonly received_from: string | null;
  readonly origin: { readonly node_id: string; readonly chain_seq: number; readonly leaf_hash: string } | null;
}

export interface Bundle {
  readonly entry: string;
  readonly proof: string;
  readonly salt: string;
  readonly declaration: string;
  readonly anchors: readonly { readonly backend?: unknown; readonly log_index?: unknown }[];
}

export interface FeedPreview {
  readonly feed: string;
  readonly length: number;
  readonly given: number;
  readonly acknowledged: number;
  readonly sentence: string;
}

export interface GrantPreview {
  readonly open: readonly FeedPreview[];
  readonly shut: readonly FeedPreview[];
  readonly empty: readonly { readonly sentence: string }[];
}

export interface Explanation {
  readonly fact_id: string;
  readonly feed: string | null;
  readonly feed_seq: number;
  readonly code: string;
  readonly sentence: string;
  readonly given: readonly { readonly sent_at: string; readonly after: number; readonly to: number }[];
  readonly acknowledged: boolean;
}

export interface Disclosed {
  readonly feeds: readonly {
    readonly feed: string;
    readonly entries: number;
    readonly first: number;
    readonly last: number;
    readonly first_sent_at: string;
    readonly last_sent_at: string;
    readonly grant: { readonly hash: string; readonly text: string };
  }[];
}

export interface Onboarding {
  readonly onboarding: readonly OnboardingView[];
}

export interface Proposals {
  readonly four_eyes: readonly string[];
  readonly proposals: readonly Proposal[];
  readonly has_more: boolean;
}

export interface Cases {
  readonly cases: readonly ShownCase[];
  readonly cursor: number | null;
  readonly has_more: boolean;
}

export interface CaseCounts {
  readonly counts: readonly {
    readonly state: CaseState;
    readonly severity: Severity;
    readonly count: number;
    readonly oldest_at: string;
  }[];
}

export interface CaseFile {
  readonly case: ShownCase;
  readonly timeline: {
    readonly events: readonly { readonly kind: 'seen' | 'change'; readonly record: AuditEntry }[];
    readonly has_more: boolean;
  };
  readonly proposals: readonly Proposal[];
  readonly told: {
    readonly refused: number;
    readonly resolved: number;
    readonly last_seq: number;
    readonly told_seq: number;
  } | null;
}

export interface BulkPreview {
  readonly token: string;
  readonly would_change: readonly { readonly id: number; readonly from: CaseState; readonly to: CaseState }[];
  readonly would_refuse: readonly { readonly id: number; readonly code: string }[];
}

export interface BulkDone {
  readonly changed: readonly number[];
  readonly proposed: readonly { readonly id: number; readonly proposal: number }[];
  readonly refused: readonly { readonly id: number; readonly code: string }[];
}
