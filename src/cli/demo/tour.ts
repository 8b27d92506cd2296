/** The demo's running picture: looks at every node twice a second and shows what changed. */
import { setTimeout as delay } from 'node:timers/promises';
import { HOSTILE_AUTHORITY } from './lies.ts';
import type { Live } from './live.ts';
import type { LoadCounts } from './load.ts';
import type { Mesh } from './mesh.ts';
import type { Org } from './org.ts';
import type { NodePicture } from './picture.ts';
import { lookAtNode, RefusalWatch } from './watch.ts';

const LOOK_MS = 500;

export interface TourOptions {
  readonly mesh: Mesh;
  readonly live: Live;
  readonly nowMs: () => number;
  /** By authority: what has been loaded into the node so far. */
  readonly loaded: Readonly<Record<string, LoadCounts>>;
  readonly lookAround: readonly string[];
}

export class Tour {
  /** What is going on, in words. */
  phase = 'starting';
  propagationMs: number | null = null;
  readonly #options: TourOptions;
  readonly #startedMs: number;
  readonly #watches: readonly RefusalWatch[];
  #pictures: readonly NodePicture[] = [];
  #lookedMs: number;
  #grewMs: number;

  constructor(options: TourOptions) {
    this.#options = options;
    this.#startedMs = options.nowMs();
    this.#lookedMs = this.#startedMs;
    this.#grewMs = this.#startedMs;
    this.#watches = this.orgs().map((org) => new RefusalWatch(org));
  }

  orgs(): readonly [Org, Org, Org] {
    const { cldr, mdn, reader } = this.#options.mesh;
    return [cldr, mdn, reader];
  }

  /** Since when no node has got anything new. */
  idleMs(): number {
    return this.#options.nowMs() - this.#grewMs;
  }

  elapsedMs(): number {
    return this.#options.nowMs() - this.#startedMs;
  }

  /** Refusals by authority of the refusing node. */
  refusals(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries(
      this.orgs().map(({ authority }, index) => [authority, this.#watches[index]?.counts() ?? {}]),
    );
  }

  /** Looks and shows until the signal says that it is over. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Looks once and shows what there is. */
  async look(): Promise<void> {
    const { nowMs, loaded, mesh, live, lookAround } = this.#options;
    await Promise.all(this.#watches.map((watch) => watch.update()));
    const sinceMs = nowMs() - this.#lookedMs;
    this.#lookedMs = nowMs();
    const pictures = await Promise.all(
      this.orgs().map((org, index) =>
        lookAtNode(
          org,
          loaded[org.authority]?.asserted ?? 0,
          this.#watches[index]?.total() ?? 0,
          this.#pictures[index] ?? null,
          sinceMs,
        ),
      ),
    );
    if (pictures.some(({ facts }, index) => facts > (this.#pictures[index]?.facts ?? 0))) this.#grewMs = nowMs();
    this.#pictures = pictures;
    const { trueFacts, lies } = mesh.hostile();
    live.show({
      elapsedMs: this.elapsedMs(),
      phase: this.phase,
      nodes: pictures,
      hostile: {
        authority: HOSTILE_AUTHORITY,
        trueFacts,
        lies: Object.values(lies).reduce((sum, count) => sum + count, 0),
      },
      refusals: this.#watches[2]?.pictures() ?? [],
      propagationMs: this.propagationMs,
      lookAround,
    });
  }
}
