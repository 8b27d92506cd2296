import { agoMs } from './time.ts';

/** Keys remembered at a time: whoever makes up new ones costs one record of all of them, not one each. */
const MAX_KEYS = 256;
const OTHERS = 'others';

interface Counted {
  readonly sinceMs: number;
  suppressed: number;
}

/**
 * What happens again and again, for which one record in a while is enough: the first of a key at once, then one in each window
 * with the number of those between. Without this, whoever can make it happen could fill the disk.
 */
export class Recurring {
  readonly #windowMs: number;
  readonly #kinds = new Map<string, Counted>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @returns how many were passed over since the last record, if this one gets one; else null */
  note(own: string, nowMs: number): number | null {
    const key = this.#kinds.has(own) || this.#makeRoom(nowMs) ? own : OTHERS;
    const counted = this.#kinds.get(key);
    if (counted !== undefined && agoMs(counted.sinceMs, nowMs) < this.#windowMs) {
      counted.suppressed++;
      return null;
    }
    this.#kinds.set(key, { sinceMs: nowMs, suppressed: 0 });
    return counted?.suppressed ?? 0;
  }

  #makeRoom(nowMs: number): boolean {
    if (this.#kinds.size < MAX_KEYS) return true;
    for (const [key, { sinceMs }] of this.#kinds) if (agoMs(sinceMs, nowMs) >= this.#windowMs) this.#kinds.delete(key);
    return this.#kinds.size < MAX_KEYS;
  }
}
