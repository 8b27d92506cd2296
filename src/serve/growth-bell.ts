export interface Growth {
  readonly size: number;
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
}

/** Rings when the journal has grown. Whoever waits gets the newest state, however often it rang meanwhile. */
export class GrowthBell {
  #current: Growth;
  #rung = Promise.withResolvers<void>();

  constructor(initial: Growth) {
    this.#current = initial;
  }

  current(): Growth {
    return this.#current;
  }

  ring(growth: Growth): void {
    this.#current = growth;
    const rung = this.#rung;
    this.#rung = Promise.withResolvers<void>();
    rung.resolve();
  }

  /** Resolves at the next ring, after `timeoutMs`, or when the signal aborts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<'rung' | 'timeout' | 'aborted'> {
    const { promise, resolve } = Promise.withResolvers<'timeout' | 'aborted'>();
    const timer = setTimeout(() => resolve('timeout'), timeoutMs);
    const onAbort = (): void => resolve('aborted');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#rung.promise.then(() => 'rung' as const), promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
