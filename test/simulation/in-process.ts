/** The journal's threads without threads. */
import { EventEmitter } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { type Calls, type Methods, RemoteError, serveCalls } from '../../src/threads/rpc.ts';
import { Crash } from './disk.ts';

/** The journal's thread without a thread: calls wait for their turn and cross as copies, as they do between threads. */
export class InProcess implements Calls {
  readonly #port = new EventEmitter();
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  readonly #enter: (work: () => void) => void;
  #tail: Promise<void> = Promise.resolve();
  isAlive = true;

  constructor(enter: (work: () => void) => void, methods: Methods, after?: (seconds: number) => void) {
    this.#enter = enter;
    const port = {
      on: (_event: 'message', listener: (message: unknown) => void) => this.#port.on('message', listener),
      postMessage: (message: unknown) => this.#settle(structuredClone(message)),
    };
    serveCalls(port as unknown as MessagePort, methods, after);
  }

  get pending(): number {
    return this.#answers.size;
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (!this.isAlive) return Promise.reject(new Crash('the process is gone'));
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    const message = structuredClone({ id, method, args });
    this.#tail = this.#tail.then(() => {
      if (this.isAlive) this.#enter(() => this.#port.emit('message', message));
    });
    return answer.promise;
  }

  exited(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.isAlive = false;
    for (const { reject } of this.#answers.values()) reject(new Crash('the process is gone'));
    this.#answers.clear();
  }

  #settle(message: unknown): void {
    if (!this.isAlive) return;
    const answer = message as { id: number; value?: unknown; error?: ConstructorParameters<typeof RemoteError>[0] };
    const waiting = this.#answers.get(answer.id);
    this.#answers.delete(answer.id);
    if (answer.error === undefined) waiting?.resolve(answer.value);
    else waiting?.reject(new RemoteError(answer.error));
  }
}
