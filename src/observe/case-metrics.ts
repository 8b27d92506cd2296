/** Metrics of what people look at: cases, drills, and when something was refused last. */
import { DRILL_KINDS } from '../core/drill.ts';
import type { Makers, Part } from './metrics.ts';

/** What the names of all metrics begin with. */
export const NS = 'stigmem_peerd';

export function drillMetrics(make: Makers): Part<'drills' | 'lastDrillTimestamp' | 'lastRefusalTimestamp'> {
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

export function caseMetrics(make: Makers): Part<'casesOpen' | 'casesUnseenSeconds'> {
  return {
    casesOpen: make.gauge(`${NS}_cases_open`, 'Cases that are neither resolved nor suppressed', ['severity', 'drill']),
    casesUnseenSeconds: make.gauge(
      `${NS}_case_oldest_unacknowledged_seconds`,
      'How long the oldest case that nobody has acknowledged waits; 0: there is none',
      ['severity', 'drill'],
    ),
  };
}
