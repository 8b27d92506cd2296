/** Checks of everything that is stored, as the audit log has them. Pure and total. */

/** Nothing differed. */
export const CHECKED = 'journal_checked';
/** Something differed: somebody has to look. */
export const CHECK_FAILED = 'journal_check_failed';
/** Somebody has ended it before its end: it says nothing about the journal. */
export const CHECK_STOPPED = 'journal_check_stopped';
/** Of checks that came to their end. */
export const CHECK_EVENTS: readonly string[] = [CHECK_FAILED, CHECKED];

/** Who had it run. */
export const CHECK_CAUSES = ['command_line', 'by_hand', 'by_clock'] as const;
export type CheckCause = (typeof CHECK_CAUSES)[number];

/** A tree as the check derived it from its leaves. */
export interface CheckedTree {
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/** One check that has come to its end. */
export interface JournalCheck {
  readonly audit_seq: number;
  readonly cause: CheckCause;
  /** A key of the API, an account of the machine; null: the node itself. */
  readonly by: string | null;
  readonly started_at: string;
  readonly ended_at: string;
  readonly duration_ms: number;
  readonly clean: boolean;
  readonly problems: number;
  /** Table, row, column and code of the first of them. */
  readonly first_problems: readonly string[];
  /** Codes of what is no damage, and worth knowing. */
  readonly notices: readonly string[];
  /** Rows that were derived again and compared. */
  readonly rows: number;
  /** Null: what is stored did not give a tree to its end. */
  readonly journal: CheckedTree | null;
  readonly audit: CheckedTree | null;
}

interface Recorded {
  readonly seq: number;
  readonly event: string;
  readonly actor: string | null;
  readonly at: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What a check leaves in its record; {@link checkOf} reads it back. */
export type CheckDetail = Omit<JournalCheck, 'audit_seq' | 'clean'> & {
  /** Digest of the signed report that it was taken from; null: this process ran it. */
  readonly report: string | null;
};

/** @returns null for another record */
export function checkOf({ seq, event, actor, at, detail }: Recorded): JournalCheck | null {
  if (event !== CHECKED && event !== CHECK_FAILED) return null;
  return {
    audit_seq: seq,
    cause: CHECK_CAUSES.find((cause) => cause === detail['cause']) ?? 'by_clock',
    by: textIn(detail['by']) ?? actor,
    started_at: textIn(detail['started_at']) ?? at,
    ended_at: textIn(detail['ended_at']) ?? at,
    duration_ms: numberIn(detail['duration_ms']),
    clean: event === CHECKED,
    problems: numberIn(detail['problems']),
    first_problems: textsIn(detail['first_problems']),
    notices: textsIn(detail['notices']),
    rows: numberIn(detail['rows']),
    journal: treeIn(detail['journal']),
    audit: treeIn(detail['audit']),
  };
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function treeIn(value: unknown): CheckedTree | null {
  if (typeof value !== 'object' || value === null) return null;
  const { size, root } = value as { readonly size?: unknown; readonly root?: unknown };
  return typeof size === 'number' && typeof root === 'string' ? { size, root } : null;
}
