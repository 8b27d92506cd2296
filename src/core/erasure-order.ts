/** What may be asked about the erasure of a fact, and what comes of it. */
import type { ActOutcome } from './approval.ts';

export type ErasureOrderName = 'requestTombstone' | 'undoTombstone' | 'holdErasure' | 'releaseErasure';

export type ErasureRefusal =
  | 'fact_not_found'
  | 'not_own_fact'
  | 'of_the_node'
  | 'already_tombstoned'
  | 'mass_deletion'
  | 'not_tombstoned'
  | 'not_undoable'
  | 'not_held';

export type ErasureOutcome =
  | { readonly kind: 'done' }
  /** Two persons are needed, or this is not the second one. */
  | { readonly kind: 'undecided'; readonly outcome: Exclude<ActOutcome<number>, { readonly kind: 'done' }> }
  | { readonly kind: 'refused'; readonly code: ErasureRefusal; readonly retryAfterMs: number | null };
