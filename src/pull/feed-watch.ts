import type { PeerFile } from '../config/peer-file.ts';
import { untraced } from '../observe/trace.ts';
import type { PullDeps } from './deps.ts';
import { type FeedLengths, watchPeer } from './watch-peer.ts';

/** One watch of a peer's feeds, kept open. When it ends, for whatever reason, the next turn of the session opens another. */
export class FeedWatch {
  readonly #deps: Pick<PullDeps, 'transport' | 'logger'>;
  readonly #onUpdate: (stated: FeedLengths) => void;
  #watching: AbortController | undefined;

  constructor(deps: Pick<PullDeps, 'transport' | 'logger'>, onUpdate: (stated: FeedLengths) => void) {
    this.#deps = deps;
    this.#onUpdate = onUpdate;
  }

  /** Nothing while one is open. */
  open({ name, peerId }: PeerFile, accept: readonly string[]): void {
    if (this.#watching !== undefined) return;
    const watching = new AbortController();
    this.#watching = watching;
    const ended = (error?: unknown): void => {
      this.#watching = undefined;
      if (error === undefined || watching.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#deps.logger.debug({ peer: name, error: message }, 'watch ended');
    };
    // It lives longer than the turn that opens it.
    untraced(() => watchPeer(peerId, accept, this.#deps, this.#onUpdate, watching.signal)).then(() => ended(), ended);
  }

  close(): void {
    this.#watching?.abort();
  }
}
