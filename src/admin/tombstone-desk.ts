/** What the admin API needs to have bodies of facts erased. */
import type { ActOutcome } from '../core/approval.ts';
import type { ErasureStatus, ErasureView } from '../journal/erasure-views.ts';

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

export interface ApiTombstones {
  order(
    name: ErasureOrderName,
    order: {
      readonly fact: string;
      readonly actor: string;
      readonly reason: string | null;
      readonly approves: number | null;
    },
  ): Promise<
    | { readonly kind: 'done' }
    | { readonly kind: 'undecided'; readonly outcome: Exclude<ActOutcome<number>, { readonly kind: 'done' }> }
    | { readonly kind: 'refused'; readonly code: ErasureRefusal; readonly retryAfterMs: number | null }
  >;
  /** Newest first, from below `before`. */
  list(before: number, limit: number): Promise<readonly ErasureView[]>;
  /** @param fact id of the fact, or its digest */
  status(fact: string): Promise<ErasureStatus | null>;
}
