/** Who the node is, and how it is doing. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly authority: string;
  /** Base URL under which applications reach this API. */
  readonly nodeUrl: string;
  readonly peerId: string;
  readonly version: string;
  readonly software: string;
  addresses(): readonly string[];
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  /** Sentences an operator should read although the node does its work. */
  readonly notices: readonly string[];
}

/** How the node is doing at this moment, in numbers. Counts are since its start. */
export interface NodeStats {
  readonly uptime_s: number;
  readonly rss_bytes: number;
  /** How late the main loop ran since the last time this was asked. */
  readonly loop_delay_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Calls that the journal's thread has not answered yet. */
  readonly writer_pending: number;
  readonly entries: number;
  readonly audit_records: number;
  readonly projection_lag: number;
  readonly recall_lag: number;
  readonly facts_asserted: number;
  readonly facts_taken: number;
  readonly facts_refused: number;
  readonly pages_refused: number;
  readonly facts_given: number;
  /** When somebody last asked for the metrics; null: nobody has. */
  readonly metrics_scraped_at: string | null;
}
