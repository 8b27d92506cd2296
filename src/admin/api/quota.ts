import type { ApiLimits, QuotaDimension } from '../deps.ts';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Beyond these the one that was asked longest ago is forgotten, which forgives it. */
const MAX_BUCKETS = 10_000;

export interface Quota {
  /** @returns seconds until the next request would pass, or null if this one does */
  take(keyId: string, dimension: QuotaDimension, nowMs: number): number | null;
}

/** Token buckets, one per key and dimension. Kept in memory: a restart forgives. */
export function createQuota(limits: ApiLimits['quotas']): Quota {
  const buckets = new Map<string, Bucket>();
  return {
    take(keyId, dimension, nowMs) {
      const { burst, perSecond } = limits[dimension];
      const name = `${dimension} ${keyId}`;
      const bucket = buckets.get(name) ?? { tokens: burst, atMs: nowMs };
      const elapsedMs = Math.max(0, nowMs - bucket.atMs);
      const tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1000) * perSecond);
      buckets.delete(name); // to the end of the map's order
      if (buckets.size >= MAX_BUCKETS) buckets.delete(buckets.keys().next().value ?? '');
      buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
      return tokens >= 1 ? null : (1 - tokens) / perSecond;
    },
  };
}
