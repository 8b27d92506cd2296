/** The numbers of this moment, for who watches a node without a collector of metrics. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Counter } from 'prom-client';
import type { NodeStats } from '../admin/node-status.ts';
import { isoMicros } from '../core/time.ts';
import type { Base } from './base.ts';

const NS_PER_MS = 1e6;
const RESOLUTION_MS = 10;

/** What is measured holds the timer's own time. */
const lateMs = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);

/** @param owned ends the measurement */
export function openStats(base: Base, owned: AsyncDisposableStack): () => Promise<NodeStats> {
  const { metrics, writer } = base;
  const startedMs = performance.now();
  // Of its own: a scrape must not take away what is shown here.
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  owned.defer(() => void delay.disable());
  return async () => {
    const { entries, auditRecords, projectionLag, recallLag } = await writer.stats();
    const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map(lateMs);
    delay.reset();
    return {
      uptime_s: Math.round((performance.now() - startedMs) / 1_000),
      rss_bytes: process.memoryUsage.rss(),
      loop_delay_ms: { p50: p50 ?? 0, p99: p99 ?? 0, max: max ?? 0 },
      writer_pending: writer.pending,
      entries,
      audit_records: auditRecords,
      projection_lag: projectionLag,
      recall_lag: recallLag,
      facts_asserted: await sumOf(metrics.factWrites),
      facts_taken: await sumOf(metrics.factsAccepted),
      facts_refused: await sumOf(metrics.factsRefused),
      pages_refused: await sumOf(metrics.pagesRefused),
      facts_given: await sumOf(metrics.factsGiven),
      metrics_scraped_at: metrics.scrapedAtMs === null ? null : isoMicros(metrics.scrapedAtMs * 1_000),
    };
  };
}

async function sumOf(counter: Counter<string>): Promise<number> {
  const { values } = await counter.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}
