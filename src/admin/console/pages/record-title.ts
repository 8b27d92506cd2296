import type { AuditEntry } from '../../api/audit-entry.ts';

/** What happened, in the words of its codes: `cid mismatch`, `peer suspended`. */
export function recordTitle({ event_type, reason }: Pick<AuditEntry, 'event_type' | 'reason'>): string {
  const event = event_type.replaceAll('_', ' ');
  return reason === null ? event : `${reason.replaceAll('_', ' ')} · ${event}`;
}
