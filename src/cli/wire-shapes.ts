/** Answers of the API as commands read them. The API's own schemas stand in `admin/`; these are the members shown here. */
import type { KeyStatus } from '../core/key-status.ts';

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
  readonly permissions: readonly string[];
  readonly state: 'active' | 'expired' | 'revoked';
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

export interface BatchAnswer {
  readonly results: readonly { readonly index: number; readonly status: number; readonly detail?: unknown }[];
  readonly stored: number;
  readonly repeated: number;
  readonly refused: number;
}

export interface SigningKeysAnswer {
  readonly keys: readonly KeyStatus[];
}

export type { AuditEntry } from '../admin/api/audit-entry.ts';
export type { KeyStatus } from '../core/key-status.ts';
export type { PeerStatus } from '../core/peer-status.ts';
