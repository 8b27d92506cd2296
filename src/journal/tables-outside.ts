/** What witnesses, transparency logs and receivers of the audit log have of this node, and it of others' logs. */

export interface OutsideTables {
  anchor_checkpoints: {
    anchor_id: number;
    log: number;
    tree_size: number;
    root: Uint8Array;
    /** Of the last entry covered; null for the audit log. */
    chain_hash: Uint8Array | null;
    /** Signed by the log key and by the anchor key. */
    note: string;
    created_us: number;
    sum1: number;
    sum2: number;
  };
  anchor_receipts: {
    receipt_id: number;
    anchor_id: number;
    backend: string;
    log_id: string;
    log_index: number;
    /** POSIX seconds; null where the log states no time. */
    integrated_time: number | null;
    /** Lower-case hex. */
    leaf_hash: string;
    /** JSON: what the log returned, whole. */
    entry: string;
    /** The trust root that it was verified with; null where there is none. */
    trust_root: string | null;
    submitted_us: number;
    sum1: number;
    sum2: number;
  };
  anchor_attempts: {
    anchor_id: number;
    backend: string;
    attempt_count: number;
    next_retry_us: number;
    is_permanent: number;
    last_error: string;
  };
  cosigned: {
    cosigned_id: number;
    origin: string;
    tree_size: number;
    root: Uint8Array;
    note: string;
    cosigned_us: number;
    sum1: number;
    sum2: number;
  };
  cosignatures: {
    cosignature_id: number;
    log: number;
    tree_size: number;
    witness: string;
    line: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  seen_checkpoints: {
    seen_id: number;
    origin: string;
    tree_size: number;
    root: Uint8Array;
    note: string;
    seen_from: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  seen_reconciled: { seen_id: number };
  sinks: {
    name: string;
    /** Records up to this one were there before it, and are not sent. */
    since: number;
    acked: number;
    /** Where it began, or an operator put it last. */
    placed: number;
    attempts: number;
    failing_since_us: number | null;
    last_error: string | null;
    acked_us: number | null;
  };
}
