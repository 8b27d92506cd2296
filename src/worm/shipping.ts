/**
 * Beside the append path: ships what is new every now and then. A store that is down holds up nobody; what waits is shipped
 * when it is back. Nothing of the journal is ever dropped here, so that whatever was not shipped can still be.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WORM_STREAMS, type WormEnds, type WormRestore } from '../wire/worm-manifest.ts';
import { type KeyStatement, shipStatements } from './key-statements.ts';
import { readKnown, writeKnown } from './known-place.ts';
import type { Difference } from './pasts.ts';
import { assertThere, findPlace, type KnownPlace, NOWHERE, type Place, type RestoredPlace } from './place.ts';
import { retainUntil, type Shipped, shipRound } from './ship.ts';
import type { WormSource } from './source.ts';
import { WormError, type WormStore } from './store.ts';

const MAX_RETRY_MS = 3_600_000;

export interface ShippingDeps {
  readonly source: WormSource;
  /** Opened anew for each round: credentials may have changed. */
  readonly openStore: () => WormStore;
  readonly target: string;
  readonly stateFile: string;
  /** What the journal says of this store; null: nothing. */
  readonly pinned: () => Promise<KnownPlace | null>;
  /** Has the journal say it. */
  readonly pin: (place: KnownPlace) => Promise<void>;
  /** Changes of this node's keys so far. */
  readonly statements: readonly KeyStatement[];
  readonly retainMs: number;
  readonly intervalMs: number;
  /** First pause after a failure; it doubles, up to an hour. */
  readonly retryMs: number;
  readonly nowMs: () => number;
  /** Whether checkpoints may be signed now. */
  readonly isReady: () => boolean;
  /** The store holds what this node has lost: on record before the chain is gone on with. */
  readonly onRestored: (place: RestoredPlace, why: Difference) => Promise<void>;
  readonly onShipped: (shipped: Shipped, store: WormStore) => void;
  readonly onFailed: (error: WormError) => Promise<void>;
}

export interface ShippingStatus {
  readonly target: string;
  readonly manifests: number;
  readonly madeAt: string | null;
  readonly ends: WormEnds;
  /** The newest restore that the chain names; null: none, as far as it is known. */
  readonly restored: WormRestore | null;
  /** Records that were not shipped yet, by stream. */
  readonly waiting: WormEnds;
  /** Age of the oldest of them; 0: none waits. */
  readonly lagSeconds: number;
  readonly weakness: string | null;
  readonly lastError: string | null;
}

export class Shipping {
  readonly #deps: ShippingDeps;
  readonly #stopping = new AbortController();
  #done: Promise<void> = Promise.resolve();
  /** Null: to be found in the store first. */
  #place: Place | null = null;
  #isPinned = false;
  /** When the store has to be asked to keep the changes of keys for longer. */
  #statementsDueMs = 0;
  #failures = 0;
  #weakness: string | null = null;
  #statementsWeakness: string | null = null;
  #lastError: string | null = null;

  constructor(deps: ShippingDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#done = this.#loop();
  }

  /** What is under way is given up: it is made again at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the node is stopping'));
    await this.#done;
  }

  async status(): Promise<ShippingStatus> {
    const { nowMs, source, target } = this.#deps;
    const place = this.#place ?? (await this.#remembered());
    const last = await source.ends();
    let [lagSeconds, waiting] = [0, { ...NOWHERE.ends }];
    for (const stream of WORM_STREAMS) {
      const count = Math.max(0, last[stream] - place.ends[stream]);
      waiting = { ...waiting, [stream]: count };
      const oldest = count === 0 ? null : await source.writtenAt(stream, place.ends[stream] + 1);
      if (oldest !== null) lagSeconds = Math.max(lagSeconds, (nowMs() - oldest) / 1_000);
    }
    const { number: manifests, madeAt, ends, restored } = place;
    return {
      target,
      manifests,
      madeAt,
      ends,
      restored,
      waiting,
      lagSeconds,
      weakness: this.#weakness ?? this.#statementsWeakness,
      lastError: this.#lastError,
    };
  }

  /** What operators should know; null: nothing. */
  notice(): string | null {
    const failed = this.#lastError === null ? null : `records are not shipped to the WORM store: ${this.#lastError}`;
    return failed ?? this.#weakness ?? this.#statementsWeakness;
  }

  /** One round. @throws WormError; the signal's reason */
  async ship(): Promise<Shipped> {
    const { nowMs, openStore, retainMs, source, stateFile, target } = this.#deps;
    const store = openStore();
    const before = this.#place ?? (await this.#find(store));
    if (this.#place !== null && before.digest !== null)
      await assertThere(store, { number: before.number, digest: before.digest });
    this.#place = before;
    await this.#shipStatements(store);
    const shipped = await shipRound(before, { source, store, retainMs, nowMs, signal: this.#stopping.signal });
    this.#place = shipped.place;
    if (shipped.place !== before || readKnown(stateFile, target) === null) writeKnown(stateFile, target, shipped.place);
    this.#weakness = store.weakness ?? this.#weakness;
    this.#deps.onShipped(shipped, store);
    await this.#pin(shipped.place);
    return shipped;
  }

  /** Before what they have signed. Again when half of their time is over. */
  async #shipStatements(store: WormStore): Promise<void> {
    const { nowMs, retainMs, statements } = this.#deps;
    const now = nowMs();
    if (now < this.#statementsDueMs) return;
    this.#statementsWeakness = await shipStatements(store, statements, retainUntil(now, retainMs));
    this.#statementsDueMs = now + retainMs / 2;
  }

  /** A store that looks empty is not begun anew when the journal says that it was not. */
  async #find(store: WormStore): Promise<Place> {
    const { nowMs, onRestored, pinned, source, stateFile, target } = this.#deps;
    const known = readKnown(stateFile, target) ?? (await pinned());
    const found = await findPlace(store, source, { known, nowMs: nowMs(), signal: this.#stopping.signal });
    if (found.kind === 'restored') await onRestored(found.place, found.why);
    return found.place;
  }

  /** Killed before it, the next start finds the manifest and pins that one. */
  async #pin({ number, digest }: Place): Promise<void> {
    if (this.#isPinned || digest === null) return;
    if ((await this.#deps.pinned()) === null) await this.#deps.pin({ number, digest });
    this.#isPinned = true;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // No longer: a timer for more than 24 days fires at once.
      const pauseMs = this.#deps.isReady() ? await this.#turn(signal) : Math.min(MAX_RETRY_MS, this.#deps.retryMs);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** @returns how long to wait for the next one */
  async #turn(signal: AbortSignal): Promise<number> {
    try {
      const { hasMore } = await this.ship();
      [this.#failures, this.#lastError] = [0, null];
      return hasMore ? 0 : this.#deps.intervalMs;
    } catch (thrown) {
      if (signal.aborted) return 0;
      // Whatever is in the store now is looked at again: the round may have come to its end all the same.
      this.#place = null;
      const error = asWormError(thrown);
      this.#lastError = error.message;
      await this.#deps.onFailed(error).catch(() => {});
      this.#failures++;
      return Math.min(MAX_RETRY_MS, this.#deps.retryMs * 2 ** (this.#failures - 1));
    }
  }

  /** As far as it is known without the store. */
  async #remembered(): Promise<Place> {
    const { stateFile, target } = this.#deps;
    const known = readKnown(stateFile, target);
    return known === null ? NOWHERE : { ...known, madeAt: null };
  }
}

function asWormError(thrown: unknown): WormError {
  if (thrown instanceof WormError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'leaf_mismatch' || code === 'broken')
    return new WormError('row_damaged', (thrown as Error).message, { cause: thrown });
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new WormError('store_unusable', message, { cause: thrown });
}
