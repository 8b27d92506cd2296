import type {
  AuditDetail,
  AuditFilter,
  AuditPage,
  CorruptFact,
  FactPage,
  FactProof,
  FactQuery,
  FactResult,
  JournalHead,
} from '../journal/read-model.ts';
import type { BuiltPage, PageRequest } from '../serve/build-page.ts';
import type { PageFrames } from '../wire/page.ts';
import type { ReaderData, ReaderMethods } from './reader.ts';
import { WorkerClient, workerUrl } from './rpc.ts';

export type ProofResult =
  | { readonly kind: 'proof'; readonly proof: FactProof }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact };

/** The journal's readers, as the main thread sees them. The thread starts with the first question. */
export class ReaderClient {
  readonly #data: ReaderData;
  readonly #head: () => Promise<JournalHead>;
  #worker: WorkerClient | undefined;

  constructor(data: ReaderData, head: () => Promise<JournalHead>) {
    this.#data = data;
    this.#head = head;
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

  /** Inclusion of a fact under the newest checkpoint; one is signed if the journal has grown. */
  async proof(factId: string): Promise<ProofResult> {
    const { size, checkpoint } = await this.#head();
    const proof = await this.#call('proof', factId, { size, note: checkpoint });
    if (proof === undefined) return { kind: 'not_found' };
    return 'code' in proof ? { kind: 'corrupt', corrupt: proof } : { kind: 'proof', proof };
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

  heldPage(peer: string, from: number, skip: number): Promise<PageFrames | undefined> {
    return this.#call('heldPage', peer, from, skip);
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
    this.#worker ??= new WorkerClient(workerUrl('reader', import.meta.url), {
      workerData: this.#data,
      name: 'journal-reader',
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    });
    return this.#worker.call(method, args) as Promise<ReturnType<ReaderMethods[K]>>;
  }
}
