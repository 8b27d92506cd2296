import type { Stream } from '@libp2p/interface';
import { TransportError, toError } from './errors.ts';
import { isOver } from './stream-state.ts';

export interface WatchdogLimits {
  /** Longest time without a whole frame. */
  readonly idleMs: number;
  /** Longest life of the stream; `undefined` for streams that stay open, such as watches. */
  readonly totalMs: number | undefined;
}

/**
 * Resets a stream that makes no progress, or lasts too long, or whose caller gave up. Progress is a whole frame, not a
 * byte, so a peer that trickles does not count as alive. (The streams' own `inactivityTimeout` is not enforced.)
 */
export class Watchdog {
  readonly #stream: Stream;
  readonly #idleMs: number;
  #idleTimer: NodeJS.Timeout | undefined;
  #totalTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(stream: Stream, limits: WatchdogLimits, signal?: AbortSignal) {
    this.#stream = stream;
    this.#idleMs = limits.idleMs;
    // The 'close' event that would stop us has already been.
    if (isOver(stream)) {
      this.#stopped = true;
      return;
    }
    const onAbort = (): void => stream.abort(toError(signal?.reason, 'the caller gave up'));
    stream.addEventListener(
      'close',
      () => {
        this.#stop();
        signal?.removeEventListener('abort', onAbort);
      },
      { once: true },
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    const { totalMs } = limits;
    if (totalMs !== undefined)
      this.#totalTimer = setTimeout(() => this.#expire(`not finished after ${totalMs} ms`), totalMs);
    this.touch();
    if (signal?.aborted === true) onAbort();
  }

  /** A frame has come or gone: the idle time starts again. */
  touch(): void {
    clearTimeout(this.#idleTimer);
    if (this.#stopped) return;
    this.#idleTimer = setTimeout(() => this.#expire(`no whole frame for ${this.#idleMs} ms`), this.#idleMs);
  }

  /** We are the slow ones, not the peer: no idle limit until the next touch(). */
  hold(): void {
    clearTimeout(this.#idleTimer);
  }

  #expire(what: string): void {
    this.#stream.abort(new TransportError('timeout', `${what}: the peer is stuck, or too slow for this limit`));
  }

  #stop(): void {
    this.#stopped = true;
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#totalTimer);
  }
}
