/** What the journal tells its readers: shapes shared by the reader, the admin API and the command line. */
import type { Entry } from '../core/entry.ts';
import type { Difference } from '../core/verdict.ts';

/** A fact as stored, with what projections say about it at the moment of reading. */
export interface StoredFact {
  readonly entry: Entry;
  /** Another fact with the same entity, relation and scope and a confidence above 0 exists. */
  readonly contradicted: boolean;
  /** A later fact of the same source with confidence 0 withdraws it. */
  readonly retracted: boolean;
  readonly quarantine: { readonly status: 'pending' | 'promoted' | 'rejected'; readonly reason: string } | null;
}

/** A stored row that is not what it was when it was appended: found on read, never served. */
export interface CorruptFact {
  readonly chainSeq: number;
  readonly factId: string;
  /** `cid_mismatch`: the body is not that of the CID. `leaf_mismatch`: a field that the CID leaves out was changed. */
  readonly code: 'cid_mismatch' | 'leaf_mismatch';
  readonly computedCid: string;
  readonly storedCid: string;
  readonly difference: Difference;
}

export type FactResult =
  | { readonly kind: 'found'; readonly fact: StoredFact }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact };

export interface FactQuery {
  readonly entity?: string;
  readonly relation?: string;
  readonly source?: string;
  readonly scope?: string;
  readonly gardenId?: string;
  readonly minConfidence?: number;
  readonly includeContradicted?: boolean;
  readonly includeExpired?: boolean;
  readonly includeQuarantined?: boolean;
  /** Only facts with a `timestamp` text greater than this. */
  readonly after?: string;
  /** `id` of the last fact of the page before; pages go from the newest journal position to the oldest. */
  readonly cursor?: string;
  readonly limit: number;
  readonly nowIso: string;
}

export type FactPage =
  | {
      readonly kind: 'page';
      readonly facts: readonly StoredFact[];
      readonly total: number;
      readonly cursor: string | null;
    }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact }
  | { readonly kind: 'bad_cursor' };

/** One record of the audit log, as its canonical body says. */
export interface AuditRecord {
  readonly seq: number;
  /** ISO time with microseconds. */
  readonly at: string;
  readonly event: string;
  readonly reason: string | null;
  /** Node id of the peer concerned. */
  readonly peer: string | null;
  readonly feed: string | null;
  readonly fact_id: string | null;
  readonly cid: string | null;
  /** `chain_seq` in the log of the peer concerned, or our own where there is no peer. */
  readonly chain_seq: number | null;
  /** `sha256:…` of the evidence, which `GET /v1/federation/audit/{seq}` returns. */
  readonly evidence: string | null;
  readonly actor: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly is_drill: boolean;
  /** `sha256:…` of the body of record `seq - 1`; null for the first. */
  readonly previous_hash: string | null;
  readonly v: 1;
}

/** What a caller gives; the journal adds sequence, time and chain. */
export interface AuditInput {
  readonly event: string;
  readonly reason?: string | null;
  readonly peer?: string | null;
  readonly feed?: string | null;
  readonly factId?: string | null;
  readonly cid?: string | null;
  readonly chainSeq?: number | null;
  readonly actor?: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditFilter {
  readonly peer?: string;
  readonly event?: string;
  readonly reason?: string;
  readonly feed?: string;
  readonly factId?: string;
  readonly cid?: string;
  /** Inclusive bounds on `at`, ISO texts in UTC. */
  readonly since?: string;
  readonly until?: string;
  /** Exclusive sequence bound: `asc` continues after it, `desc` before it. */
  readonly cursor?: number;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
}

export interface AuditPage {
  readonly records: readonly AuditRecord[];
  /** Sequence to continue from, or null at the end. */
  readonly cursor: number | null;
  readonly hasMore: boolean;
}

/** A record whose stored body no longer hashes to its leaf or chain: `detail` says which. */
export interface AuditDetail {
  readonly record: AuditRecord;
  /** Parsed evidence, or null when the record has none. */
  readonly evidence: unknown;
  readonly intact: boolean;
}

export interface JournalHead {
  readonly size: number;
  /** Root hash, base64. */
  readonly root: string;
  readonly chainHash: string | null;
  /** The newest signed checkpoint: a signed note over exactly `size` and `root`. */
  readonly checkpoint: string;
  readonly origin: string;
  readonly auditSize: number;
  readonly auditCheckpoint: string;
  readonly auditOrigin: string;
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
  /** Entries that projections have not taken in yet. */
  readonly projectionLag: number;
}

/** Inclusion of one fact under the newest checkpoint. */
export interface FactProof {
  readonly factId: string;
  /** The entry's canonical bytes, as text. */
  readonly entry: string;
  /** Base64. */
  readonly salt: string;
  readonly leafHash: string;
  readonly index: number;
  readonly inclusion: readonly string[];
  readonly checkpoint: string;
}

/** What is known of one peer's log. */
export interface PeerProgress {
  readonly peer: string;
  /** `length` is what the newest verified feed head states. */
  readonly cursors: readonly { readonly feed: string; readonly after: number; readonly length: number }[];
  readonly checkpoint: { readonly size: number; readonly root: string; readonly note: string } | null;
  readonly accepted: number;
  readonly refused: number;
  readonly suspended: { readonly reason: string; readonly since: string; readonly auditSeq: number } | null;
  readonly declaration: string | null;
  /** The last entry of each of our feeds that the peer has given a receipt for. */
  readonly acknowledged: readonly { readonly feed: string; readonly to: number }[];
}
