import type { ActOutcome } from './approval.ts';

/** What became of refused facts of a peer that were judged again. */
export interface RetryReport {
  /** Pages that were judged again. */
  readonly pages: number;
  /** Facts that stood refused in them. */
  readonly judged: number;
  /** How many were taken, by the reason that they had been refused for. */
  readonly resolved: Readonly<Record<string, number>>;
  /** How many stay refused, by reason. */
  readonly standing: Readonly<Record<string, number>>;
  /** Pages whose signatures cannot be checked any more. */
  readonly unreadable: number;
  /** The last page that was looked at: there may be more behind it. Null: there is none. */
  readonly next: number | null;
}

export type RetryOutcome =
  | { readonly kind: 'retried'; readonly report: RetryReport; readonly audit_seq: number | null }
  | { readonly kind: 'unknown_peer' }
  /** It needs another person's word, or may not be done so. */
  | { readonly kind: 'not_admitted'; readonly outcome: ActOutcome<never> }
  /** Nothing is taken from it until an operator resumes it. */
  | { readonly kind: 'suspended' }
  /** Its declaration is not known yet, or does not verify any more. */
  | { readonly kind: 'not_verified' };

export const NOTHING_RETRIED: RetryReport = {
  pages: 0,
  judged: 0,
  resolved: {},
  standing: {},
  unreadable: 0,
  next: null,
};

/** Both counts together, by name. */
export function added(
  counts: Readonly<Record<string, number>>,
  more: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const sum = { ...counts };
  for (const [name, count] of more) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
