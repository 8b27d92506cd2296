/** Which events a sink is sent. Pure. */
import { SEVERITIES, type Severity } from '../core/severity.ts';
import { DIGEST_EVENT, GAP_EVENT, type SiemEvent } from './siem-event.ts';

export interface SinkFilter {
  readonly minSeverity: Severity;
  /** Names of events; none: all. */
  readonly events: readonly string[];
}

/** Digests and gaps always: without them nobody could know that something is missing. */
export function isWanted({ record, severity }: SiemEvent, { minSeverity, events }: SinkFilter): boolean {
  if (record.event === DIGEST_EVENT || record.event === GAP_EVENT) return true;
  if (SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(minSeverity)) return false;
  return events.length === 0 || events.includes(record.event);
}
