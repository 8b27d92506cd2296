/** Calls between the main thread and a worker: typed by the worker's table of methods, answered in order. */
import { AsyncResource } from 'node:async_hooks';
import { type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads';
import { currentTrace, inContext, isTraced, type Span, type SpanContext, takeSpans } from '../observe/trace.ts';

/** Methods that a worker serves: synchronous, since SQLite is. */
// biome-ignore lint/suspicious/noExplicitAny: any parameter list may be a method's; callers see the exact one.
export type Methods = { readonly [name: string]: (...args: any[]) => unknown };

/** A method of another thread, as it is called from this one. */
export type Remote<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
/** The same without its last argument, which is the time: whoever makes the calls has a clock. */
export type Dated<F> = F extends (...args: infer A) => infer R
  ? A extends [...infer B, number]
    ? (...args: B) => Promise<R>
    : never
  : never;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
  /** What it is called for; `spans`: they are wanted. */
  readonly trace?: (SpanContext & { readonly spans: boolean }) | undefined;
}

type Answer = (
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
) & { readonly spans?: readonly Span[] };

interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
  readonly detail: unknown;
}

/** A failure that happened in a worker, with the code it had there. */
export class RemoteError extends Error {
  readonly code: string | undefined;
  /** What the error carried beside its message, e.g. which row is corrupt. */
  readonly detail: unknown;

  constructor(error: WireError) {
    super(error.message);
    this.name = error.name;
    this.code = error.code;
    this.detail = error.detail;
    if (error.stack !== undefined) this.stack = error.stack;
  }
}

/** Serves `methods` on `port`. `after` runs behind each call, whether it failed or not, with the time it took. */
export function serveCalls(
  port: Pick<MessagePort, 'on' | 'postMessage'>,
  methods: Methods,
  after: (seconds: number) => void = () => {},
): void {
  port.on('message', (call: Call) => {
    const started = performance.now();
    port.postMessage(answerTraced(call, methods));
    after((performance.now() - started) / 1000);
  });
}

function answerTraced({ id, method, args, trace }: Call, methods: Methods): Answer {
  if (trace === undefined) return answer(id, methods, method, args);
  const spans: Span[] | null = trace.spans ? [] : null;
  const answered = inContext(trace, spans, () => answer(id, methods, method, args));
  return spans === null ? answered : { ...answered, spans };
}

function answer(id: number, methods: Methods, method: string, args: readonly unknown[]): Answer {
  try {
    return { id, value: methods[method]?.(...args) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    const detail = 'corrupt' in error ? error.corrupt : undefined;
    return { id, error: { name: error.name, message: error.message, code, stack: error.stack, detail } };
  }
}

function traceOfCall(): Call['trace'] {
  const trace = currentTrace();
  return trace === null ? undefined : { traceId: trace.traceId, spanId: trace.spanId, spans: isTraced() };
}

/** A call could not be answered because its thread is gone. */
class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';
  readonly code = 'closed';
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Hands spans to whoever called; null: nobody wants any. */
  readonly takeSpans: ((spans: readonly Span[]) => void) | null;
}

/** Calls to methods that are served elsewhere, answered in the order in which they are made. */
export interface Calls {
  call(method: string, args: readonly unknown[]): Promise<unknown>;
  readonly pending: number;
  readonly isAlive: boolean;
  exited(): Promise<void>;
}

/** The main thread's end of one worker. */
export class WorkerClient implements Calls {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #dead: Error | undefined;

  /**
   * Starts the worker in the module `url`.
   *
   * @param onEvent what the worker posts by itself
   */
  constructor(url: URL, options: WorkerOptions, onEvent: (event: unknown) => void = () => {}) {
    this.#worker = new Worker(url, options);
    this.#worker.on('message', (message: Answer | { readonly event: unknown }) => {
      if ('event' in message) onEvent(message.event);
      else this.#settle(message);
    });
    this.#worker.on('error', (error) => {
      this.#settleAll(error instanceof Error ? error : new Error(String(error)));
      this.#dead ??= new ThreadEnded('the journal’s thread has failed', { cause: error });
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#dead ??= new ThreadEnded(`the journal’s thread has ended (exit code ${code})`);
        this.#settleAll(this.#dead);
        resolve();
      });
    });
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, takeSpans: isTraced() ? AsyncResource.bind(takeSpans) : null });
      this.#worker.postMessage({ id, method, args, trace: traceOfCall() } satisfies Call);
    });
  }

  /** Calls not answered yet: a measure of how busy the worker is. */
  get pending(): number {
    return this.#waiting.size;
  }

  get isAlive(): boolean {
    return this.#dead === undefined;
  }

  /** Resolves when the worker has ended by itself, e.g. after its `close` method. */
  exited(): Promise<void> {
    return this.#exited;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(message: Answer): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.spans !== undefined) waiting?.takeSpans?.(message.spans);
    if ('error' in message) waiting?.reject(new RemoteError(message.error));
    else waiting?.resolve(message.value);
  }

  #settleAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** URL of a worker's module beside the one at `base`: `.ts` when run from the sources, `.js` when built. */
export function workerUrl(name: string, base: string): URL {
  return new URL(`./${name}${base.endsWith('.ts') ? '.ts' : '.js'}`, base);
}
