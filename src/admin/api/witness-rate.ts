/** Who may ask the witness how often. */

import type { ApiLimits } from '../api-limits.ts';
import { networkOf } from './network-of.ts';
import { createQuota, type Quota } from './quota.ts';

/** Origins that the witness has judged: those of its peers and of its configuration. */
const MAX_ORIGINS = 4_096;

/**
 * A bucket for each caller and each log that the witness knows; what names no such log shares one bucket a caller. One
 * caller then silences nobody but itself, and where a proxy makes all callers one, nobody but those of one log.
 */
export class WitnessRate {
  readonly #quota: Quota;
  readonly #known = new Set<string>();

  /** The buckets are apart from those of API keys: strangers must not make these forget. */
  constructor(quotas: ApiLimits['quotas']) {
    this.#quota = createQuota(quotas);
  }

  /**
   * @param address of the caller; undefined: none, inside of the process
   * @param origin that the request names; null: none
   * @returns seconds until the next request would pass, or null if this one does
   */
  take(address: string | undefined, origin: string | null, nowMs: number): number | null {
    const log = origin !== null && this.#known.has(origin) ? origin : '';
    return this.#quota.take(`${networkOf(address ?? '')} ${log}`, 'witness', nowMs);
  }

  /** The witness has said that it knows this log: from now on it has a bucket of its own. */
  learn(origin: string): void {
    if (this.#known.size < MAX_ORIGINS) this.#known.add(origin);
  }
}
