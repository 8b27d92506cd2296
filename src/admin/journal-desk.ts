/** What the API reads in the journal, and what it has written into it. */
import type { Anchored, BackendStatus } from '../journal/anchor-records.ts';
import type { Published } from '../journal/published-log.ts';
import type {
  AssertCaller,
  AssertOutcome,
  AuditDetail,
  AuditFilter,
  AuditInput,
  AuditPage,
  ChangePage,
  Erased,
  FactPage,
  FactQuery,
  FactResult,
  JournalHead,
  ProveResult,
  RecallQuery,
  RecallResult,
} from '../journal/read-model.ts';
import type { LogName } from '../journal/tables.ts';
import type { AssertRequest } from '../verify/assertion.ts';

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
   * @param erased facts whose erasure is proven, too
   */
  prove(factIds: readonly string[], withChain: boolean, erased?: readonly Erased[]): Promise<ProveResult>;
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

export type EvidenceFile =
  | { readonly kind: 'packet'; readonly tar: Uint8Array }
  | { readonly kind: 'not_found' | 'no_evidence' | 'damaged' };
