/** What the admin API needs to have bodies of facts erased. */
import type { ErasureOrderName, ErasureOutcome } from '../core/erasure-order.ts';
import type { ErasureStatus, ErasureView } from '../journal/erasure-views.ts';

export interface ApiTombstones {
  order(
    name: ErasureOrderName,
    order: {
      readonly fact: string;
      readonly actor: string;
      readonly reason: string | null;
      readonly approves: number | null;
    },
  ): Promise<ErasureOutcome>;
  /** Newest first, from below `before`. */
  list(before: number, limit: number): Promise<readonly ErasureView[]>;
  /** @param fact id of the fact, or its digest */
  status(fact: string): Promise<ErasureStatus | null>;
}
