/** The witness, as the API serves it. */
import type { WitnessState } from '../core/witness-report.ts';
import type { ContradictionReason } from '../verify/contradiction.ts';
import type { CosignRefusal } from '../wire/witness.ts';

/** What became of a checkpoint that somebody wants cosigned (C2SP tlog-witness). */
export type AddCheckpointOutcome =
  | { readonly kind: 'cosigned'; readonly lines: string }
  | { readonly kind: 'stale'; readonly size: number }
  | { readonly kind: 'busy'; readonly retryAfterMs: number }
  | { readonly kind: 'contradiction'; readonly reason: ContradictionReason }
  | { readonly kind: 'refused'; readonly code: Exclude<CosignRefusal, 'contradiction'> };

export interface ApiWitness {
  /** @param body of an add-checkpoint request */
  add(body: string): Promise<AddCheckpointOutcome>;
  /** The newest checkpoint cosigned of a log. @param hash SHA-256 of its origin, lower-case hex */
  monitored(hash: string): Promise<string | null>;
  state(): Promise<WitnessState>;
}
