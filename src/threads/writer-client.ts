import type { ErasureOrderName, ErasureOutcome } from '../core/erasure-order.ts';
import { jsonText } from '../core/json.ts';
import type { AssertCaller, AssertOutcome } from '../journal/read-model.ts';
import { span } from '../observe/trace.ts';
import type { PendingErasures } from '../pull/send-erasures.ts';
import type { AssertRequest } from '../verify/assertion.ts';
import type { ErasureOrder } from './erasing.ts';
import { type Calls, type Dated, type Remote, WorkerClient, workerUrl } from './rpc.ts';
import { isDiskFault, WriteFaults } from './write-faults.ts';
import type { WriterData, WriterEvent, WriterFault, WriterMethods } from './writer.ts';

export interface WriterOptions extends WriterData {
  readonly nodeAuthority: string;
  readonly maxValueBytes: number;
  readonly nowMs: () => number;
  readonly onEvent: (event: WriterEvent) => void;
}

type Method = keyof WriterMethods;
type Plain<K extends Method> = Remote<WriterMethods[K]>;
/** Called without its last argument: this thread's clock says when. */
type Now<K extends Method> = Dated<WriterMethods[K]>;

/**
 * The journal's writer, as the main thread sees it. Calls are carried out in the order in which they are made. What each one does
 * is said where its thread serves it: `writer.ts`, `*-methods.ts`.
 */
export class WriterClient {
  readonly #worker: Calls;
  readonly #options: Pick<WriterOptions, 'nodeAuthority' | 'maxValueBytes' | 'nowMs'>;
  #closing = false;
  readonly #writes = new WriteFaults();
  #derivedFault: WriterFault | null = null;

  readonly ingestPage: Plain<'ingestPage'> = this.#plain('ingestPage');
  readonly audit: Now<'audit'> = this.#now('audit');
  readonly peerProgress: Plain<'peerProgress'> = this.#plain('peerProgress');
  readonly isPeerAdded: Plain<'isPeerAdded'> = this.#plain('isPeerAdded');
  readonly identity: Plain<'identity'> = this.#plain('identity');
  readonly head: Plain<'head'> = this.#plain('head');
  readonly stats: Plain<'stats'> = this.#plain('stats');
  readonly settleRecall: Plain<'settleRecall'> = this.#plain('settleRecall');

  readonly declaredNodes: Plain<'declaredNodes'> = this.#plain('declaredNodes');
  readonly declarations: Plain<'declarations'> = this.#plain('declarations');
  readonly keyWaits: Now<'keyWaits'> = this.#now('keyWaits');
  readonly pinDeclaration: Now<'pinDeclaration'> = this.#now('pinDeclaration');
  readonly followDeclaration: Now<'followDeclaration'> = this.#now('followDeclaration');
  readonly pinIfNew: Now<'pinIfNew'> = this.#now('pinIfNew');
  readonly renewDeclaration: Now<'renewDeclaration'> = this.#now('renewDeclaration');
  readonly successions: Plain<'successions'> = this.#plain('successions');
  readonly saveSuccessions: Now<'saveSuccessions'> = this.#now('saveSuccessions');
  readonly learnSuccessions: Now<'learnSuccessions'> = this.#now('learnSuccessions');

  readonly pendingReceipts: Plain<'pendingReceipts'> = this.#plain('pendingReceipts');
  readonly receiptsTaken: Plain<'receiptsTaken'> = this.#plain('receiptsTaken');
  readonly takeReceipts: Now<'takeReceipts'> = this.#now('takeReceipts');
  readonly notesTaken: Plain<'notesTaken'> = this.#plain('notesTaken');
  readonly keepNotes: Now<'keepNotes'> = this.#now('keepNotes');
  readonly leaveNotesAgain: Plain<'leaveNotesAgain'> = this.#plain('leaveNotesAgain');
  readonly pendingNotices: Now<'pendingNotices'> = this.#now('pendingNotices');
  readonly noticesTaken: Plain<'noticesTaken'> = this.#plain('noticesTaken');
  readonly takeNotices: Now<'takeNotices'> = this.#now('takeNotices');

  readonly givePermit: Now<'givePermit'> = this.#now('givePermit');
  readonly takePermit: Now<'takePermit'> = this.#now('takePermit');
  readonly heldPermits: Now<'heldPermits'> = this.#now('heldPermits');
  readonly disclose: Now<'disclose'> = this.#now('disclose');
  readonly giveClosures: Now<'giveClosures'> = this.#now('giveClosures');
  readonly takeClosures: Now<'takeClosures'> = this.#now('takeClosures');

  readonly takeErasures: Now<'takeErasures'> = this.#now('takeErasures');
  readonly pendingRelayedAcks: Plain<'pendingRelayedAcks'> = this.#plain('pendingRelayedAcks');
  readonly relayedAcksTold: Now<'relayedAcksTold'> = this.#now('relayedAcksTold');
  readonly takeRelayedAcks: Now<'takeRelayedAcks'> = this.#now('takeRelayedAcks');

  readonly resumePeer: Now<'resumePeer'> = this.#now('resumePeer');
  readonly trustKeys: Now<'trustKeys'> = this.#now('trustKeys');
  readonly admitRetry: Now<'admitRetry'> = this.#now('admitRetry');
  readonly retryPage: Plain<'retryPage'> = this.#plain('retryPage');
  readonly recordRetry: Now<'recordRetry'> = this.#now('recordRetry');
  readonly reviewFact: Now<'reviewFact'> = this.#now('reviewFact');
  readonly changeCase: Now<'changeCase'> = this.#now('changeCase');
  readonly changeCases: Now<'changeCases'> = this.#now('changeCases');
  readonly resolveDrillCases: Now<'resolveDrillCases'> = this.#now('resolveDrillCases');
  readonly endProposal: Now<'endProposal'> = this.#now('endProposal');

  readonly guardView: Plain<'guardView'> = this.#plain('guardView');
  readonly signedNote: Plain<'signedNote'> = this.#plain('signedNote');
  readonly compareOwnHead: Now<'compareOwnHead'> = this.#now('compareOwnHead');
  readonly offerOwnPage: Plain<'offerOwnPage'> = this.#plain('offerOwnPage');
  readonly feedCursors: Plain<'feedCursors'> = this.#plain('feedCursors');
  readonly offerNote: Plain<'offerNote'> = this.#plain('offerNote');
  readonly offerSentPage: Plain<'offerSentPage'> = this.#plain('offerSentPage');
  readonly restoreTail: Now<'restoreTail'> = this.#now('restoreTail');
  readonly holdGuard: Plain<'holdGuard'> = this.#plain('holdGuard');
  readonly clearGuard: Plain<'clearGuard'> = this.#plain('clearGuard');

  readonly cosign: Now<'cosign'> = this.#now('cosign');
  readonly monitored: Now<'monitored'> = this.#now('monitored');
  readonly showHead: Now<'showHead'> = this.#now('showHead');
  readonly headToShow: Plain<'headToShow'> = this.#plain('headToShow');
  readonly conviction: Plain<'conviction'> = this.#plain('conviction');
  readonly openPairs: Plain<'openPairs'> = this.#plain('openPairs');
  readonly resolvePair: Now<'resolvePair'> = this.#now('resolvePair');
  readonly judgeHeads: Now<'judgeHeads'> = this.#now('judgeHeads');
  readonly collectCosignatures: Now<'collectCosignatures'> = this.#now('collectCosignatures');
  readonly servedHead: Plain<'servedHead'> = this.#plain('servedHead');
  readonly policyState: Plain<'policyState'> = this.#plain('policyState');
  readonly witnessState: Plain<'witnessState'> = this.#plain('witnessState');

  readonly makeDueAnchors: Now<'makeDueAnchors'> = this.#now('makeDueAnchors');
  readonly nextAnchor: Now<'nextAnchor'> = this.#now('nextAnchor');
  readonly saveAnchorReceipt: Now<'saveAnchorReceipt'> = this.#now('saveAnchorReceipt');
  readonly failAnchor: Plain<'failAnchor'> = this.#plain('failAnchor');
  readonly retryAnchors: Plain<'retryAnchors'> = this.#plain('retryAnchors');
  readonly anchorStatus: Plain<'anchorStatus'> = this.#plain('anchorStatus');
  readonly anchors: Plain<'anchors'> = this.#plain('anchors');
  readonly nextTee: Plain<'nextTee'> = this.#plain('nextTee');
  readonly saveTeeReport: Now<'saveTeeReport'> = this.#now('saveTeeReport');

  readonly openSink: Now<'openSink'> = this.#now('openSink');
  readonly sinkState: Plain<'sinkState'> = this.#plain('sinkState');
  readonly ackSink: Now<'ackSink'> = this.#now('ackSink');
  readonly failSink: Now<'failSink'> = this.#now('failSink');
  readonly moveSink: Now<'moveSink'> = this.#now('moveSink');
  readonly recordDigest: Now<'recordDigest'> = this.#now('recordDigest');

  readonly startDrill: Now<'startDrill'> = this.#now('startDrill');
  readonly endDrill: Now<'endDrill'> = this.#now('endDrill');
  readonly signDrillMonth: Plain<'signDrillMonth'> = this.#plain('signDrillMonth');
  readonly recordDrillReport: Now<'recordDrillReport'> = this.#now('recordDrillReport');

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

  assert(requests: readonly AssertRequest[], caller: AssertCaller): Promise<readonly AssertOutcome[]> {
    const { nodeAuthority, maxValueBytes, nowMs } = this.#options;
    const sent = requests.map(({ value, ...rest }) => ({ ...rest, valueJson: jsonText(value) }));
    return this.#call('assert', sent, { ...caller, nodeAuthority, maxValueBytes, nowMs: nowMs() });
  }

  /** One of this node's keys takes the place of another. @throws JournalError `broken` if it is no statement of this node */
  changeKey(statement: string, actor: string): Promise<void> {
    const { nodeAuthority, maxValueBytes, nowMs } = this.#options;
    return this.#call('changeKey', statement, actor, { nodeAuthority, maxValueBytes, nowMs: nowMs() });
  }

  /** What is told the author itself; by a relay it goes as `relayedAcksTold`. */
  pendingErasures(author: string): Promise<PendingErasures> {
    return this.#call('pendingErasures', author);
  }

  erasuresTold(author: string, steps: readonly number[]): Promise<void> {
    return this.#call('erasuresTold', author, steps, this.#options.nowMs());
  }

  /** What operators order about tombstones. */
  orderErasure(order: ErasureOrderName, given: ErasureOrder): Promise<ErasureOutcome> {
    return this.#call(order, given, this.#options.nowMs());
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

  #plain<K extends Method>(method: K): Plain<K> {
    const call = (...args: Parameters<WriterMethods[K]>) => this.#call(method, ...args);
    return call as unknown as Plain<K>;
  }

  #now<K extends Method>(method: K): Now<K> {
    const call = (...args: readonly unknown[]) => this.#send(method, [...args, this.#options.nowMs()]);
    return call as Now<K>;
  }

  #call<K extends Method>(method: K, ...args: Parameters<WriterMethods[K]>): Promise<ReturnType<WriterMethods[K]>> {
    return this.#send(method, args) as Promise<ReturnType<WriterMethods[K]>>;
  }

  #send(method: Method, args: readonly unknown[]): Promise<unknown> {
    const call = span(`writer ${method}`, {}, () => this.#worker.call(method, args));
    this.#writes.watch(method, call);
    return call;
  }
}
