import type { Proposal } from '../core/approval.ts';
import type { RecordLine } from '../journal/audit-reader.ts';
import type { RefusalCount } from '../journal/drill-records.ts';
import type { ErasureStatus, ErasureView, NamedKeys } from '../journal/erasure-views.ts';
import type { HeldPage, PagePlace } from '../journal/held-pages.ts';
import type { KeptNote } from '../journal/kept-notes.ts';
import type { PacketParts, PacketRequest } from '../journal/packet-reader.ts';
import type { ProposalPage, ProposalQuery } from '../journal/proposals.ts';
import type { Published } from '../journal/published-log.ts';
import type {
  AuditDetail,
  AuditFilter,
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
import { span, untraced } from '../observe/trace.ts';
import type { QuarantinePage, QuarantineQuery } from '../projections/quarantine-reader.ts';
import type { BuiltPage, PageRequest } from '../serve/build-page.ts';
import type { FeedCursor } from '../wire/pull-request.ts';
import type { CaseReads } from './case-reads.ts';
import type { GrantsReads } from './grants-reads.ts';
import type { ReaderData, ReaderMethods } from './reader.ts';
import { type Calls, WorkerClient, workerUrl } from './rpc.ts';
import type { WormReads } from './worm-reads.ts';

/** Methods of a thread, as another thread calls them. */
export type Promised<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
};

/** The journal's readers, as the main thread sees them. The thread starts with the first question. */
export class ReaderClient {
  readonly #data: ReaderData;
  readonly #head: () => Promise<JournalHead>;
  readonly #declaration: () => string;
  readonly #start: (data: ReaderData) => Calls;
  #worker: Calls | undefined;

  /**
   * @param declaration the node's signed declaration, which travels in bundles
   * @param start who serves the calls; a thread unless told otherwise
   */
  constructor(
    data: ReaderData,
    head: () => Promise<JournalHead>,
    declaration: () => string,
    start: (data: ReaderData) => Calls = startThread,
  ) {
    this.#data = data;
    this.#start = start;
    this.#head = head;
    this.#declaration = declaration;
  }

  fact(idOrCid: string): Promise<FactResult> {
    return this.#call('fact', idOrCid);
  }

  facts(query: FactQuery): Promise<FactPage> {
    return this.#call('facts', query);
  }

  auditPage(filter: AuditFilter): Promise<AuditPage> {
    return this.#call('auditPage', filter);
  }

  auditDetail(seq: number): Promise<AuditDetail | null> {
    return this.#call('auditDetail', seq);
  }

  auditLines(after: number, limit: number, maxBytes: number): Promise<readonly RecordLine[]> {
    return this.#call('auditLines', after, limit, maxBytes);
  }

  recall(query: RecallQuery): Promise<RecallResult> {
    return this.#call('recall', query);
  }

  /** A checkpoint is signed if the journal has grown: every fact read before this call is covered by one. */
  async prove(factIds: readonly string[], withChain: boolean): Promise<ProveResult> {
    const { size, checkpoint, chainHash } = await this.#head();
    const head = { size, note: checkpoint, chainHash };
    return this.#call('prove', { factIds, head, declaration: this.#declaration(), withChain });
  }

  page(request: PageRequest): Promise<BuiltPage | undefined> {
    return this.#call('page', request);
  }

  inclusion(indexes: readonly number[], size: number): Promise<Uint8Array[][]> {
    return this.#call('inclusion', indexes, size);
  }

  consistency(from: number, to: number): Promise<Uint8Array[]> {
    return this.#call('consistency', from, to);
  }

  tile(level: number, index: number, width: number): Promise<Uint8Array> {
    return this.#call('tile', level, index, width);
  }

  heldCheckpoint(peer: string): Promise<string | null> {
    return this.#call('heldCheckpoint', peer);
  }

  heldPage(peer: string, place: PagePlace): Promise<HeldPage | undefined> {
    return this.#call('heldPage', peer, place);
  }

  keptNotes(
    peer: string,
    cursors: readonly FeedCursor[],
    skip: number,
    limits: { readonly notes: number; readonly bytes: number },
  ): Promise<readonly KeptNote[]> {
    return this.#call('keptNotes', peer, cursors, skip, limits);
  }

  lastPageWithin(peer: string, treeSize: number): Promise<number> {
    return this.#call('lastPageWithin', peer, treeSize);
  }

  /** A part of a log as anybody may have it. */
  published(log: LogName, path: string): Promise<Published> {
    return this.#call('published', log, path);
  }

  changes(after: number, limit: number): Promise<ChangePage> {
    return this.#call('changes', after, limit);
  }

  packetParts(request: PacketRequest): Promise<PacketParts> {
    return this.#call('packetParts', request);
  }

  /** Newest first, from below `before`. */
  erasures(before: number, limit: number): Promise<readonly ErasureView[]> {
    return this.#call('erasures', before, limit);
  }

  /** @param fact id of the fact, or its digest */
  erasure(fact: string, named: NamedKeys): Promise<ErasureStatus | null> {
    return this.#call('erasure', fact, named);
  }

  receipts(query: ReceiptQuery): Promise<readonly StoredReceipt[]> {
    return this.#call('receipts', query);
  }

  refusalNotices(query: NoticeQuery): Promise<readonly ShownNotice[]> {
    return this.#call('refusalNotices', query);
  }

  quarantined(query: QuarantineQuery): Promise<QuarantinePage> {
    return this.#call('quarantined', query);
  }

  quarantineHistory(factId: string): Promise<readonly AuditRecord[]> {
    return this.#call('quarantineHistory', factId);
  }

  proposals(query: ProposalQuery): Promise<ProposalPage> {
    return this.#call('proposals', query);
  }

  proposal(id: number, nowIso: string): Promise<Proposal | null> {
    return this.#call('proposal', id, nowIso);
  }

  /** Refusals that were no drills, between two times of the audit log. */
  realRefusals(since: string, until: string): Promise<readonly RefusalCount[]> {
    return this.#call('realRefusals', since, until);
  }

  /** The newest refusal that was no drill, and when the audit log began. */
  lastRefusalAt(): Promise<{ readonly refusal: string | null; readonly begun: string | null }> {
    return this.#call('lastRefusalAt');
  }

  /** What people ask about cases. */
  get cases(): Promised<CaseReads> {
    return {
      cases: (query) => this.#call('cases', query),
      caseCounts: () => this.#call('caseCounts'),
      caseFile: (name, nowIso) => this.#call('caseFile', name, nowIso),
      caseEvents: (query) => this.#call('caseEvents', query),
      caseNews: (after, limit) => this.#call('caseNews', after, limit),
    };
  }

  /** What operators ask about grants. */
  get grants(): Promised<GrantsReads> {
    return {
      feedStates: (peer, feeds) => this.#call('feedStates', peer, feeds),
      newestFacts: (feeds, limit) => this.#call('newestFacts', feeds, limit),
      givenFeeds: (peer) => this.#call('givenFeeds', peer),
      givenRuns: (query) => this.#call('givenRuns', query),
      givenFact: (peer, feed, feedSeq) => this.#call('givenFact', peer, feed, feedSeq),
    };
  }

  /** What is shipped to a store that forgets nothing. */
  get worm(): Promised<WormReads> {
    return {
      wormEnds: () => this.#call('wormEnds'),
      wormBatch: (stream, after, end) => this.#call('wormBatch', stream, after, end),
      wormWrittenAt: (stream, seq) => this.#call('wormWrittenAt', stream, seq),
      wormRoot: (log, size) => this.#call('wormRoot', log, size),
    };
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || !worker.isAlive) return;
    await worker.call('close', []);
    await worker.exited();
  }

  #call<K extends keyof ReaderMethods>(
    method: K,
    ...args: Parameters<ReaderMethods[K]>
  ): Promise<ReturnType<ReaderMethods[K]>> {
    // The thread outlives the request that needs it first.
    this.#worker ??= untraced(() => this.#start(this.#data));
    const worker = this.#worker;
    return span(`reader ${method}`, {}, () => worker.call(method, args)) as Promise<ReturnType<ReaderMethods[K]>>;
  }
}

function startThread(workerData: ReaderData): Calls {
  const resourceLimits = { maxYoungGenerationSizeMb: 6 };
  return new WorkerClient(workerUrl('reader', import.meta.url), { workerData, name: 'journal-reader', resourceLimits });
}
