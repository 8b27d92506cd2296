import type { AuditEntry } from '../../api/audit-entry.ts';

/** Events that are what their reason says, and nothing else. */
const REFUSALS = new Set(['federation_integrity_rejected', 'rejected_fact', 'quarantined']);

/** What happened, in the words of its codes: `cid mismatch`, `peer suspended: checkpoint split view`. */
export function recordTitle({ event_type, reason }: Pick<AuditEntry, 'event_type' | 'reason'>): string {
  const event = event_type.replaceAll('_', ' ');
  if (reason === null) return event;
  const why = reason.replaceAll('_', ' ');
  return REFUSALS.has(event_type) ? why : `${event}: ${why}`;
}
