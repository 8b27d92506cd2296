/** What operators see of receivers of the audit log, and do with them. */
import type { SinkFormat, SinkKind } from '../core/sink.ts';
import type { SinkMove, SinkState } from '../journal/sink-records.ts';

export interface SinkStatus extends SinkState {
  readonly kind: SinkKind;
  readonly format: SinkFormat;
  /** Path or URL. */
  readonly target: string;
  readonly minSeverity: string;
  readonly events: readonly string[];
  /** Records that it has not taken, those that its filter keeps back among them. */
  readonly lagEvents: number;
  /** Age of the oldest of them, ms; 0: none. */
  readonly lagMs: number;
}

export type SinkMoveOutcome =
  | { readonly kind: 'moved'; readonly auditSeq: number; readonly sink: SinkStatus }
  | { readonly kind: 'unknown_sink' | 'not_running' | 'no_such_place' };

export type SinkTestOutcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown_sink' | 'not_running' };

export interface ApiSinks {
  list(): Promise<readonly SinkStatus[]>;
  test(name: string): Promise<SinkTestOutcome>;
  move(
    name: string,
    move: Exclude<SinkMove, { kind: 'pass' }>,
    by: { readonly actor: string; readonly reason: string },
  ): Promise<SinkMoveOutcome>;
}
