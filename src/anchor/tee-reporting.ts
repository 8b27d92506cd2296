/**
 * Beside anchoring: has the trusted execution environment report on the newest checkpoint of each log. No checkpoint
 * counts as anchored by it, and none waits for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnchorCheckpoint } from '../journal/anchor-records.ts';
import type { NewTeeReport } from '../journal/tee-records.ts';
import { checkTeeBinding, formatTeeReport, type TeeBlobs, teeNonce } from '../merkle/tee-report.ts';
import { TeeError, type TeeErrorCode } from './tsm-report.ts';

/** What the journal's thread does for it. */
export interface TeeJournal {
  nextTee(): Promise<AnchorCheckpoint | null>;
  saveTeeReport(report: NewTeeReport): Promise<number>;
}

export interface TeeReportingDeps {
  readonly journal: TeeJournal;
  /** @throws TeeError */
  readonly take: (nonce: Uint8Array) => Promise<TeeBlobs>;
  /** Pause after a failure; then the newest checkpoint is reported on, whichever that is by then. */
  readonly retryMs: number;
  readonly nowMs: () => number;
  readonly onReported: (provider: string) => void;
  readonly onFailed: (checkpoint: AnchorCheckpoint, code: TeeErrorCode, message: string) => void;
  /** The journal itself could not be asked. */
  readonly onError: (error: unknown) => void;
}

const TICK_MS = 1_000;

export class TeeReporting {
  readonly #deps: TeeReportingDeps;
  readonly #stopping = new AbortController();
  #retryAtMs = 0;
  #done: Promise<void> = Promise.resolve();

  constructor(deps: TeeReportingDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#done = this.#loop(this.#stopping.signal);
  }

  /** What is under way ends first: the kernel has a deadline of its own. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#done;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.turn().catch(this.#deps.onError);
      await sleep(TICK_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** One look, and one report if a checkpoint has none. */
  async turn(): Promise<void> {
    const { journal, nowMs, onFailed, onReported, retryMs } = this.#deps;
    if (nowMs() < this.#retryAtMs) return;
    const checkpoint = await journal.nextTee();
    if (checkpoint === null) return;
    let report: NewTeeReport;
    try {
      report = await this.#report(checkpoint);
    } catch (thrown) {
      if (!(thrown instanceof TeeError)) throw thrown;
      this.#retryAtMs = nowMs() + retryMs;
      onFailed(checkpoint, thrown.code, thrown.message);
      return;
    }
    // Killed here, nothing says that there was a report: another one is taken at the next start.
    await journal.saveTeeReport(report);
    onReported(report.provider);
  }

  async #report({ log, treeSize, note }: AnchorCheckpoint): Promise<NewTeeReport> {
    const nonce = teeNonce(note);
    const blobs = await this.#deps.take(nonce);
    const binding = checkTeeBinding(blobs, nonce);
    if (binding === 'other_nonce' || binding === 'too_short') {
      const message = `expected a ${blobs.provider} report with our nonce, got one ${binding === 'too_short' ? 'that is cut short' : 'with another'}`;
      throw new TeeError('not_bound', message);
    }
    const evidence = formatTeeReport({ ...blobs, checkpoint: note });
    return { log, treeSize, nonce: nonce.toString('hex'), provider: blobs.provider, binding, evidence };
  }
}
