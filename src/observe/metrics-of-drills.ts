/** Of drills, and of when something was refused last. */
import type { Counter, Gauge } from 'prom-client';
import { DRILL_KINDS } from '../core/drill.ts';
import { type Makers, NS } from './metric-makers.ts';

export interface DrillMetrics {
  readonly drills: Counter<'kind' | 'result'>;
  readonly lastDrillTimestamp: Gauge<'kind'>;
  readonly lastRefusalTimestamp: Gauge;
}

export function drillMetrics(make: Makers): DrillMetrics {
  const ended = `${NS}_drills_total`;
  const drills = make.counter(ended, 'Drills since the node started, by how they ended', ['kind', 'result']);
  // There from the start: what appears with its first value has not increased, and no rule would see it.
  for (const kind of DRILL_KINDS) for (const result of ['passed', 'failed']) drills.inc({ kind, result }, 0);
  return {
    drills,
    lastDrillTimestamp: make.gauge(
      `${NS}_last_drill_timestamp_seconds`,
      'When a drill of a kind has passed last, Unix time; without one, when the audit log began',
      ['kind'],
    ),
    lastRefusalTimestamp: make.gauge(
      `${NS}_last_refusal_timestamp_seconds`,
      'When something was refused last that was no drill, Unix time; without one, when the audit log began',
    ),
  };
}
