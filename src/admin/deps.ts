/** What the admin API needs of the rest of the node. Whoever has these functions can serve it; no I/O happens here. */
import type { ExplainedSetting } from '../config/effective.ts';
import type { ActBy, ActOutcome, Proposal, ReviewedAction } from '../core/approval.ts';
import type { Case } from '../core/case-fold.ts';
import type {
  BulkOutcome,
  CaseCount,
  CaseOrder,
  CaseOutcome,
  CasePage,
  CaseQuery,
  CaseSelection,
} from '../core/case-report.ts';
import type { CaseChange } from '../core/case-state.ts';
import type { DecisionCode } from '../core/disclosure.ts';
import type { FactLine, FeedChange, Preview } from '../core/disclosure-report.ts';
import type { KeyStatus } from '../core/key-status.ts';
import { MAX_BATCH_FACTS, MAX_BODY_BYTES } from '../core/limits.ts';
import type { OnboardingRefusal, OnboardingTerms, OnboardingView } from '../core/onboarding.ts';
import type { PeerStatus, TrustKeyOutcome } from '../core/peer-status.ts';
import type { Result } from '../core/result.ts';
import type { RetryOutcome } from '../core/retry.ts';
import type { ReviewDecision, ReviewOutcome } from '../core/review.ts';
import type { Weakening } from '../core/weakening.ts';
import type { WitnessState } from '../core/witness-report.ts';
import type { Anchored, BackendStatus } from '../journal/anchor-records.ts';
import type { CaseEventPage, CaseEventQuery, CaseNews } from '../journal/case-reader.ts';
import type { GivenFeed, GivenRun, RunQuery } from '../journal/disclosure-records.ts';
import type { ProposalPage, ProposalQuery } from '../journal/proposals.ts';
import type { Published } from '../journal/published-log.ts';
import type {
  AssertCaller,
  AssertOutcome,
  AuditDetail,
  AuditFilter,
  AuditInput,
  AuditPage,
  AuditRecord,
  ChangePage,
  FactPage,
  FactQuery,
  FactResult,
  JournalHead,
  ProveResult,
  RecallQuery,
  RecallResult,
} from '../journal/read-model.ts';
import type { ReceiptQuery, StoredReceipt } from '../journal/receipt-records.ts';
import type { NoticeQuery, ShownNotice } from '../journal/refusal-notices.ts';
import type { LogName } from '../journal/tables.ts';
import type { ToldGroup } from '../journal/told-refusals.ts';
import type { AuditBell } from '../observe/audit-bell.ts';
import type { Events } from '../observe/events.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Traces } from '../observe/trace.ts';
import type { QuarantinePage, QuarantineQuery } from '../projections/quarantine-reader.ts';
import type { AssertRequest } from '../verify/assertion.ts';
import type { ContradictionReason } from '../verify/contradiction.ts';
import type { CosignRefusal } from '../wire/witness.ts';
import type { ApiBackups } from './backup-desk.ts';
import type { ApiChecks } from './check-desk.ts';
import type { Sessions } from './console/sessions.ts';
import type { ApiDrills } from './drill-desk.ts';
import type { KeyStore } from './keys.ts';
import type { SignInStatus } from './sign-in-status.ts';
import type { ApiSinks } from './sink-desk.ts';
import type { ApiTombstones } from './tombstone-desk.ts';

/** The one writer. Throws errors whose `code` is in {@link UNAVAILABLE} when it cannot take work now. */
export interface ApiWriter {
  /** One outcome per request, in order. All stored facts of a call are durable when it resolves. */
  assert(requests: readonly AssertRequest[], caller: AssertCaller): Promise<readonly AssertOutcome[]>;
  /** @returns the sequence of the new record */
  audit(input: AuditInput): Promise<number>;
  head(): Promise<JournalHead>;
  /** Has the newest facts found by their words. @returns entries that are not found yet */
  settleRecall(): Promise<number>;
  anchorStatus(backends: readonly string[]): Promise<readonly BackendStatus[]>;
  /** Newest first, from below `before`. */
  anchors(before: number, limit: number, pending: boolean): Promise<readonly Anchored[]>;
  retryAnchors(): Promise<void>;
}

/** Reads check every row they touch before they return it. */
export interface ApiReader {
  fact(idOrCid: string): Promise<FactResult>;
  facts(query: FactQuery): Promise<FactPage>;
  auditPage(filter: AuditFilter): Promise<AuditPage>;
  auditDetail(seq: number): Promise<AuditDetail | null>;
  recall(query: RecallQuery): Promise<RecallResult>;
  /**
   * Bundles of facts that were read before.
   *
   * @param withChain also looks at the ends of the chain, for the reference's chain proof
   */
  prove(factIds: readonly string[], withChain: boolean): Promise<ProveResult>;
  changes(after: number, limit: number): Promise<ChangePage>;
  /** RFC 9162 consistency path. */
  consistency(from: number, to: number): Promise<readonly Uint8Array[]>;
  /** A part of a log as anybody may have it; errors `leaf_mismatch` and `broken` mean damage. */
  published(log: LogName, path: string): Promise<Published>;
}

/** Tells whether the journal has grown. */
export interface GrowthWatch {
  /** As of the last commit that was told. */
  current(): { readonly size: number };
  /** Resolves at the next growth, after `timeoutMs`, or when the signal aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<unknown>;
}

/** Error codes that mean "not now": the API answers 503 and asks to come back. */
export const UNAVAILABLE: ReadonlySet<string> = new Set([
  'busy',
  'guarded',
  'closed',
  'locked',
  'writer_closed',
  'writer_busy',
  'reader_closed',
  'reader_busy',
  'SQLITE_BUSY',
  'SQLITE_FULL',
  'ENOSPC',
]);

export interface PeerDirectory {
  list(): readonly PeerStatus[];
  /** @param id the peer file's name, the node id or the libp2p peer id */
  get(id: string): PeerStatus | undefined;
  /** Ends a suspension, or proposes that, and has the peer asked again at once. Undefined when there is no such peer. */
  resume(id: string, by: ActBy): Promise<ActOutcome<PeerStatus> | undefined>;
  /** Pins a log key that waits for an operator, or proposes that, and has the peer asked again at once. */
  trustKeys(name: string, keys: readonly string[], by: ActBy): Promise<TrustKeyOutcome>;
  /** Has refused facts judged again, for some seconds. @param afterPage where the run before has stopped; 0 to begin */
  retry(name: string, afterPage: number, by: ActBy): Promise<RetryOutcome>;
}

/** Facts that are hidden from readers. */
export interface QuarantineDesk {
  list(query: QuarantineQuery): Promise<QuarantinePage>;
  history(factId: string): Promise<readonly AuditRecord[]>;
  review(factId: string, decision: ReviewDecision, by: ActBy): Promise<ReviewOutcome>;
}

/** Proposals of actions that need two persons. What the actions do, their own parts know. */
export interface ApprovalDesk {
  /** Actions that the configuration asks two persons for. */
  readonly fourEyes: readonly ReviewedAction[];
  list(query: Omit<ProposalQuery, 'nowIso'>): Promise<ProposalPage>;
  find(id: number): Promise<Proposal | null>;
  /** Ends a proposal without doing anything. */
  end(
    id: number,
    by: { readonly end: 'rejected' | 'withdrawn'; readonly actor: string; readonly reason: string },
  ): Promise<ActOutcome<null>>;
}

/** Cases: what was refused, and what else wants review, with what people do about it. */
export interface CaseDesk {
  list(query: CaseQuery): Promise<CasePage>;
  counts(): Promise<readonly CaseCount[]>;
  /** @param name number or uid */
  file(name: number | string): Promise<CaseFile | null>;
  events(query: CaseEventQuery): Promise<CaseEventPage>;
  news(after: number, limit: number): Promise<readonly CaseNews[]>;
  change(order: CaseOrder, by: ActBy): Promise<CaseOutcome>;
  /** @param token of the preview that is to be done; null: looks only */
  changeMany(
    order: { readonly selection: CaseSelection; readonly change: CaseChange; readonly token: string | null },
    by: ActBy,
  ): Promise<BulkOutcome>;
}

/** One case with what is known around it. */
export interface CaseFile {
  readonly held: Case;
  /** Proposals about it, and about its peer, the newest first. */
  readonly proposals: readonly Proposal[];
  /** How far the peer was told of it; null: of this it is not told. */
  readonly told: ToldGroup | null;
}

type Onboarded<T> = Promise<Result<T, OnboardingRefusal>>;

/** Invitations, and partners that wait to be confirmed. `id` is that of an invitation, or the name of who waits. */
export interface ApiOnboarding {
  invite(
    invitation: { readonly terms: OnboardingTerms; readonly validForS: number },
    actor: string,
  ): Onboarded<{ readonly code: string; readonly view: OnboardingView }>;
  revoke(id: string, actor: string): Onboarded<OnboardingView>;
  join(code: string, name: string | null, actor: string): Onboarded<OnboardingView>;
  /** This node's signed peer note, for those who exchange files. */
  ownNote(): string;
  take(note: string, terms: OnboardingTerms, actor: string): Onboarded<OnboardingView>;
  confirm(id: string, words: readonly string[], actor: string): Onboarded<OnboardingView>;
  reject(id: string, actor: string): Onboarded<OnboardingView>;
  list(): Promise<readonly OnboardingView[]>;
  get(id: string): Promise<OnboardingView | undefined>;
}

/** What operators ask about who may read what. A peer is named by its file, or by its node id once that is gone. */
export interface GrantDesk {
  /** Null: no such peer. */
  preview(peer: string, examples: number): Promise<GrantPreview | null>;
  explain(peer: string, idOrCid: string): Promise<Explanation>;
  /** @param toml text of a peer file */
  diff(name: string, toml: string): Promise<GrantDiff>;
  /** @param fact id or CID: only the runs that it was given in. Null: there is no such fact. */
  disclosed(query: RunQuery, fact: string | null): Promise<Disclosed | null>;
}

export interface GrantPreview extends Preview {
  readonly peer: string;
  readonly node_id: string;
  /** Newest facts of the open feeds. */
  readonly examples: readonly FactLine[];
}

export type Explanation =
  | { readonly kind: 'unknown_peer' | 'unknown_fact' | 'damaged' }
  | {
      readonly kind: 'explained';
      readonly peer: string;
      readonly node_id: string;
      readonly fact_id: string;
      readonly feed: string | null;
      readonly feed_seq: number;
      readonly code: DecisionCode;
      readonly sentence: string;
      /** Runs of the ledger that the fact was given in. */
      readonly given: readonly GivenRun[];
      readonly acknowledged: boolean;
    };

export type GrantDiff =
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  | {
      readonly kind: 'compared';
      readonly peer: string;
      readonly node_id: string;
      /** Name of the file in force; null: the partner has none. */
      readonly in_force: string | null;
      readonly changes: readonly FeedChange[];
      /** Newest facts of feeds that would start. */
      readonly examples: readonly FactLine[];
    };

export interface Disclosed {
  readonly node_id: string;
  readonly feeds: readonly GivenFeed[];
  readonly runs: readonly GivenRun[];
}

export type EvidenceFile =
  | { readonly kind: 'packet'; readonly tar: Uint8Array }
  | { readonly kind: 'not_found' | 'no_evidence' | 'damaged' };

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

/** What became of a checkpoint that somebody wants cosigned (C2SP tlog-witness). */
export type AddCheckpointOutcome =
  | { readonly kind: 'cosigned'; readonly lines: string }
  | { readonly kind: 'stale'; readonly size: number }
  | { readonly kind: 'contradiction'; readonly reason: ContradictionReason }
  | { readonly kind: 'refused'; readonly code: Exclude<CosignRefusal, 'contradiction'> };

export interface ApiWitness {
  /** @param body of an add-checkpoint request */
  add(body: string): Promise<AddCheckpointOutcome>;
  /** The newest checkpoint cosigned of a log. @param hash SHA-256 of its origin, lower-case hex */
  monitored(hash: string): Promise<string | null>;
  state(): Promise<WitnessState>;
}

/**
 * `remedy`: what an operator needs to see and end trouble; a bucket of its own, so that no flood of other requests with the
 * same key empties it.
 */
export type QuotaDimension =
  | 'fact_read'
  | 'fact_write'
  | 'operator_read'
  | 'admin_action'
  | 'remedy'
  | 'witness'
  | 'failed_authentication'
  /** Of a network: sign-ins at the identity provider that begin. */
  | 'sign_in_begun';

export interface ApiLimits {
  readonly maxBodyBytes: number;
  readonly maxBatchFacts: number;
  /** From the first byte of the body to its last. */
  readonly bodyMs: number;
  /** For the whole answer; streams are exempt once they flow. */
  readonly requestMs: number;
  readonly streamHeartbeatMs: number;
  /** Open streams of audit records and cases, of all keys together. */
  readonly maxStreams: number;
  readonly maxStreamsOfKey: number;
  /** Token bucket per key: `burst` requests at once, then `perSecond`. A batch is one request. */
  readonly quotas: Readonly<Record<QuotaDimension, { readonly burst: number; readonly perSecond: number }>>;
}

/**
 * The reference allows 1,000 writes an hour, which a loader reaches in a second. These stop a client that has run
 * away, and nobody else.
 */
export const DEFAULT_API_LIMITS: ApiLimits = {
  maxBodyBytes: MAX_BODY_BYTES,
  maxBatchFacts: MAX_BATCH_FACTS,
  bodyMs: 15_000,
  requestMs: 30_000,
  streamHeartbeatMs: 15_000,
  maxStreams: 64,
  maxStreamsOfKey: 16,
  quotas: {
    fact_write: { burst: 20_000, perSecond: 5_000 },
    fact_read: { burst: 20_000, perSecond: 5_000 },
    operator_read: { burst: 1_000, perSecond: 200 },
    admin_action: { burst: 60, perSecond: 1 },
    remedy: { burst: 1_000, perSecond: 200 },
    witness: { burst: 200, perSecond: 20 },
    failed_authentication: { burst: 30, perSecond: 1 },
    sign_in_begun: { burst: 60, perSecond: 1 },
  },
};

export interface ApiDeps {
  readonly writer: ApiWriter;
  readonly reader: ApiReader;
  readonly peers: PeerDirectory;
  readonly approvals: ApprovalDesk;
  readonly quarantine: QuarantineDesk;
  readonly cases: CaseDesk;
  /** null while the node does not run. */
  readonly witness: ApiWitness | null;
  /** null while the node does not run. */
  readonly onboarding: ApiOnboarding | null;
  readonly grants: GrantDesk;
  readonly tombstones: ApiTombstones;
  readonly drills: ApiDrills;
  readonly sinks: ApiSinks;
  readonly backups: ApiBackups;
  /** As of the start of the node. */
  readonly settings: readonly ExplainedSetting[];
  /** Null while the node does not run. */
  readonly checks: ApiChecks | null;
  /** Receipts that a peer has given us. */
  readonly receipts: (query: ReceiptQuery) => Promise<readonly StoredReceipt[]>;
  /** What peers have signed about facts of ours that they refused. */
  readonly notices: (query: NoticeQuery) => Promise<readonly ShownNotice[]>;
  /** The evidence of an audit record as a file; `withPage` adds the page that a refused fact came in. */
  readonly evidence: (seq: number, withPage: boolean) => Promise<EvidenceFile>;
  /** Our own signing keys, and those that peers declare. */
  readonly signingKeys: () => Promise<readonly KeyStatus[]>;
  /** What of the configuration is weaker than by default. */
  readonly weakenings: () => readonly Weakening[];
  /** Of the console. */
  readonly sessions: Pick<Sessions, 'list' | 'endNamed'>;
  /** How people sign in to the console; asks the provider anew. Null: with API keys alone. */
  readonly signIn: () => Promise<SignInStatus | null>;
  readonly keys: KeyStore;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly logger: Logger;
  readonly traces: Traces;
  readonly audits: AuditBell;
  readonly growth: GrowthWatch;
  readonly node: NodeIdentity;
  readonly ready: () => Promise<Readiness>;
  readonly stats: () => Promise<NodeStats>;
  /** Garden ids that facts may be asserted into. */
  readonly gardens: readonly string[];
  /** Transparency logs that checkpoints go to. */
  readonly anchorBackends: readonly string[];
  readonly nowMs: () => number;
  readonly limits: ApiLimits;
  /** Whether `/metrics` answers without a key. Right on loopback, where only this machine can ask. */
  readonly openMetrics: boolean;
  /** Whether `/tlog` answers without a key. */
  readonly publicTlog: boolean;
}
