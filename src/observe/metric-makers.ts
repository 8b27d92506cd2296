/** What the parts of the metrics are made with. */
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** What their names begin with. */
export const NS = 'stigmem_peerd';

export interface Makers {
  counter<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Gauge<L>;
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames?: readonly L[],
  ): Histogram<L>;
}

export type Part<K extends keyof Metrics> = Pick<Metrics, K>;
