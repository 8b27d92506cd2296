/** Answers of the API as commands read them. The API's own schemas stand in `admin/`; these are the members shown here. */

import type { DrillKindStatus, DrillRun } from '../core/drill.ts';
import type { JournalCheck } from '../core/journal-check.ts';
import type { KeyStatus } from '../core/key-status.ts';
import type { Weakening } from '../core/weakening.ts';

export interface WellKnown {
  readonly node_id: string;
  readonly node_url: string;
  readonly peerd: {
    readonly version: string;
    readonly authority: string;
    readonly peer_id: string;
    readonly addresses: readonly string[];
  };
}

export interface BackupsAnswer {
  readonly worm: { readonly target: string; readonly sentence: string; readonly weakness: string | null } | null;
}

export interface ChecksAnswer {
  readonly every_hours: number | null;
  readonly running: { readonly phase: string; readonly done: number; readonly total: number } | null;
  readonly last_error: string | null;
  readonly checks: readonly JournalCheck[];
}

export interface ReadinessAnswer {
  readonly status: 'ready' | 'not_ready';
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  readonly notices: readonly string[];
}

export interface HeadAnswer {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly chain_hash: string | null;
  readonly checkpoint: string;
  readonly audit: { readonly origin: string; readonly size: number; readonly checkpoint: string };
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
  readonly projection_lag: number;
}

export interface AnchorBackendAnswer {
  readonly backend: string;
  readonly pending: number;
  readonly last_error: string | null;
  readonly sentence: string;
}

export interface AnchorsAnswer {
  readonly backends: readonly AnchorBackendAnswer[];
  readonly anchors: readonly {
    readonly log: 'journal' | 'audit';
    readonly tree_size: number;
    readonly created_at: string;
    readonly receipts: readonly { readonly backend: string; readonly log_index: number }[];
  }[];
  readonly tee: {
    readonly audit_seq: number;
    readonly log: 'journal' | 'audit';
    readonly tree_size: number;
    readonly provider: string;
    readonly binding: 'bound' | 'not_checked';
    readonly taken_at: string;
  } | null;
}

export interface SinkAnswer {
  readonly name: string;
  readonly kind: string;
  readonly format: string;
  readonly target: string;
  readonly min_severity: string;
  readonly events: readonly string[];
  readonly attempts: number;
  readonly last_taken_at: string | null;
  readonly sentence: string;
}

export interface SinksAnswer {
  readonly sinks: readonly SinkAnswer[];
  readonly gaps: readonly {
    readonly sink: string;
    readonly first: number;
    readonly last: number;
    readonly reason: string | null;
    readonly at: string;
  }[];
}

export interface SinkTestAnswer {
  readonly taken: boolean;
  readonly code: string | null;
  readonly message: string | null;
}

export interface SinkMovedAnswer {
  readonly sink: SinkAnswer;
}

export interface DrillsAnswer {
  readonly kinds: readonly DrillKindStatus[];
  readonly running: DrillRun | null;
  readonly schedule: { readonly every_hours: number; readonly kinds: readonly string[] } | null;
  readonly last_refusal_at: string | null;
  readonly since: string | null;
}

export interface DrillAnswer {
  readonly run: DrillRun;
}

export interface DrillRunsAnswer {
  readonly runs: readonly DrillRun[];
  readonly cursor: number | null;
  readonly more: boolean;
}

export interface WitnessAnswer {
  readonly size: number;
  readonly cosignatures: readonly { readonly witness: string; readonly time: string | null }[];
  readonly policy: {
    readonly met: boolean;
    readonly met_size: number | null;
    readonly missing: readonly string[];
  } | null;
  readonly logs: readonly { readonly origin: string; readonly unreconciled: number }[];
}

export interface KeyAnswer {
  readonly id: string;
  readonly name: string;
  readonly class: 'human' | 'automation';
  readonly role: string | null;
  readonly permissions: readonly string[];
  readonly state: 'active' | 'expired' | 'revoked';
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

export interface BatchAnswer {
  readonly results: readonly { readonly index: number; readonly status: number; readonly detail?: unknown }[];
  readonly stored: number;
  readonly repeated: number;
  readonly refused: number;
}

export interface WeakeningsAnswer {
  readonly weakenings: readonly Weakening[];
}

export interface SigningKeysAnswer {
  readonly keys: readonly KeyStatus[];
}

export type { AuditEntry } from '../admin/api/audit-entry.ts';
export type { KeyStatus } from '../core/key-status.ts';
export type { PeerStatus } from '../core/peer-status.ts';

export interface FactLineAnswer {
  readonly feed: string;
  readonly feed_seq: number;
  readonly fact_id: string;
  readonly entity: string;
  readonly relation: string;
}

interface FeedPreviewAnswer {
  readonly feed: string;
  readonly length: number;
  readonly given: number;
  readonly acknowledged: number;
  readonly sentence: string;
}

export interface GrantPreviewAnswer {
  readonly peer: string;
  readonly open: readonly FeedPreviewAnswer[];
  readonly shut: readonly FeedPreviewAnswer[];
  readonly empty: readonly { readonly sentence: string }[];
  readonly examples: readonly FactLineAnswer[];
}

export interface GrantDiffAnswer {
  readonly node_id: string;
  readonly in_force: string | null;
  readonly changes: readonly {
    readonly feed: string;
    readonly change: 'starts' | 'stops' | 'regrants' | 'later';
    readonly new_facts: number;
    readonly given: number;
    readonly before: string;
    readonly after: string;
  }[];
  readonly examples: readonly FactLineAnswer[];
}

export interface GivenRunAnswer {
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly sent_at: string;
  readonly grant: { readonly hash: string; readonly text: string };
}

export interface ExplanationAnswer {
  readonly peer: string;
  readonly feed: string | null;
  readonly feed_seq: number;
  readonly sentence: string;
  readonly given: readonly GivenRunAnswer[];
  readonly acknowledged: boolean;
}

export interface NoticesAnswer {
  readonly notices: readonly {
    readonly peer: string | null;
    readonly node_id: string;
    readonly feed: string;
    readonly reason: string;
    readonly refused: number;
    readonly resolved: number;
    readonly at: string;
    readonly entries: readonly {
      readonly cid: string | null;
      readonly difference: {
        readonly claimed: string | null;
        readonly computed: string | null;
        readonly field: string;
      } | null;
      readonly evidence: string | null;
      readonly fact: { readonly fact_id: string; readonly entity: string; readonly relation: string } | null;
      readonly feed_seq: number | null;
    }[];
  }[];
}

export interface DisclosedAnswer {
  readonly node_id: string;
  readonly feeds: readonly {
    readonly feed: string;
    readonly grant: { readonly hash: string; readonly text: string };
    readonly entries: number;
    readonly first: number;
    readonly last: number;
    readonly first_sent_at: string;
    readonly last_sent_at: string;
  }[];
  readonly runs: readonly GivenRunAnswer[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

export interface TombstoneAnswer {
  readonly state: string;
  readonly fact: string;
  readonly author: string;
  readonly feed: string;
  readonly feed_seq: number;
  readonly since: string;
  readonly due_at: string | null;
  readonly reason: string | null;
  readonly steps: readonly { readonly step: string; readonly at: string; readonly actor: string | null }[];
  readonly peers: readonly {
    readonly peer: string;
    readonly given_at: string;
    readonly told: boolean;
    readonly erased_at: string | null;
  }[];
  readonly relayed: readonly { readonly peer: string; readonly relay: string | null; readonly erased_at: string }[];
}

export interface TombstonesAnswer {
  readonly tombstones: readonly Omit<TombstoneAnswer, 'steps' | 'peers' | 'relayed'>[];
  readonly has_more: boolean;
}
