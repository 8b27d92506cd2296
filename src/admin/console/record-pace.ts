/** How often something of one kind is recorded; what is left out is counted. */

export interface Pace {
  readonly burst: number;
  readonly everyMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
  leftOut: number;
}

/** Beyond these the one that came longest ago is forgotten, and with it what was left out of it. */
const MAX_BUCKETS = 10_000;

export class RecordPace {
  readonly #pace: Pace;
  /** The one that came longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** @returns how many were left out since the last that was recorded; null: this one is, too */
  take(name: string, nowMs: number): number | null {
    const { burst, everyMs } = this.#pace;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs, leftOut: 0 };
    bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / everyMs);
    bucket.atMs = nowMs;
    this.#buckets.delete(name);
    if (this.#buckets.size >= MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    this.#buckets.set(name, bucket);
    if (bucket.tokens < 1) {
      bucket.leftOut++;
      return null;
    }
    bucket.tokens--;
    const { leftOut } = bucket;
    bucket.leftOut = 0;
    return leftOut;
  }
}
