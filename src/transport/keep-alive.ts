/**
 * Keeps one connection to every allowed peer that has addresses, for ever. (The library's own keep-alive gives up after
 * five tries.) Either side may dial; a connection that ends within five seconds counts as a failed dial, because a peer
 * refuses us only after the dial has succeeded.
 */
import type { Clock } from './clock.ts';
import { toError } from './errors.ts';
import type { AllowedPeers } from './peers.ts';
import type { Transport } from './transport.ts';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15 * 60_000;
const SETTLED_AFTER_MS = 5_000;

export interface PeerStatus {
  readonly state: 'connected' | 'dialling' | 'waiting';
  /** Of the last failed dial, or how long the last connection lasted; gone after a settled contact. */
  readonly lastError?: string;
  /** Failures since the last settled contact. */
  readonly attempts: number;
  /** Absent while connected or dialling, and for peers without addresses. */
  readonly nextDialAtMs?: number;
  readonly lastContactAtMs?: number;
}

export interface KeepAliveOptions {
  readonly transport: Pick<Transport, 'peerId' | 'connected' | 'dial' | 'subscribe'>;
  readonly allowed: AllowedPeers;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
}

/** What one peer's loop needs of the outside. */
interface LoopDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly dial: (signal: AbortSignal) => Promise<void>;
  readonly isConnected: () => boolean;
  readonly hasAddresses: () => boolean;
}

/** One peer: connected, dialling, or waiting for the next dial (or to be called). */
class PeerLoop {
  readonly #deps: LoopDeps;
  #state: PeerStatus['state'] = 'waiting';
  #attempts = 0;
  #lastError: string | undefined;
  #connectedAtMs: number | undefined;
  #lastContactAtMs: number | undefined;
  #nextDialAtMs: number | undefined;
  #cancelTimer: () => void = () => {};
  #dialling = new AbortController();

  constructor(deps: LoopDeps) {
    this.#deps = deps;
  }

  status(): PeerStatus {
    return {
      state: this.#state,
      attempts: this.#attempts,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(this.#nextDialAtMs === undefined ? {} : { nextDialAtMs: this.#nextDialAtMs }),
      ...(this.#lastContactAtMs === undefined ? {} : { lastContactAtMs: this.#lastContactAtMs }),
    };
  }

  /** Dials at once, unless that is going on or not needed. For start and changed addresses. */
  wake(): void {
    if (this.#state === 'waiting') this.#dial();
  }

  /** A connection is open, whoever dialled. */
  onConnected(): void {
    if (this.#state === 'connected') return;
    this.#setWaiting(undefined);
    this.#state = 'connected';
    this.#connectedAtMs = this.#deps.clock.nowMs();
    this.#lastContactAtMs = this.#connectedAtMs;
  }

  /** The last connection has closed. */
  onDisconnected(): void {
    if (this.#state !== 'connected') return;
    const nowMs = this.#deps.clock.nowMs();
    const lastedMs = nowMs - (this.#connectedAtMs ?? nowMs);
    if (lastedMs < SETTLED_AFTER_MS) {
      this.#fail(`the peer hung up after ${lastedMs} ms; is our peer id in its peer files?`);
      return;
    }
    this.#lastContactAtMs = nowMs;
    this.#attempts = 0;
    this.#lastError = undefined;
    this.#wait();
  }

  stop(): void {
    this.#cancelTimer();
    this.#dialling.abort();
  }

  #dial(): void {
    this.#setWaiting(undefined);
    if (!this.#deps.hasAddresses()) return;
    this.#state = 'dialling';
    const { signal } = this.#dialling;
    // Meanwhile they may have called us, so the state may have changed.
    const isCurrent = (): boolean => !signal.aborted && this.#state === 'dialling';
    this.#deps.dial(signal).then(
      () => isCurrent() && this.#onDialled(),
      (thrown: unknown) => isCurrent() && this.#fail(toError(thrown, 'dialling').message),
    );
  }

  #onDialled(): void {
    if (this.#deps.isConnected()) this.onConnected();
    else this.#fail('the connection closed as soon as it was open');
  }

  #fail(why: string): void {
    this.#attempts++;
    this.#lastError = why;
    this.#wait();
  }

  /** Half of each delay is random, so that two nodes which lost each other do not dial in step. */
  #wait(): void {
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts, 30));
    this.#setWaiting(delayMs * (0.5 + this.#deps.random() / 2));
  }

  #setWaiting(delayMs: number | undefined): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    this.#state = 'waiting';
    this.#nextDialAtMs = undefined;
    if (delayMs === undefined || !this.#deps.hasAddresses()) return;
    this.#nextDialAtMs = this.#deps.clock.nowMs() + delayMs;
    this.#cancelTimer = this.#deps.clock.after(delayMs, () => this.#dial());
  }
}

/** The loops of all allowed peers. Starts at once; `stop()` ends it. */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #loops = new Map<string, PeerLoop>();
  readonly #unsubscribe: () => void;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#unsubscribe = options.transport.subscribe((peerId, change) => {
      const loop = this.#loops.get(peerId);
      if (change === 'connected') loop?.onConnected();
      else loop?.onDisconnected();
    });
    this.refresh();
  }

  /** Undefined for a peer that is not allowed. */
  status(peerId: string): PeerStatus | undefined {
    return this.#loops.get(peerId)?.status();
  }

  /** After a change of the allowed peers: new ones are dialled, removed ones forgotten, waiting ones tried at once. */
  refresh(): void {
    const wanted = new Set(this.#options.allowed().map(({ peerId }) => peerId));
    wanted.delete(this.#options.transport.peerId);
    for (const [peerId, loop] of this.#loops) {
      if (wanted.has(peerId)) continue;
      loop.stop();
      this.#loops.delete(peerId);
    }
    for (const peerId of wanted) this.#wake(peerId);
  }

  stop(): void {
    this.#unsubscribe();
    for (const loop of this.#loops.values()) loop.stop();
    this.#loops.clear();
  }

  #wake(peerId: string): void {
    const known = this.#loops.get(peerId);
    if (known !== undefined) {
      known.wake();
      return;
    }
    const { transport, allowed, clock, random } = this.#options;
    const hasAddresses = (): boolean => (allowed().find((peer) => peer.peerId === peerId)?.addresses.length ?? 0) > 0;
    const dial = (signal: AbortSignal): Promise<void> => transport.dial(peerId, signal);
    const isConnected = (): boolean => transport.connected(peerId);
    const loop = new PeerLoop({ clock, random, dial, isConnected, hasAddresses });
    this.#loops.set(peerId, loop);
    if (isConnected()) loop.onConnected();
    else loop.wake();
  }
}
