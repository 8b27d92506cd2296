/** What the API tells and takes about drills. */
import type { DrillKind, DrillKindStatus, DrillRun } from '../core/drill.ts';

export type DrillStart =
  | { readonly kind: 'started'; readonly run: DrillRun }
  | { readonly kind: 'busy'; readonly running: DrillKind }
  | { readonly kind: 'held' }
  | { readonly kind: 'not_running' };

export interface DrillStatus {
  readonly kinds: readonly DrillKindStatus[];
  readonly running: DrillRun | null;
  /** Null: none is made by itself. */
  readonly schedule: { readonly every_hours: number; readonly kinds: readonly DrillKind[] } | null;
  /** The newest refusal that was no drill; null: never. */
  readonly last_refusal_at: string | null;
  /** When the audit log began. */
  readonly since: string | null;
}

export type DrillReportOutcome =
  | { readonly kind: 'report'; readonly text: string }
  | { readonly kind: 'no_month' | 'not_begun' };

export interface ApiDrills {
  status(): Promise<DrillStatus>;
  start(kind: DrillKind, actor: string, why: string): Promise<DrillStart>;
  /** Newest first. */
  runs(
    cursor: number | null,
    limit: number,
  ): Promise<{ readonly runs: readonly DrillRun[]; readonly cursor: number | null; readonly more: boolean }>;
  run(id: string): Promise<DrillRun | null>;
  /** The signed report of a month: what is kept of one that is over, else made now. */
  report(month: string): Promise<DrillReportOutcome>;
}
