/** What the API tells and takes about checks of everything that is stored. */
import type { CheckCause } from '../core/journal-check.ts';

/** A check that goes on. */
export interface RunningCheck {
  readonly cause: CheckCause;
  readonly by: string | null;
  readonly started_at: string;
  /** Table, or part of the check. */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export type CheckRefusal = 'not_signed' | 'stale' | 'other_history' | 'recorded_before';

export interface ApiChecks {
  /** How old the newest clean check may become before the node runs one; null: it runs none by itself. */
  readonly everyHours: number | null;
  running(): RunningCheck | null;
  /** Why the last one did not come to its end; null: it did, or there was none. */
  lastError(): string | null;
  start(actor: string): 'started' | 'runs_already';
  /** Ends the one that goes on, on record. @returns whether there was one */
  stop(actor: string): Promise<boolean>;
  /** Records what a check outside of this process found. @param note signed by this node's log key @returns sequence of the record */
  record(note: string, actor: string): Promise<number | CheckRefusal>;
}
