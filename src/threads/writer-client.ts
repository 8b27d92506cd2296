import { jsonText } from '../core/json.ts';
import type { JournalIdentity } from '../journal/files.ts';
import type { GuardView, OwnHeadVerdict } from '../journal/guard.ts';
import type { AuditInput, JournalHead, PeerProgress } from '../journal/read-model.ts';
import type { IngestInput, IngestOutcome } from '../pull/ingest.ts';
import type { AssertRequest } from '../verify/assertion.ts';
import type { PageFrames } from '../wire/page.ts';
import type { AssertOutcome } from './asserting.ts';
import type { RestoreOutcome } from './guard-methods.ts';
import { WorkerClient, workerUrl } from './rpc.ts';
import type { WriterData, WriterEvent, WriterMethods, WriterStats } from './writer.ts';

export interface WriterOptions extends WriterData {
  readonly nodeAuthority: string;
  readonly maxValueBytes: number;
  readonly nowMs: () => number;
  readonly onEvent: (event: WriterEvent) => void;
}

/** Calls that write: how the last of them went is how the disk is. */
const WRITES: ReadonlySet<string> = new Set(['assert', 'ingestPage', 'audit', 'pinDeclaration', 'head']);
const DISK_FAULTS: ReadonlySet<string> = new Set([
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_IOERR_WRITE',
  'SQLITE_READONLY',
  'ENOSPC',
  'EIO',
  'EROFS',
]);

/** The journal's writer, as the main thread sees it. Calls are carried out in the order in which they are made. */
export class WriterClient {
  readonly #worker: WorkerClient;
  readonly #options: WriterOptions;
  #closing = false;
  /** What the last write failed with, in words; null when it went through. */
  writeFault: string | null = null;

  private constructor(worker: WorkerClient, options: WriterOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  /** Starts the thread; resolves when the journal is open. @throws what opening it throws, e.g. `history_rewritten` */
  static async open(options: WriterOptions): Promise<WriterClient> {
    const { folder, logSeed, cacheMiB, signedHeadsFile, guarded } = options;
    const worker = new WorkerClient(
      workerUrl('writer', import.meta.url),
      {
        workerData: { folder, logSeed, cacheMiB, signedHeadsFile, guarded } satisfies WriterData,
        name: 'journal-writer',
        resourceLimits: { maxYoungGenerationSizeMb: 6 },
      },
      (event) => options.onEvent(event as WriterEvent),
    );
    const client = new WriterClient(worker, options);
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

  pinDeclaration(peer: string, note: string, input: AuditInput): Promise<number> {
    return this.#call('pinDeclaration', peer, note, input, this.#options.nowMs());
  }

  peerProgress(peer: string, feeds: readonly string[]): Promise<PeerProgress> {
    return this.#call('peerProgress', peer, feeds);
  }

  isPeerAdded(peer: string): Promise<boolean> {
    return this.#call('isPeerAdded', peer);
  }

  guardView(): Promise<GuardView> {
    return this.#call('guardView');
  }

  compareOwnHead(note: string, shownBy: string): Promise<OwnHeadVerdict> {
    return this.#call('compareOwnHead', note, shownBy, this.#options.nowMs());
  }

  offerOwnPage(frames: PageFrames): Promise<number | null> {
    return this.#call('offerOwnPage', frames);
  }

  restoreTail(): Promise<RestoreOutcome> {
    return this.#call('restoreTail', this.#options.nowMs());
  }

  holdGuard(why: string): Promise<void> {
    return this.#call('holdGuard', why);
  }

  clearGuard(): Promise<void> {
    return this.#call('clearGuard', this.#options.nowMs());
  }

  identity(): Promise<JournalIdentity> {
    return this.#call('identity');
  }

  head(): Promise<JournalHead> {
    return this.#call('head');
  }

  stats(): Promise<WriterStats> {
    return this.#call('stats');
  }

  /** Rejects when the thread has ended by itself; stays pending when it was closed. */
  async failed(): Promise<never> {
    await this.#worker.exited();
    if (!this.#closing) throw new Error('the journal thread has ended: see the log, and run `stigmem-peerd fsck`');
    return new Promise(() => {});
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

  #call<K extends keyof WriterMethods>(
    method: K,
    ...args: Parameters<WriterMethods[K]>
  ): Promise<ReturnType<WriterMethods[K]>> {
    const call = this.#worker.call(method, args) as Promise<ReturnType<WriterMethods[K]>>;
    if (WRITES.has(method))
      call.then(
        () => {
          this.writeFault = null;
        },
        (error: Error & { code?: string }) => {
          if (DISK_FAULTS.has(error.code ?? '')) this.writeFault = error.message;
        },
      );
    return call;
  }
}
