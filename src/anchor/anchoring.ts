/**
 * Beside the append path: makes checkpoints when they are due, also in a journal that has gone quiet, and has each log take
 * them in order. A log that is down holds up nobody: what waits is submitted when it is back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnchorCheckpoint, AnchorFailure, BackendStatus, NewAnchorReceipt } from '../journal/anchor-records.ts';
import type { Traces } from '../observe/trace.ts';
import type { AnchorBackend } from './backend.ts';
import { AnchorError } from './errors.ts';

/** What the journal's thread does for it. */
export interface AnchorJournal {
  makeDueAnchors(cadence: AnchorCadence): Promise<number>;
  nextAnchor(backend: string): Promise<AnchorCheckpoint | null>;
  saveAnchorReceipt(id: number, receipt: NewAnchorReceipt): Promise<void>;
  failAnchor(id: number, backend: string, failure: AnchorFailure): Promise<void>;
  anchorStatus(backends: readonly string[]): Promise<BackendStatus[]>;
}

export interface AnchorCadence {
  readonly interval: number;
  readonly maxAgeMs: number;
}

export interface AnchoringDeps {
  readonly journal: AnchorJournal;
  readonly backends: readonly AnchorBackend[];
  readonly cadence: AnchorCadence;
  /** First pause after a failure; it doubles, up to an hour. */
  readonly retryMs: number;
  readonly nowMs: () => number;
  readonly traces: Traces;
  readonly onSubmitted: (backend: string, checkpoint: AnchorCheckpoint) => void;
  readonly onFailed: (backend: string, checkpoint: AnchorCheckpoint, error: AnchorError) => void;
  /** The journal itself could not be asked. */
  readonly onError: (error: unknown) => void;
}

/** How often it is looked whether a checkpoint is due; so no log gets more than one a second. */
const TICK_MS = 1_000;
const MAX_RETRY_MS = 3_600_000;
const REFUSED_RETRY_MS = 3_600_000;
const MAX_ERROR_CHARS = 512;

export class Anchoring {
  readonly #deps: AnchoringDeps;
  readonly #stopping = new AbortController();
  readonly #failures = new Map<string, number>();
  #done: Promise<unknown> = Promise.resolve();

  constructor(deps: AnchoringDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { signal } = this.#stopping;
    const loops = [this.#loop(() => this.#makeDue(), signal)];
    for (const backend of this.#deps.backends) loops.push(this.#loop(() => this.#submitAll(backend, signal), signal));
    this.#done = Promise.all(loops);
  }

  status(): Promise<BackendStatus[]> {
    return this.#deps.journal.anchorStatus(this.#deps.backends.map(({ name }) => name));
  }

  /** What is under way is given up: it is submitted again at the next start, and the log has it once all the same. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#done;
  }

  async #loop(turn: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await turn().catch((error: unknown) => {
        if (!signal.aborted) this.#deps.onError(error);
      });
      await sleep(TICK_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #makeDue(): Promise<void> {
    await this.#deps.journal.makeDueAnchors(this.#deps.cadence);
  }

  async #submitAll(backend: AnchorBackend, signal: AbortSignal): Promise<void> {
    for (let more = true; more && !signal.aborted; ) {
      const checkpoint = await this.#deps.journal.nextAnchor(backend.name);
      more = checkpoint !== null && (await this.#submit(backend, checkpoint, signal));
    }
  }

  /** @returns whether the next one may be looked for at once */
  async #submit(backend: AnchorBackend, checkpoint: AnchorCheckpoint, signal: AbortSignal): Promise<boolean> {
    const { journal, onSubmitted, onFailed } = this.#deps;
    let receipt: NewAnchorReceipt;
    try {
      const attributes = { backend: backend.name, tree_size: checkpoint.treeSize };
      const root = { name: 'anchor submit', kind: 'client', attributes } as const;
      receipt = await this.#deps.traces.begin(root, () => backend.submit(checkpoint, signal));
    } catch (thrown) {
      if (signal.aborted) return false;
      const error = asAnchorError(thrown);
      await journal.failAnchor(checkpoint.id, backend.name, this.#failure(backend.name, error));
      onFailed(backend.name, checkpoint, error);
      return error.code === 'refused';
    }
    // Killed here, the log has it and the journal does not know: the same bytes are submitted again and found there.
    await journal.saveAnchorReceipt(checkpoint.id, receipt);
    this.#failures.delete(backend.name);
    onSubmitted(backend.name, checkpoint);
    return true;
  }

  #failure(backend: string, error: AnchorError): AnchorFailure {
    const isPermanent = error.code === 'refused';
    const failures = (this.#failures.get(backend) ?? 0) + 1;
    if (!isPermanent) this.#failures.set(backend, failures);
    const pauseMs = isPermanent ? REFUSED_RETRY_MS : Math.min(MAX_RETRY_MS, this.#deps.retryMs * 2 ** (failures - 1));
    const nextRetryUs = (this.#deps.nowMs() + pauseMs) * 1_000;
    return { error: error.message.slice(0, MAX_ERROR_CHARS), isPermanent, nextRetryUs };
  }
}

function asAnchorError(thrown: unknown): AnchorError {
  if (thrown instanceof AnchorError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AnchorError('unreachable', message, { cause: thrown });
}
