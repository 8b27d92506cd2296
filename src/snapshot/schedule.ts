/** Makes snapshots by the clock. One counts when it was restored and checked; until then the next one is still due. */
import { setTimeout as sleep } from 'node:timers/promises';
import { agoMs } from '../core/time.ts';
import type { ShelvedSnapshot } from './shelf.ts';

export interface ScheduleDeps {
  readonly everyMs: number;
  readonly list: () => readonly ShelvedSnapshot[];
  /** Makes one, restores it and checks it whole. @throws Error with a code for what did not work */
  readonly makeChecked: (signal: AbortSignal) => Promise<void>;
  readonly prune: () => Promise<void>;
  readonly onFailed: (error: unknown) => Promise<void>;
  readonly isReady: () => boolean;
  readonly nowMs: () => number;
}

const LOOK_EVERY_MS = 60_000;
const FIRST_RETRY_MS = 60_000;
const MAX_RETRY_MS = 3_600_000;

export class SnapshotSchedule {
  readonly #deps: ScheduleDeps;
  readonly #stopping = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(deps: ScheduleDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#done = this.#loop();
  }

  /** What is under way is given up and removed. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#done;
  }

  /** Age of the newest snapshot that was restored and checked; +Infinity without one. */
  ageMs(): number {
    const verified = this.#deps.list().flatMap(({ state, madeAt }) => (state === 'verified' ? (madeAt ?? []) : []));
    return Math.min(...verified.map((madeAt) => agoMs(Date.parse(madeAt), this.#deps.nowMs())));
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pauseMs = await this.#turn(signal);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** @returns how long to wait before it is looked again */
  async #turn(signal: AbortSignal): Promise<number> {
    const { everyMs, isReady, makeChecked, onFailed, prune } = this.#deps;
    try {
      if (!isReady()) return FIRST_RETRY_MS / 60;
      const leftMs = everyMs - this.ageMs();
      if (leftMs > 0) return Math.min(leftMs, LOOK_EVERY_MS);
      await makeChecked(signal);
      await prune();
      this.#failures = 0;
      return 0;
    } catch (error) {
      if (signal.aborted) return 0;
      await onFailed(error).catch(() => {});
      return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
    }
  }
}
