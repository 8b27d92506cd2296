/** What was taken from peers, given to them and said about either. */

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

export interface PeerTables {
  pages: PageRow;
  /** The entries that a page brought stand one behind the other from `first_seq` on; a page that brought none has no row. */
  page_places: { place_id: number; page_id: number; first_seq: number; entries: number; sum1: number; sum2: number };
  page_notes: { note_id: number; page_id: number; note: string; sum1: number; sum2: number };
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
}
