/** What the journal tells its readers: shapes shared by the reader, the admin API and the command line. */

import type { Entry } from '../core/entry.ts';
import type { ReviewStatus } from '../core/review.ts';
import type { Severity } from '../core/severity.ts';
import type { Difference } from '../core/verdict.ts';
import type { AssertRefusal } from '../verify/assertion.ts';
import type { RefusedOfOurs } from './refusal-notices.ts';

/** A fact as stored, with what projections say about it at the moment of reading. */
export interface StoredFact {
  readonly entry: Entry;
  /** Another fact with the same entity, relation and scope and a confidence above 0 exists. */
  readonly contradicted: boolean;
  /** A later fact of the same source with confidence 0 withdraws it. */
  readonly retracted: boolean;
  readonly quarantine: { readonly status: ReviewStatus; readonly reason: string } | null;
}

/** What became of one fact that was to be asserted here. */
export type AssertOutcome =
  | {
      readonly kind: 'stored';
      readonly fact: StoredFact;
      readonly warnings: readonly string[];
      /** The same content is held already; nothing was written. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: AssertRefusal };

/** What the caller who asserts may do. */
export interface AssertCaller {
  readonly mayWriteInstructions: boolean;
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

/** What is said of a fact whose tombstone was asked for or given; members as in the Stigmem reference, and two more. */
export interface TombstoneNotice {
  /** Null once the body is gone. */
  readonly entity_uri: string | null;
  /** Journal position of the tombstone, `tombstone:<n>`; null while it can be undone. */
  readonly tombstone_id: string | null;
  /** An operator keeps the body from being erased. */
  readonly legal_hold: boolean;
  readonly tombstone_created_at: string;
  readonly scope: string;
  readonly state: 'hidden' | 'erased';
}

export type FactResult =
  | { readonly kind: 'found'; readonly fact: StoredFact }
  | { readonly kind: 'tombstoned'; readonly notice: TombstoneNotice; readonly erased: Erased | null }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact };

/** `chain_seq` of a fact, and of the tombstone that says that it is erased. */
export interface Erased {
  readonly seq: number;
  readonly tombstoneSeq: number;
}

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
  /** Also entries that are tombstones; who names their relation gets them without it. */
  readonly includeTombstones?: boolean;
  /** Only facts with a `timestamp` text greater than this. */
  readonly after?: string;
  /** Only journal positions below this one; pages go from the newest to the oldest. */
  readonly before?: number;
  readonly limit: number;
  readonly nowIso: string;
}

export type FactPage =
  | {
      readonly kind: 'page';
      readonly facts: readonly StoredFact[];
      readonly total: number;
      /** The lowest journal position that was looked at: there may be others before it. Null: there are none. */
      readonly before: number | null;
      /** Of facts that the query would have shown. */
      readonly notices: readonly TombstoneNotice[];
    }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact };

/** A fact with its place in the journal. */
export interface Change {
  /** `chain_seq` */
  readonly seq: number;
  readonly fact: StoredFact;
}

/** Where a fact of this node is that is not shown: it is erased, or is to be. */
export interface Hole {
  /** `chain_seq` */
  readonly seq: number;
  readonly feed: string;
  readonly feedSeq: number;
  /** `chain_seq` of its tombstone; null: that is not written yet, and may never be. */
  readonly tombstoneSeq: number | null;
  /** When its tombstone is written; null where it is, and where nobody can say when a fact is shown again. */
  readonly dueUs: number | null;
}

export interface ChangePage {
  /** In the order of the journal. */
  readonly changes: readonly Change[];
  /** What a reader of every fact of this node misses among them, in the order of the journal. */
  readonly holes: readonly Hole[];
  /** The last position that was looked at; that of the question where there is nothing to tell. */
  readonly position: number;
  /** Whether there is something behind it already. */
  readonly more: boolean;
  /** The row behind it, if it is damaged: nothing beyond it is told. */
  readonly corrupt: CorruptFact | null;
}

export interface RecallQuery {
  readonly query: string;
  readonly scope: string;
  /** Estimated tokens of all facts together. */
  readonly tokenBudget: number;
  readonly minConfidence: number;
  readonly limit: number;
  readonly weights: { readonly lexical: number; readonly recency: number };
  readonly nowIso: string;
}

export interface RecalledFact {
  readonly fact: StoredFact;
  readonly parts: {
    readonly lexical: number;
    readonly recency: number;
    readonly weightedTotal: number;
    readonly score: number;
  };
  /** Estimate. */
  readonly tokens: number;
}

export type RecallResult =
  | {
      readonly kind: 'recalled';
      /** Best first. */
      readonly facts: readonly RecalledFact[];
      /** Facts that were compared with the budget. */
      readonly scored: number;
      readonly tokensUsed: number;
      /** Something scored did not fit the budget. */
      readonly truncated: boolean;
    }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact };

/** A bundle, and whether a transparency log has the checkpoint that it stands on. */
export interface ProvenFact {
  readonly factId: string;
  /** JSON text: see wire/fact-bundle.ts. */
  readonly bundle: string;
  readonly anchored: boolean;
}

/** A proof that a fact was erased, for the place where it was. */
export interface ProvenErasure {
  /** `chain_seq` of the fact */
  readonly seq: number;
  /** JSON text: see wire/erasure-proof.ts. */
  readonly proof: string;
}

/** What the reference calls the proof of its chain: the newest anchored head, not a proof of any one fact. */
export interface ChainProof {
  readonly checkedEntries: number;
  readonly headHash: string | null;
  readonly checkpoint: ChainCheckpoint | null;
}

/** Members as the reference's rows have them; all of them were submitted. */
export interface ChainCheckpoint {
  readonly id: string;
  readonly coveredChainSeq: number;
  readonly chainHash: string;
  readonly createdAt: string;
  readonly submittedAt: string;
  readonly backend: string;
  readonly logId: string;
  readonly leafHash: string;
  readonly logIndex: number;
  readonly integratedTime: number | null;
  readonly inclusionProof: object;
  readonly raw: object;
}

/** Links of the chain that do not join, named as the reference names them. */
export interface ChainBreak {
  readonly reason: string;
  readonly factId: string | null;
  readonly chainSeq: number;
}

export type ProveResult =
  | {
      readonly kind: 'proven';
      readonly facts: readonly ProvenFact[];
      readonly erasures: readonly ProvenErasure[];
      readonly chain: ChainProof;
    }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact }
  | { readonly kind: 'broken'; readonly broken: ChainBreak };

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
  readonly minSeverity?: Severity;
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
  /** Records that are looked at, where no index leads to the matches: the page ends behind them, whatever it holds by then. */
  readonly looksAt?: number;
}

export interface AuditPage {
  /** As many as were asked for, or those that were found so far: `hasMore` says whether there is something left to look at. */
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
  /** What it has said that it refused of ours. */
  readonly refusedOfOurs: readonly RefusedOfOurs[];
  /** The last entry of each of our feeds that the peer has given a receipt for. */
  readonly acknowledged: readonly { readonly feed: string; readonly to: number }[];
  /** Feeds whose grant to us has ended: up to which entry they were given, and when, as the peer signed it. */
  readonly closed: readonly { readonly feed: string; readonly to: number; readonly closed_at: string }[];
}

/** Stands for a record whose stored text is no JSON any more: it must not hide the rows around it. */
export const UNREADABLE_RECORD: AuditRecord = {
  seq: 0,
  at: '',
  event: 'audit_record_unreadable',
  reason: 'record_damaged',
  peer: null,
  feed: null,
  fact_id: null,
  cid: null,
  chain_seq: null,
  evidence: null,
  actor: null,
  detail: {},
  is_drill: false,
  previous_hash: null,
  v: 1,
};
