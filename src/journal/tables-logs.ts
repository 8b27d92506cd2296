/** The two logs: entries and audit records, their trees, what was signed of them. */

export interface EntryRow {
  chain_seq: number;
  fact_id: string;
  entity: string;
  relation: string;
  value_type: string;
  value_v: string;
  source: string;
  scope: string;
  confidence: number;
  timestamp: string;
  /** wall milliseconds × 1000 + counter: orders as the HLC text does, in 7 bytes. */
  hlc: number;
  valid_until: string | null;
  interpret_as: string;
  garden_id: string | null;
  /** JSON array of texts; null for the empty list. */
  derived_from: string | null;
  attestation_key_id: string | null;
  attestation_signature: string | null;
  origin_node_id: string | null;
  origin_chain_seq: number | null;
  origin_leaf_hash: Uint8Array | null;
  received_from: string | null;
  feed_id: number;
  feed_seq: number;
  cid: Uint8Array;
  event_hash: Uint8Array;
  previous_hash: Uint8Array | null;
  chain_hash: Uint8Array;
  /** Microseconds since the epoch; `created_at` of the entry is its ISO text with six digits. */
  created_us: number;
  salt: Uint8Array;
  leaf_hash: Uint8Array;
  /** Locator sums: see locator.ts. */
  sum1: number;
  sum2: number;
}

export interface AuditRow {
  seq: number;
  /** The record: one canonical JSON text. */
  body: string;
  salt: Uint8Array;
  leaf_hash: Uint8Array;
  sum1: number;
  sum2: number;
  /** Generated from `body`. */
  event: string;
  reason: string | null;
  peer: string | null;
  feed: string | null;
  fact_id: string | null;
  cid: string | null;
  at: string;
}

export interface LogTables {
  meta: { key: string; value: string; sum1: number; sum2: number };
  feeds: { feed_id: number; name: string; sum1: number; sum2: number };
  entries: EntryRow;
  audit: AuditRow;
  tiles: { tile_id: number; hashes: Uint8Array };
  tile_edges: { tile_id: number; hashes: Uint8Array };
  checkpoints: {
    checkpoint_id: number;
    log: number;
    tree_size: number;
    root: Uint8Array;
    note: string;
    sum1: number;
    sum2: number;
  };
  evidence: { evidence_id: number; digest: Uint8Array; body: Uint8Array; sum1: number; sum2: number };
}
