import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

const NS_PER_SECOND = 1e9;

/**
 * Measures how late the main loop runs and sets the gauge at every scrape, then starts afresh.
 *
 * @returns a function that ends the measurement
 */
export function watchEventLoop(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  metrics.beforeScrape(() => {
    metrics.eventLoopDelay.set({ quantile: '0.5' }, delay.percentile(50) / NS_PER_SECOND);
    metrics.eventLoopDelay.set({ quantile: '0.99' }, delay.percentile(99) / NS_PER_SECOND);
    metrics.eventLoopDelay.set({ quantile: '1' }, delay.max / NS_PER_SECOND);
    delay.reset();
  });
  return () => void delay.disable();
}
