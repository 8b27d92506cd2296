import type { ActOutcome } from './approval.ts';

/** What operators are told about one peer: by the API, the console and the command line alike. */
export interface PeerStatus {
  /** Name of its file. */
  readonly name: string;
  readonly node_id: string;
  readonly peer_id: string;
  readonly addresses: readonly string[];
  readonly state: 'current' | 'catching_up' | 'waiting' | 'suspended' | 'pending';
  /** A sentence: why the peer is not current. Null when it is. */
  readonly waiting_on: string | null;
  /** `open`: it is left alone. `half_open`: one request to it is under way, which decides. */
  readonly circuit: 'closed' | 'open' | 'half_open';
  /** Why it is not closed. */
  readonly circuit_reason: string | null;
  /** When an open one is tried by itself; null where only an operator closes it. */
  readonly circuit_until: string | null;
  /** Feeds it may read from us now. */
  readonly share: readonly string[];
  /** Feeds we take from it now. */
  readonly accept: readonly string[];
  readonly namespaces: readonly string[];
  /** `after`: the last entry judged. `length`: what a verified feed head states; null when none was seen. */
  readonly cursors: readonly { readonly feed: string; readonly after: number; readonly length: number | null }[];
  readonly lag_entries: number | null;
  readonly checkpoint: { readonly size: number; readonly root: string } | null;
  readonly accepted: number;
  readonly refused: number;
  /** Our feeds, each up to the last entry that the peer has given a signed receipt for. */
  readonly acknowledged: readonly { readonly feed: string; readonly to: number }[];
  /** Feeds whose grant to us has ended, up to which entry they were given, and when: signed by the peer. */
  readonly closed: readonly { readonly feed: string; readonly to: number; readonly closed_at: string }[];
  /** What it has signed that it refused of ours: by feed and reason, those that it has taken after all included. */
  readonly refused_of_ours: readonly {
    readonly feed: string;
    readonly reason: string;
    readonly refused: number;
    readonly resolved: number;
  }[];
  readonly last_verdicts: readonly {
    readonly at: string;
    readonly event: string;
    readonly reason: string | null;
    readonly seq: number;
  }[];
  /** The verifier key of its log that is pinned, whoever named it first; null before the first contact. */
  readonly pinned_log_key: string | null;
  /** Keys that its refused declaration names in place of pinned ones, without a succession. */
  readonly key_changes: readonly ChangedKey[];
  readonly last_contact_at: string | null;
  readonly last_error: string | null;
  readonly next_attempt_at: string | null;
  readonly clock_skew_ms: number | null;
}

/** Verifier keys: the one that is pinned, and the one that is declared instead. */
export interface ChangedKey {
  readonly use: 'log' | 'anchor' | 'witness';
  readonly pinned: string;
  readonly declared: string;
}

/** What became of an operator's word that a peer's new keys are the peer's. */
export type TrustKeyOutcome =
  | { readonly kind: 'acted'; readonly outcome: ActOutcome<PeerStatus> }
  | { readonly kind: 'unknown_peer' }
  /** `insistsOn`: the key in the peer's file, which refuses every other. */
  | { readonly kind: 'nothing_waits'; readonly insistsOn: string | null }
  | { readonly kind: 'other_key'; readonly declared: readonly string[] };
