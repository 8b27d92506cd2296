import type { ReviewedAction } from '../core/approval.ts';
import type { DrillKind } from '../core/drill.ts';
import type { AnchorBackendName } from '../merkle/anchor-receipt.ts';
import type { OidcAlgorithm } from './section-oidc.ts';
import type { SinkSettings } from './sink-settings.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** The settings as written in TOML, complete and of the right form. */
export interface Settings {
  readonly node_id: string;
  readonly gardens: readonly string[];
  readonly garden_members: readonly string[];
  readonly listen: { readonly p2p: readonly string[]; readonly announce: readonly string[] };
  readonly api: {
    readonly host: string;
    readonly port: number;
    readonly node_url: string;
    readonly tls_cert_file: string;
    readonly tls_key_file: string;
    readonly tls_min_version: '1.2' | '1.3';
    readonly allowed_hosts: readonly string[];
    readonly behind_proxy: boolean;
  };
  readonly network: { readonly private_key_file: string; readonly allow_addresses: readonly string[] };
  readonly federation: {
    readonly poll_interval_s: number;
    readonly page_entries: number;
    readonly page_bytes: number;
    readonly max_parallel_pulls: number;
    readonly refused_per_second: number;
    readonly max_future_skew_s: number;
    readonly max_past_skew_s: number;
  };
  readonly keys: { readonly valid_days: number };
  readonly tombstones: {
    readonly undo_window_s: number;
    readonly received_window_s: number;
    readonly max_per_hour: number;
  };
  readonly guard: { readonly signed_heads_file: string; readonly wait_s: number };
  readonly witness: {
    readonly logs: readonly string[];
    readonly policy_file: string;
    readonly gossip_interval_s: number;
  };
  readonly limits: {
    readonly max_value_bytes: number;
    readonly max_connections: number;
    readonly peer_mib_per_day: number;
  };
  readonly anchor: {
    readonly backends: readonly AnchorBackendName[];
    readonly interval: number;
    readonly max_age_s: number;
    readonly retry_s: number;
    readonly local_path: string;
    readonly rekor_url: string;
    readonly rekor_version: number;
    readonly rekor_read_url: string;
    readonly rekor_trust_root: string;
  };
  readonly tee: { readonly reports: boolean };
  readonly tlog: { readonly public: boolean };
  readonly review: {
    readonly four_eyes: readonly ReviewedAction[];
    readonly named_persons: boolean;
    readonly proposal_hours: number;
  };
  readonly oidc: {
    readonly issuer: string;
    readonly client_id: string;
    readonly client_secret_file: string;
    readonly ca_file: string;
    readonly scopes: readonly string[];
    readonly name_claim: string;
    readonly roles_claim: string;
    readonly roles: readonly string[];
    readonly acr: readonly string[];
    readonly amr: readonly string[];
    readonly algorithms: readonly OidcAlgorithm[];
    readonly max_session_hours: number;
  };
  readonly sink: readonly SinkSettings[];
  readonly worm: {
    readonly target: string;
    readonly endpoint: string;
    readonly region: string;
    readonly credentials_file: string;
    readonly retain_days: number;
    readonly interval_s: number;
    readonly backoff_s: number;
  };
  readonly snapshot: {
    readonly directory: string;
    readonly every_hours: number;
    readonly keep: number;
    readonly scratch: string;
  };
  readonly drills: {
    readonly repeat_hours: number;
    readonly kinds: readonly DrillKind[];
    readonly acknowledge_hours: number;
  };
  readonly fsck: { readonly every_hours: number };
  readonly log: { readonly level: LogLevel };
  readonly traces: { readonly otlp_url: string; readonly sample_per_cent: number };
}
