import type { Erased, JournalHead, ProveResult } from '../journal/read-model.ts';
import { span, untraced } from '../observe/trace.ts';
import type { ReaderData, ReaderMethods } from './reader.ts';
import { type Calls, type Remote, WorkerClient, workerUrl } from './rpc.ts';

type Read<K extends keyof ReaderMethods> = Remote<ReaderMethods[K]>;

/**
 * The journal's readers, as the main thread sees them. The thread starts with the first question. What each call answers is said
 * where the thread serves it: `reader.ts`, `*-reads.ts`.
 */
export class ReaderClient {
  readonly #data: ReaderData;
  readonly #head: () => Promise<JournalHead>;
  readonly #declaration: () => string;
  readonly #start: (data: ReaderData) => Calls;
  #worker: Calls | undefined;

  readonly fact: Read<'fact'> = this.#read('fact');
  readonly facts: Read<'facts'> = this.#read('facts');
  readonly auditPage: Read<'auditPage'> = this.#read('auditPage');
  readonly auditDetail: Read<'auditDetail'> = this.#read('auditDetail');
  readonly auditLines: Read<'auditLines'> = this.#read('auditLines');
  readonly recall: Read<'recall'> = this.#read('recall');
  readonly changes: Read<'changes'> = this.#read('changes');
  readonly published: Read<'published'> = this.#read('published');
  readonly #prove: Read<'prove'> = this.#read('prove');

  readonly page: Read<'page'> = this.#read('page');
  readonly inclusion: Read<'inclusion'> = this.#read('inclusion');
  readonly consistency: Read<'consistency'> = this.#read('consistency');
  readonly tile: Read<'tile'> = this.#read('tile');
  readonly heldCheckpoint: Read<'heldCheckpoint'> = this.#read('heldCheckpoint');
  readonly heldPage: Read<'heldPage'> = this.#read('heldPage');
  readonly keptNotes: Read<'keptNotes'> = this.#read('keptNotes');
  readonly lastPageWithin: Read<'lastPageWithin'> = this.#read('lastPageWithin');
  readonly pendingNotes: Read<'pendingNotes'> = this.#read('pendingNotes');

  readonly packetParts: Read<'packetParts'> = this.#read('packetParts');
  readonly receipts: Read<'receipts'> = this.#read('receipts');
  readonly refusalNotices: Read<'refusalNotices'> = this.#read('refusalNotices');
  readonly erasures: Read<'erasures'> = this.#read('erasures');
  readonly erasure: Read<'erasure'> = this.#read('erasure');
  readonly realRefusals: Read<'realRefusals'> = this.#read('realRefusals');
  readonly lastRefusalAt: Read<'lastRefusalAt'> = this.#read('lastRefusalAt');

  readonly quarantined: Read<'quarantined'> = this.#read('quarantined');
  readonly quarantineHistory: Read<'quarantineHistory'> = this.#read('quarantineHistory');
  readonly proposals: Read<'proposals'> = this.#read('proposals');
  readonly proposal: Read<'proposal'> = this.#read('proposal');
  readonly cases: Read<'cases'> = this.#read('cases');
  readonly caseCounts: Read<'caseCounts'> = this.#read('caseCounts');
  readonly caseFile: Read<'caseFile'> = this.#read('caseFile');
  readonly caseEvents: Read<'caseEvents'> = this.#read('caseEvents');
  readonly caseNews: Read<'caseNews'> = this.#read('caseNews');

  readonly feedStates: Read<'feedStates'> = this.#read('feedStates');
  readonly newestFacts: Read<'newestFacts'> = this.#read('newestFacts');
  readonly givenFeeds: Read<'givenFeeds'> = this.#read('givenFeeds');
  readonly givenRuns: Read<'givenRuns'> = this.#read('givenRuns');
  readonly givenFact: Read<'givenFact'> = this.#read('givenFact');

  readonly wormEnds: Read<'wormEnds'> = this.#read('wormEnds');
  readonly wormBatch: Read<'wormBatch'> = this.#read('wormBatch');
  readonly wormWrittenAt: Read<'wormWrittenAt'> = this.#read('wormWrittenAt');
  readonly wormRoot: Read<'wormRoot'> = this.#read('wormRoot');

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

  /** A checkpoint is signed if the journal has grown: every fact read before this call is covered by one. */
  async prove(factIds: readonly string[], withChain: boolean, erased: readonly Erased[] = []): Promise<ProveResult> {
    const { size, checkpoint, chainHash } = await this.#head();
    const head = { size, note: checkpoint, chainHash };
    return this.#prove({ factIds, erased, head, declaration: this.#declaration(), withChain });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined || !worker.isAlive) return;
    await worker.call('close', []);
    await worker.exited();
  }

  #read<K extends keyof ReaderMethods>(method: K): Read<K> {
    const call = (...args: readonly unknown[]): Promise<unknown> => this.#call(method, args);
    return call as Read<K>;
  }

  #call(method: keyof ReaderMethods, args: readonly unknown[]): Promise<unknown> {
    // The thread outlives the request that needs it first.
    this.#worker ??= untraced(() => this.#start(this.#data));
    const worker = this.#worker;
    return span(`reader ${method}`, {}, () => worker.call(method, args));
  }
}

function startThread(workerData: ReaderData): Calls {
  const resourceLimits = { maxYoungGenerationSizeMb: 6 };
  return new WorkerClient(workerUrl('reader', import.meta.url), { workerData, name: 'journal-reader', resourceLimits });
}
