/** Members of the API's answers that pages show. The API's own schemas stand in `admin/api/`. */

import type { ExplainedSetting } from '../../config/effective.ts';
import type { Proposal } from '../../core/approval.ts';
import type { CaseState } from '../../core/case-state.ts';
import type { OnboardingView } from '../../core/onboarding.ts';
import type { PeerStatus } from '../../core/peer-status.ts';
import type { ReviewStatus } from '../../core/review.ts';
import type { Severity } from '../../core/severity.ts';
import type { ErasureView } from '../../journal/erasure-views.ts';
import type { AuditEntry } from '../api/audit-entry.ts';
import type { ShownCase } from '../api/case-schemas.ts';

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

export interface Erasures {
  readonly tombstones: readonly ErasureView[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

export interface ErasureFile extends ErasureView {
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

export interface Recalled {
  readonly facts: readonly { readonly fact: Fact }[];
}

export interface Configuration {
  readonly settings: readonly ExplainedSetting[];
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
