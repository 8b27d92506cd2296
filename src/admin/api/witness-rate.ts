/** Who may ask the witness how often. */

import type { ApiLimits } from '../deps.ts';
import { createQuota, type Quota } from './quota.ts';

/** An IPv6 address is one of 2⁶⁴ that whoever has it can choose. */
const V6_GROUPS = 4;
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

/** IPv4 as it is, IPv6 by its /64. */
function networkOf(address: string): string {
  const v4 = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (v4 !== undefined || !address.includes(':')) return v4 ?? address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const behind = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - groups.length - behind.length;
  return [...groups, ...Array(Math.max(0, zeros)).fill('0'), ...behind].slice(0, V6_GROUPS).join(':');
}
