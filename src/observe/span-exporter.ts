/** Spans on their way out: collected, sent in batches, dropped and counted when nobody takes them. Nothing waits for them. */
import { type Span, untraced } from './trace.ts';

export interface ExporterDeps {
  /** @throws when it was not taken */
  readonly send: (spans: readonly Span[], signal: AbortSignal) => Promise<void>;
  readonly onExported: (count: number) => void;
  readonly onDropped: (count: number) => void;
  /** The receiver does not take them, in words; null: it does again. */
  readonly onFault: (message: string | null) => void;
}

export const MAX_WAITING_SPANS = 4_096;
export const BATCH_SPANS = 512;
const FLUSH_MS = 2_000;
const SEND_MS = 5_000;
const LAST_SEND_MS = 2_000;

export class SpanExporter {
  readonly #deps: ExporterDeps;
  #waiting: Span[] = [];
  #sending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #fault: string | null = null;
  #isStopped = false;

  constructor(deps: ExporterDeps) {
    this.#deps = deps;
  }

  take(span: Span): void {
    if (this.#isStopped || this.#waiting.length >= MAX_WAITING_SPANS) {
      this.#drop(1);
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= BATCH_SPANS) this.#flush(SEND_MS);
    else this.#timer ??= untraced(() => setTimeout(() => this.#flush(SEND_MS), FLUSH_MS).unref());
  }

  /** Sends what waits, for two seconds at most. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#sending;
    this.#flush(LAST_SEND_MS, MAX_WAITING_SPANS);
    await this.#sending;
    this.#drop(this.#waiting.length);
    this.#waiting = [];
  }

  #flush(timeoutMs: number, most: number = BATCH_SPANS): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== null || this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, most);
    // A request for spans must not become a span.
    this.#sending = untraced(() => this.#send(batch, timeoutMs)).then((isTaken) => {
      this.#sending = null;
      if (isTaken && !this.#isStopped && this.#waiting.length >= BATCH_SPANS) this.#flush(SEND_MS);
      else if (!this.#isStopped && this.#waiting.length > 0)
        this.#timer ??= setTimeout(() => this.#flush(SEND_MS), FLUSH_MS).unref();
    });
  }

  async #send(batch: readonly Span[], timeoutMs: number): Promise<boolean> {
    try {
      await this.#deps.send(batch, AbortSignal.timeout(timeoutMs));
      this.#deps.onExported(batch.length);
      this.#tell(null);
      return true;
    } catch (error) {
      this.#drop(batch.length);
      this.#tell(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #drop(count: number): void {
    if (count > 0) this.#deps.onDropped(count);
  }

  /** Once per change: a receiver that is down for a day is one line, not thousands. */
  #tell(fault: string | null): void {
    if ((fault === null) === (this.#fault === null)) return;
    this.#fault = fault;
    this.#deps.onFault(fault);
  }
}
