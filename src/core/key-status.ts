/** What operators are told about one signing key of this node or of a peer: by the API and the command line alike. */
export interface KeyStatus {
  readonly node_id: string;
  /** Name of the peer's file; null: the key is our own. */
  readonly peer: string | null;
  readonly use: 'log' | 'witness' | 'anchor';
  /** The log's origin, or the name of the witness. */
  readonly name: string;
  /** 8 hex digits; null: the verifier key cannot be read. */
  readonly key_id: string | null;
  readonly vkey: string;
  readonly state: 'valid' | 'not_yet' | 'expired' | 'replaced' | 'unreadable';
  /** As declared. */
  readonly not_before: string;
  /** As declared; null: until further notice. */
  readonly not_after: string | null;
  /** Rounded down, below 0 after the end. Null: no end, or none that can be read. */
  readonly seconds_left: number | null;
  /** Whole days, rounded down. */
  readonly days_left: number | null;
  /** `step`: days, the last one passed; 0: ended; null: its times cannot be read. */
  readonly warning: { readonly step: number | null; readonly sentence: string } | null;
}
