import type { ApiLimits, QuotaDimension } from '../api-limits.ts';

interface Bucket {
  readonly dimension: QuotaDimension;
  tokens: number;
  atMs: number;
}

/** Beyond these whoever is new shares one bucket: room is made only by forgetting who would have a full one again. */
const MAX_BUCKETS = 10_000;
const OTHERS = 'others';

export interface Quota {
  /** @returns seconds until the next request would pass, or null if this one does */
  take(keyId: string, dimension: QuotaDimension, nowMs: number): number | null;
  /** The same, and nothing is taken. */
  peek(keyId: string, dimension: QuotaDimension, nowMs: number): number | null;
}

/** Token buckets, one per key and dimension. Kept in memory: a restart forgives. */
export function createQuota(limits: ApiLimits['quotas'], maxBuckets: number = MAX_BUCKETS): Quota {
  /** The one that was asked longest ago first. */
  const buckets = new Map<string, Bucket>();
  const tokensAt = ({ dimension, tokens, atMs }: Bucket, nowMs: number): number => {
    const { burst, perSecond } = limits[dimension];
    return Math.min(burst, tokens + (Math.max(0, nowMs - atMs) / 1000) * perSecond);
  };
  /** Who comes from ever new addresses must not make the node forget what others, or he himself, have used up. */
  const hasRoom = (nowMs: number): boolean => {
    if (buckets.size < maxBuckets) return true;
    const [oldest] = buckets;
    if (oldest === undefined || tokensAt(oldest[1], nowMs) < limits[oldest[1].dimension].burst) return false;
    return buckets.delete(oldest[0]);
  };
  const look = (keyId: string, dimension: QuotaDimension, nowMs: number): { name: string; tokens: number } => {
    const own = `${dimension} ${keyId}`;
    const name = buckets.has(own) || hasRoom(nowMs) ? own : `${dimension} ${OTHERS}`;
    const { burst } = limits[dimension];
    return { name, tokens: tokensAt(buckets.get(name) ?? { dimension, tokens: burst, atMs: nowMs }, nowMs) };
  };
  const waitOf = (tokens: number, dimension: QuotaDimension): number | null =>
    tokens >= 1 ? null : (1 - tokens) / limits[dimension].perSecond;
  return {
    take(keyId, dimension, nowMs) {
      const { name, tokens } = look(keyId, dimension, nowMs);
      buckets.delete(name); // to the end of the map's order
      buckets.set(name, { dimension, tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
      return waitOf(tokens, dimension);
    },
    peek: (keyId, dimension, nowMs) => waitOf(look(keyId, dimension, nowMs).tokens, dimension),
  };
}
