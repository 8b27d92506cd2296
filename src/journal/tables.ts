/** The tables of `journal.db`, as Kysely sees them. `schema.ts` holds their SQL. */

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

export interface PageRow {
  page_id: number;
  peer: string;
  feed: string;
  after_seq: number;
  to_seq: number;
  tree_size: number;
  header: Uint8Array;
  entries: Uint8Array | null;
  proof: Uint8Array | null;
  received_us: number;
  accepted: number;
  refused: number;
  /** SHA-256 of header, entries and proof, one after the other; of an absent frame 32 zero bytes. */
  digest: Uint8Array;
  sum1: number;
  sum2: number;
}

export interface ErasureStepRow {
  step_id: number;
  /** Digest of the fact's id, 32 bytes. */
  fact: Uint8Array;
  /** The fact's author. */
  node_id: string;
  step: string;
  /** Place of the fact in its author's feed. */
  feed: string;
  feed_seq: number;
  /** `chain_seq` here of the fact; null: it is not held. */
  target_seq: number | null;
  /** `chain_seq` here of the tombstone; null: there is none yet. */
  tombstone_seq: number | null;
  /** The stored page that the fact came in. */
  page_id: number | null;
  /** From when on the next step is taken; null: by an operator only, or never. */
  due_us: number | null;
  at_us: number;
  actor: string | null;
  reason: string | null;
  sum1: number;
  sum2: number;
}

export interface Tables {
  meta: { key: string; value: string; sum1: number; sum2: number };
  state: { name: string; value: number };
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
  pages: PageRow;
  peer_checkpoints: {
    checkpoint_id: number;
    peer: string;
    tree_size: number;
    root: Uint8Array;
    note: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  peer_feed_heads: {
    head_id: number;
    peer: string;
    feed: string;
    length: number;
    tree_size: number;
    note: string;
    sum1: number;
    sum2: number;
  };
  peer_declarations: {
    declaration_id: number;
    peer: string;
    note: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  evidence: { evidence_id: number; digest: Uint8Array; body: Uint8Array; sum1: number; sum2: number };
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
  page_notes: { note_id: number; page_id: number; note: string; sum1: number; sum2: number };
  page_receipts: {
    receipt_id: number;
    peer: string;
    feed: string;
    after_seq: number;
    to_seq: number;
    note: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  key_statements: {
    statement_id: number;
    node_id: string;
    note: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  /** `text`: a grant as `grantText` writes it; `digest`: its SHA-256. */
  grant_texts: { grant_id: number; digest: Uint8Array; text: string; sum1: number; sum2: number };
  disclosures: {
    disclosure_id: number;
    peer: string;
    feed: string;
    after_seq: number;
    to_seq: number;
    /** Of the checkpoint that the entries were first proved against. */
    tree_size: number;
    grant_id: number;
    sent_us: number;
    sum1: number;
    sum2: number;
  };
  /** Refusals of one kind within a day; `open`: those that wait for their summary, see refusal-groups.ts. */
  refusal_groups: {
    peer: string;
    reason: string;
    /** Empty, as `key_id`: of several feeds and keys. */
    feed: string;
    key_id: string;
    seen: number;
    last_record: number;
    /** Refusals in `open` that have no record of their own. */
    pending: number;
    opened_us: number | null;
    open: string | null;
  };
  refusal_budgets: { peer: string; since_us: number; spent_bytes: number; is_over: number };
  told_refusals: {
    peer: string;
    feed: string;
    reason: string;
    refused: number;
    resolved: number;
    /** Audit record of the newest change. */
    last_seq: number;
    /** Up to which the peer has taken our word; 0 for none. */
    told_seq: number;
  };
  refusal_notices: {
    peer: string;
    feed: string;
    reason: string;
    /** As the note has it, by which a later one is known. */
    number: number;
    refused: number;
    resolved: number;
    note: string;
    received_us: number;
  };
  /** Members as `core/case-fold.ts` has them; `severity` as its rank, `samples` as JSON. */
  cases: {
    id: number;
    uid: string;
    topic: string;
    peer: string;
    reason: string;
    feed: string;
    key_id: string;
    state: string;
    state_at: string;
    severity: number;
    seen: number;
    absorbed: number;
    first_at: string;
    last_at: string;
    last_seen_seq: number;
    samples: string;
    verdict: string | null;
    assignee: string | null;
    ticket: string | null;
    owner: string | null;
    suppressed_for: string | null;
    until: string | null;
    version: number;
    last_seq: number;
    is_drill: number;
  };
  /** Audit records of each case. */
  case_records: { seq: number; case_id: number; is_change: number };
  /** The entries that a page brought stand one behind the other from `first_seq` on; a page that brought none has no row. */
  erasure_steps: ErasureStepRow;
  erasure_acks: {
    ack_id: number;
    peer: string;
    tombstone_seq: number;
    note: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  /** `tombstone_seq` is null while the body stands in the page; `target_seq` is null if no entry was ever made of it. */
  body_copies: {
    copy_id: number;
    page_id: number;
    place: number;
    target_seq: number | null;
    tombstone_seq: number | null;
    sum1: number;
    sum2: number;
  };
  /** `relay`: who brought it; null at the relay, to which its signer gave it. */
  relayed_acks: {
    ack_id: number;
    peer: string;
    relay: string | null;
    tombstone_seq: number;
    note: string;
    declaration: string;
    received_us: number;
    sum1: number;
    sum2: number;
  };
  page_places: { place_id: number; page_id: number; first_seq: number; entries: number; sum1: number; sum2: number };
  /** `places`: JSON, reason to runs of places in the feed. */
  page_refusals: {
    refusal_id: number;
    page_id: number;
    peer: string;
    feed: string;
    places: string;
    sum1: number;
    sum2: number;
  };
  /** Entries of a page that were taken when it was judged again: they stand one behind the other from `first_seq` on. */
  page_retries: {
    retry_id: number;
    page_id: number;
    peer: string;
    feed: string;
    first_seq: number;
    entries: number;
    places: string;
    sum1: number;
    sum2: number;
  };
  kept_notes: {
    kept_id: number;
    peer: string;
    feed: string;
    after_seq: number;
    to_seq: number;
    /** Sealed by the peer, see `wire/restore-note.ts`. */
    sealed: Uint8Array;
    received_us: number;
  };
  anchor_attempts: {
    anchor_id: number;
    backend: string;
    attempt_count: number;
    next_retry_us: number;
    is_permanent: number;
    last_error: string;
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
  mutation_attempts: { attempt_id: number; at: string; operation: string; target: string; row_key: string | null };
  lookup: { key: number; seq: number };
  /** Of FTS5, while fsck looks at the index: one row per word and entry. */
  recall_words: { term: string; doc: number };
  recall_index: { rowid: number; words: string };
  quarantine: { chain_seq: number; reason: string; status: string };
}

/** Tables whose rows carry locator sums: see locator.ts. */
export type SummedTable =
  | 'meta'
  | 'feeds'
  | 'entries'
  | 'audit'
  | 'checkpoints'
  | 'pages'
  | 'peer_checkpoints'
  | 'peer_feed_heads'
  | 'peer_declarations'
  | 'evidence'
  | 'anchor_checkpoints'
  | 'anchor_receipts'
  | 'cosigned'
  | 'cosignatures'
  | 'seen_checkpoints'
  | 'page_notes'
  | 'page_receipts'
  | 'key_statements'
  | 'grant_texts'
  | 'disclosures'
  | 'page_places'
  | 'page_refusals'
  | 'page_retries'
  | 'erasure_steps'
  | 'erasure_acks'
  | 'body_copies'
  | 'relayed_acks';

/** The two logs of a node. The number is part of tile and checkpoint keys. */
export const LOGS = { journal: 1, audit: 2 } as const;
export type LogName = keyof typeof LOGS;
