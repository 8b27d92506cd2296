/** Audit records that stand for many refusals. */
import type { AuditRecord } from './read-model.ts';

export const SUMMARY_EVENT = 'refusals_summarized';

/** How many refusals a summary stands for that have no record of their own; undefined if it does not say. */
export function countedIn({ detail }: Pick<AuditRecord, 'detail'>): number | undefined {
  const { count, exemplars } = detail;
  return typeof count === 'number' && Array.isArray(exemplars) ? count - exemplars.length : undefined;
}
