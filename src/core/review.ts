/** What operators decide about facts that are hidden from readers. */
import type { ActOutcome } from './approval.ts';

/** `pending`: nobody has decided. `rejected`: it stays hidden. Either decision can be followed by the other. */
export type ReviewStatus = 'pending' | 'promoted' | 'rejected';
export type ReviewDecision = Exclude<ReviewStatus, 'pending'>;

/** Why nothing was decided. */
export type ReviewRefusal =
  | 'fact_unknown'
  /** Readers see it, and nobody has hidden it. */
  | 'not_quarantined'
  /** It is what was asked for already. */
  | 'already_decided'
  /** The stored row is not what was appended. */
  | 'fact_damaged';

/** `done`: the sequence of the audit record. */
export type ReviewOutcome = ActOutcome<number> | { readonly kind: 'impossible'; readonly code: ReviewRefusal };
