/** Answers of the API as commands read them. The API's own schemas stand in `admin/`; these are the members shown here. */

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

export type { AuditEntry } from '../admin/api/audit-entry.ts';
export type { PeerStatus } from '../core/peer-status.ts';
