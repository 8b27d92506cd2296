import type { ActBy, ActOutcome } from '../core/approval.ts';
import type { BulkOutcome, CaseOrder, CaseOutcome } from '../core/case-report.ts';
import type { HeldPermit } from '../core/disclosure.ts';
import type { DrillOrder, DrillOutcome, StartedDrill } from '../core/drill.ts';
import type { ErasureOrderName, ErasureOutcome } from '../core/erasure-order.ts';
import { jsonText } from '../core/json.ts';
import type { RetryReport } from '../core/retry.ts';
import type { ReviewDecision, ReviewOutcome } from '../core/review.ts';
import type {
  AnchorCheckpoint,
  Anchored,
  AnchorFailure,
  BackendStatus,
  NewAnchorReceipt,
} from '../journal/anchor-records.ts';
import type { Disclosure } from '../journal/disclosure-records.ts';
import type { JournalIdentity } from '../journal/files.ts';
import type { GuardView, OwnHeadVerdict } from '../journal/guard.ts';
import type { KeptNote } from '../journal/kept-notes.ts';
import type { AssertOutcome, AuditInput, JournalHead, PeerProgress } from '../journal/read-model.ts';
import type { SinkMove, SinkState } from '../journal/sink-records.ts';
import type { NewTeeReport } from '../journal/tee-records.ts';
import { span } from '../observe/trace.ts';
import type { TakenClosures } from '../pull/ask-closures.ts';
import type { TakenPermit } from '../pull/ask-permit.ts';
import type { NamedPeer, WaitingKey } from '../pull/deps.ts';
import type { KeyChange } from '../pull/errors.ts';
import type { IngestInput, IngestOutcome } from '../pull/ingest.ts';
import type { RetriedPage, RetryInput } from '../pull/retry.ts';
import type { PendingErasures } from '../pull/send-erasures.ts';
import type { PendingNotes } from '../pull/send-notes.ts';
import type { PendingNotices } from '../pull/send-notices.ts';
import type { PendingReceipts } from '../pull/send-receipts.ts';
import type { AckTold, PendingAck } from '../pull/send-relayed-acks.ts';
import type { EndedFeed } from '../serve/answer-closure.ts';
import type { NoticesTaken } from '../serve/answer-notice.ts';
import type { AssertRequest } from '../verify/assertion.ts';
import type { DrillMonth } from '../wire/drill-report.ts';
import type { ExportDigest } from '../wire/export-digest.ts';
import type { PageFrames } from '../wire/page.ts';
import type { FeedCursor } from '../wire/pull-request.ts';
import type { RelayedAck } from '../wire/relayed-ack.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import type { WitnessJournal } from '../witness/deps.ts';
import type { Cadence } from './anchor-methods.ts';
import type { ProposalEnding } from './approval-methods.ts';
import type { BulkOrder } from './case-methods.ts';
import type { ErasureOrder } from './erasing.ts';
import type { RestoreOutcome } from './guard-methods.ts';
import type { OfferedNote, OfferedPage } from './regained.ts';
import type { TakenAcks } from './relayed-ack-methods.ts';
import { type Calls, WorkerClient, workerUrl } from './rpc.ts';
import { isDiskFault, WriteFaults } from './write-faults.ts';
import type { WriterData, WriterEvent, WriterFault, WriterMethods, WriterStats } from './writer.ts';

export interface WriterOptions extends WriterData {
  readonly nodeAuthority: string;
  readonly maxValueBytes: number;
  readonly nowMs: () => number;
  readonly onEvent: (event: WriterEvent) => void;
}

/** The journal's writer, as the main thread sees it. Calls are carried out in the order in which they are made. */
export class WriterClient {
  readonly #worker: Calls;
  readonly #options: Pick<WriterOptions, 'nodeAuthority' | 'maxValueBytes' | 'nowMs'>;
  #closing = false;
  readonly #writes = new WriteFaults();
  #derivedFault: WriterFault | null = null;

  /** @param worker who serves `WriterMethods` */
  constructor(worker: Calls, options: Pick<WriterOptions, 'nodeAuthority' | 'maxValueBytes' | 'nowMs'>) {
    this.#worker = worker;
    this.#options = options;
  }

  /** Starts the thread; resolves when the journal is open. @throws what opening it throws, e.g. `history_rewritten` */
  static async open(options: WriterOptions): Promise<WriterClient> {
    const { nodeAuthority: _a, maxValueBytes: _m, nowMs: _n, onEvent: _e, ...data } = options;
    const worker = new WorkerClient(
      workerUrl('writer', import.meta.url),
      {
        workerData: data,
        name: 'journal-writer',
        resourceLimits: { maxYoungGenerationSizeMb: 6 },
      },
      (event) => {
        client.heard(event as WriterEvent);
        options.onEvent(event as WriterEvent);
      },
    );
    const client: WriterClient = new WriterClient(worker, options);
    await client.stats();
    return client;
  }

  assert(
    requests: readonly AssertRequest[],
    caller: { readonly actor: string; readonly mayWriteInstructions: boolean },
  ): Promise<readonly AssertOutcome[]> {
    const { nodeAuthority, maxValueBytes, nowMs } = this.#options;
    const sent = requests.map(({ value, ...rest }) => ({ ...rest, valueJson: jsonText(value) }));
    const { mayWriteInstructions } = caller;
    return this.#call('assert', sent, { nodeAuthority, maxValueBytes, mayWriteInstructions, nowMs: nowMs() });
  }

  /** The frames are moved, not copied, unless the page may have to come again with single proofs. */
  ingestPage(input: IngestInput): Promise<IngestOutcome> {
    return this.#call('ingestPage', input);
  }

  audit(input: AuditInput): Promise<number> {
    return this.#call('audit', input, this.#options.nowMs());
  }

  declaredNodes(): Promise<readonly string[]> {
    return this.#call('declaredNodes');
  }

  keyWaits(peer: string, waiting: WaitingKey): Promise<boolean> {
    return this.#call('keyWaits', peer, waiting, this.#options.nowMs());
  }

  pinDeclaration(peer: string, note: string, input: AuditInput): Promise<number> {
    return this.#call('pinDeclaration', peer, note, input, this.#options.nowMs());
  }

  successions(nodeIds: readonly string[]): Promise<readonly (readonly OpenedSuccession[])[]> {
    return this.#call('successions', nodeIds);
  }

  saveSuccessions(nodeId: string, notes: readonly string[]): Promise<number> {
    return this.#call('saveSuccessions', nodeId, notes, this.#options.nowMs());
  }

  learnSuccessions(statements: readonly OpenedSuccession[], shownBy: string): Promise<number> {
    return this.#call('learnSuccessions', statements, shownBy, this.#options.nowMs());
  }

  /** One of this node's keys takes the place of another. @throws JournalError `broken` if it is no statement of this node */
  changeKey(statement: string, actor: string): Promise<void> {
    const { nodeAuthority, maxValueBytes, nowMs } = this.#options;
    return this.#call('changeKey', statement, actor, { nodeAuthority, maxValueBytes, nowMs: nowMs() });
  }

  givePermit(relay: string, untilMs: number | null): Promise<string | null> {
    return this.#call('givePermit', relay, untilMs, this.#options.nowMs());
  }

  takePermit(peer: string, note: string): Promise<TakenPermit> {
    return this.#call('takePermit', peer, note, this.#options.nowMs());
  }

  heldPermits(): Promise<readonly (readonly [feed: string, HeldPermit])[]> {
    return this.#call('heldPermits', this.#options.nowMs());
  }

  peerProgress(peer: string, feeds: readonly string[]): Promise<PeerProgress> {
    return this.#call('peerProgress', peer, feeds);
  }

  pendingReceipts(peer: string, origin: string): Promise<PendingReceipts> {
    return this.#call('pendingReceipts', peer, origin);
  }

  receiptsTaken(peer: string, pageId: number): Promise<void> {
    return this.#call('receiptsTaken', peer, pageId);
  }

  takeReceipts(peer: string, receipts: readonly string[]): Promise<number> {
    return this.#call('takeReceipts', peer, receipts, this.#options.nowMs());
  }

  pendingNotes(peer: string): Promise<PendingNotes> {
    return this.#call('pendingNotes', peer);
  }

  notesTaken(peer: string, pageId: number): Promise<void> {
    return this.#call('notesTaken', peer, pageId);
  }

  keepNotes(peer: string, notes: readonly KeptNote[]): Promise<void> {
    return this.#call('keepNotes', peer, notes, this.#options.nowMs());
  }

  leaveNotesAgain(peer: string, pageId: number): Promise<void> {
    return this.#call('leaveNotesAgain', peer, pageId);
  }

  pinIfNew(peer: string, note: string, input: AuditInput): Promise<number | undefined> {
    return this.#call('pinIfNew', peer, note, input, this.#options.nowMs());
  }

  disclose(disclosure: Disclosure): Promise<void> {
    return this.#call('disclose', disclosure, this.#options.nowMs());
  }

  giveClosures(peer: string, ended: readonly EndedFeed[]): Promise<readonly string[]> {
    return this.#call('giveClosures', peer, ended, this.#options.nowMs());
  }

  takeClosures(peer: string, feeds: readonly string[], notes: readonly string[]): Promise<TakenClosures> {
    return this.#call('takeClosures', peer, feeds, notes, this.#options.nowMs());
  }

  pendingNotices(peer: string): Promise<PendingNotices> {
    return this.#call('pendingNotices', peer, this.#options.nowMs());
  }

  noticesTaken(peer: string, groups: PendingNotices['groups']): Promise<void> {
    return this.#call('noticesTaken', peer, groups);
  }

  takeNotices(peer: string, notices: readonly string[]): Promise<NoticesTaken> {
    return this.#call('takeNotices', peer, notices, this.#options.nowMs());
  }

  renewDeclaration(peer: string, note: string): Promise<boolean> {
    return this.#call('renewDeclaration', peer, note, this.#options.nowMs());
  }

  resumePeer(peer: NamedPeer, by: ActBy): Promise<ActOutcome<number>> {
    return this.#call('resumePeer', peer, by, this.#options.nowMs());
  }

  trustKeys(peer: NamedPeer, declared: KeyChange, by: ActBy): Promise<ActOutcome<number>> {
    return this.#call('trustKeys', peer, declared, by, this.#options.nowMs());
  }

  admitRetry(peer: NamedPeer, afterPage: number, by: ActBy): Promise<ActOutcome<RetryInput['by']>> {
    return this.#call('admitRetry', peer, afterPage, by, this.#options.nowMs());
  }

  retryPage(input: RetryInput): Promise<RetriedPage | null> {
    return this.#call('retryPage', input);
  }

  recordRetry(peer: string, report: RetryReport, by: RetryInput['by']): Promise<number> {
    return this.#call('recordRetry', peer, report, by, this.#options.nowMs());
  }

  reviewFact(fact: string, decision: ReviewDecision, by: ActBy): Promise<ReviewOutcome> {
    return this.#call('reviewFact', fact, decision, by, this.#options.nowMs());
  }

  changeCase(order: CaseOrder, by: ActBy): Promise<CaseOutcome> {
    return this.#call('changeCase', order, by, this.#options.nowMs());
  }

  changeCases(order: BulkOrder, by: ActBy): Promise<BulkOutcome> {
    return this.#call('changeCases', order, by, this.#options.nowMs());
  }

  endProposal(id: number, by: ProposalEnding): Promise<ActOutcome<null>> {
    return this.#call('endProposal', id, by, this.#options.nowMs());
  }

  isPeerAdded(peer: string): Promise<boolean> {
    return this.#call('isPeerAdded', peer);
  }

  guardView(): Promise<GuardView> {
    return this.#call('guardView');
  }

  signedNote(): Promise<string | null> {
    return this.#call('signedNote');
  }

  compareOwnHead(note: string, shownBy: string): Promise<OwnHeadVerdict> {
    return this.#call('compareOwnHead', note, shownBy, this.#options.nowMs());
  }

  offerOwnPage(frames: PageFrames): Promise<number | null> {
    return this.#call('offerOwnPage', frames);
  }

  feedCursors(peer: string): Promise<readonly FeedCursor[]> {
    return this.#call('feedCursors', peer);
  }

  offerNote(peer: string, note: KeptNote): Promise<OfferedNote> {
    return this.#call('offerNote', peer, note);
  }

  offerSentPage(peer: string, frames: PageFrames): Promise<OfferedPage | null> {
    return this.#call('offerSentPage', peer, frames);
  }

  restoreTail(): Promise<RestoreOutcome> {
    return this.#call('restoreTail', this.#options.nowMs());
  }

  holdGuard(why: string): Promise<void> {
    return this.#call('holdGuard', why);
  }

  clearGuard(): Promise<void> {
    return this.#call('clearGuard');
  }

  makeDueAnchors(cadence: Cadence): Promise<number> {
    return this.#call('makeDueAnchors', cadence, this.#options.nowMs());
  }

  nextAnchor(backend: string): Promise<AnchorCheckpoint | null> {
    return this.#call('nextAnchor', backend, this.#options.nowMs());
  }

  saveAnchorReceipt(id: number, receipt: NewAnchorReceipt): Promise<void> {
    return this.#call('saveAnchorReceipt', id, receipt, this.#options.nowMs());
  }

  failAnchor(id: number, backend: string, failure: AnchorFailure): Promise<void> {
    return this.#call('failAnchor', id, backend, failure);
  }

  nextTee(): Promise<AnchorCheckpoint | null> {
    return this.#call('nextTee');
  }

  saveTeeReport(report: NewTeeReport): Promise<number> {
    return this.#call('saveTeeReport', report, this.#options.nowMs());
  }

  retryAnchors(): Promise<void> {
    return this.#call('retryAnchors');
  }

  anchorStatus(backends: readonly string[]): Promise<BackendStatus[]> {
    return this.#call('anchorStatus', backends);
  }

  /** Newest first, from below `before`. */
  anchors(before: number, limit: number, pending: boolean): Promise<Anchored[]> {
    return this.#call('anchors', before, limit, pending);
  }

  identity(): Promise<JournalIdentity> {
    return this.#call('identity');
  }

  head(): Promise<JournalHead> {
    return this.#call('head');
  }

  pendingErasures(peer: string): Promise<PendingErasures> {
    return this.#call('pendingErasures', peer);
  }

  erasuresTold(peer: string, steps: readonly number[]): Promise<void> {
    return this.#call('erasuresTold', peer, steps, this.#options.nowMs());
  }

  pendingRelayedAcks(peer: string, feeds: readonly string[]): Promise<readonly PendingAck[]> {
    return this.#call('pendingRelayedAcks', peer, feeds);
  }

  relayedAcksTold(peer: string, told: readonly AckTold[]): Promise<void> {
    return this.#call('relayedAcksTold', peer, told, this.#options.nowMs());
  }

  takeRelayedAcks(peer: string, acks: readonly RelayedAck[]): Promise<TakenAcks> {
    return this.#call('takeRelayedAcks', peer, acks, this.#options.nowMs());
  }

  takeErasures(peer: string, acks: readonly string[]): Promise<number> {
    return this.#call('takeErasures', peer, acks, this.#options.nowMs());
  }

  /** What operators order about tombstones. */
  orderErasure(order: ErasureOrderName, given: ErasureOrder): Promise<ErasureOutcome> {
    return this.#call(order, given, this.#options.nowMs());
  }

  openSink(name: string, start: 'beginning' | 'now'): Promise<SinkState> {
    return this.#call('openSink', name, start, this.#options.nowMs());
  }

  sinkState(name: string): Promise<SinkState | null> {
    return this.#call('sinkState', name);
  }

  ackSink(name: string, from: number, to: number): Promise<boolean> {
    return this.#call('ackSink', name, from, to, this.#options.nowMs());
  }

  failSink(name: string, at: number, error: string): Promise<void> {
    return this.#call('failSink', name, at, error, this.#options.nowMs());
  }

  moveSink(name: string, move: SinkMove, by: Pick<ActBy, 'actor' | 'reason'>): Promise<number | null> {
    return this.#call('moveSink', name, move, by, this.#options.nowMs());
  }

  recordDigest(digest: ExportDigest): Promise<number> {
    return this.#call('recordDigest', digest, this.#options.nowMs());
  }

  startDrill(order: DrillOrder): Promise<StartedDrill> {
    return this.#call('startDrill', order, this.#options.nowMs());
  }

  endDrill(drill: StartedDrill, outcome: DrillOutcome): Promise<number> {
    return this.#call('endDrill', drill, outcome, this.#options.nowMs());
  }

  resolveDrillCases(peer: string, why: string): Promise<readonly number[]> {
    return this.#call('resolveDrillCases', peer, why, this.#options.nowMs());
  }

  signDrillMonth(month: DrillMonth): Promise<string> {
    return this.#call('signDrillMonth', month);
  }

  recordDrillReport(month: DrillMonth, text: string): Promise<number> {
    return this.#call('recordDrillReport', month, text, this.#options.nowMs());
  }

  settleRecall(): Promise<number> {
    return this.#call('settleRecall');
  }

  stats(): Promise<WriterStats> {
    return this.#call('stats');
  }

  /** The witness's part: each call as the journal's thread serves it, with this thread's clock where it asks for one. */
  get witness(): WitnessJournal {
    const { nowMs } = this.#options;
    return {
      cosign: (request, log) => this.#call('cosign', request, log, nowMs()),
      monitored: (log) => this.#call('monitored', log, nowMs()),
      showHead: (log, note, seenFrom) => this.#call('showHead', log, note, seenFrom, nowMs()),
      headToShow: (log) => this.#call('headToShow', log),
      openPairs: (log) => this.#call('openPairs', log),
      resolvePair: (log, pair, path) => this.#call('resolvePair', log, pair, path, nowMs()),
      judgeHeads: (log, notes, path, seenFrom) => this.#call('judgeHeads', log, notes, path, seenFrom, nowMs()),
      collectCosignatures: (size, lines, trusted) => this.#call('collectCosignatures', size, lines, trusted, nowMs()),
      servedHead: (knownSize) => this.#call('servedHead', knownSize),
      policyState: () => this.#call('policyState'),
      witnessState: (logs) => this.#call('witnessState', logs),
      declarations: (peers) => this.#call('declarations', peers),
    };
  }

  /** Rejects when the thread has ended by itself; stays pending when it was closed. */
  async failed(): Promise<never> {
    await this.#worker.exited();
    if (!this.#closing) throw new Error('the journal thread has ended: see the log, and run `stigmem-peerd fsck`');
    return new Promise(() => {});
  }

  /** What the last write failed with, in words; null when it went through. */
  get writeFault(): string | null {
    const derived = this.#derivedFault;
    return this.#writes.fault ?? (derived !== null && isDiskFault(derived.code) ? derived.message : null);
  }

  /** Why look-ups and the index of words cannot be filled, in words; null: they can. */
  get derivedFault(): string | null {
    return this.#derivedFault?.message ?? null;
  }

  get isAlive(): boolean {
    return this.#worker.isAlive;
  }

  get pending(): number {
    return this.#worker.pending;
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#worker.isAlive) return;
    await this.#call('close');
    await this.#worker.exited();
  }

  /** What the writer says by itself has to pass here: its faults are part of what is known of it. */
  heard(event: WriterEvent): void {
    if (event.kind === 'derived') this.#derivedFault = event.fault;
  }

  #call<K extends keyof WriterMethods>(
    method: K,
    ...args: Parameters<WriterMethods[K]>
  ): Promise<ReturnType<WriterMethods[K]>> {
    const call = span(`writer ${method}`, {}, () => this.#worker.call(method, args)) as Promise<
      ReturnType<WriterMethods[K]>
    >;
    this.#writes.watch(method, call);
    return call;
  }
}
