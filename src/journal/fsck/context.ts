import { type CountedTable, KEY_OF } from '../appended.ts';
import { type Db, prepare, type Statement, sqlBuilder } from '../database.ts';
import { type Cell, type LocatorSums, locate, SUMMED_COLUMNS, type Summed, type SummedColumn } from '../locator.ts';
import type { LogName, SummedTable, Tables } from '../tables.ts';
import type { ReceiptCheck } from './receipt-check.ts';
import type { Findings, FsckCounts } from './report.ts';

export interface FsckProgress {
  /** Table, or part of the check. */
  readonly phase: string;
  /** Rows done, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** What every check gets. */
export interface FsckContext {
  readonly db: Db;
  readonly findings: Findings;
  /** Public keys that sign or have signed the two logs, 32 bytes each; none: signatures of our own logs are not checked. */
  readonly logKeys: readonly Uint8Array[];
  /** Names of the two logs; null when `meta` does not tell them any more. */
  readonly origins: Readonly<Record<LogName, string | null>>;
  readonly receipts: ReceiptCheck;
  /** Reports progress and ends the check if it was aborted. Cheap: called for each row. */
  readonly step: (phase: string, done: number, total: number) => void;
}

/** Why a row is wrong, and the column to blame if its sums do not tell. */
export interface Fault {
  readonly code: string;
  readonly field: string | null;
  readonly detail: string;
}

/** A row without the columns that are generated. */
export type StoredRow<T extends SummedTable> = Pick<Tables[T], (SummedColumn<T> | keyof LocatorSums) & keyof Tables[T]>;

export interface Walk<T extends CountedTable> {
  /** Judges one row by what it says; `changed` is the column that its sums name, if any. */
  readonly judge: (row: StoredRow<T>, key: number, changed: string | undefined) => Fault | undefined;
  /** Rows `first` to `last` are not there. */
  readonly missing?: (first: number, last: number) => void;
  /** Called after the row was judged. */
  readonly after?: (row: StoredRow<T>, key: number, changed: string | undefined) => void;
}

/**
 * Reads a table in the order of its keys: no key may be left out, sums and contents of each row have to hold. One problem
 * a row, with the column that its sums name.
 */
export function walkTable<T extends CountedTable>(ctx: FsckContext, table: T, walk: Walk<T>): void {
  const { findings, step } = ctx;
  const total = countRows(ctx.db, table);
  let expected = 1;
  let done = 0;
  for (const row of allRows(ctx.db, table).iterate()) {
    step(table, done++, total);
    findings.checked[table as keyof FsckCounts]++;
    const key = Number((row as Record<string, Cell>)[KEY_OF[table]]);
    const changed = changedColumn(table, row);
    const isMoved = changed === KEY_OF[table];
    if (!isMoved && key !== expected) {
      findings.problem(gap(table, expected, key));
      walk.missing?.(expected, key - 1);
    }
    if (!isMoved) expected = key + 1;
    const fault = walk.judge(row, key, changed);
    reportRow(ctx, table, key, changed, fault);
    walk.after?.(row, key, changed);
  }
  step(table, done, total);
}

/** The column that a row's sums name; `several` or undefined if there is none. */
export function changedColumn<T extends SummedTable>(table: T, row: StoredRow<T>): string | undefined {
  return locate(table, row as unknown as Summed<T> & LocatorSums);
}

export function reportRow(
  ctx: FsckContext,
  table: string,
  row: number | string,
  changed: string | undefined,
  fault: Fault | undefined,
): void {
  if (changed === undefined && fault === undefined) return;
  const isSum = changed === 'sum1' || changed === 'sum2';
  const isOne = changed !== undefined && changed !== 'several';
  // Sums are the diagnosis, not the evidence: what contradicts the hashes decides when only a sum is off.
  const field = isOne && !(isSum && fault !== undefined) ? changed : (fault?.field ?? null);
  ctx.findings.problem({
    table,
    row,
    field,
    code: fault?.code ?? (isSum ? 'locator_sum_mismatch' : 'column_changed'),
    detail: `${fault?.detail ?? 'the row is not what was written'}${changed === 'several' ? '; more than one column was changed' : ''}`,
  });
}

function gap(table: CountedTable, expected: number, found: number) {
  const code = table === 'entries' ? 'chain_seq_gap' : 'row_missing';
  const rows = found - 1 > expected ? `rows ${expected} to ${found - 1} are` : `row ${expected} is`;
  return { table, row: expected, field: KEY_OF[table], code, detail: `${rows} missing: row ${found} comes next` };
}

/** Statement over all rows of a table in the order of their keys. */
export function allRows<T extends CountedTable>(db: Db, table: T): Statement<[], StoredRow<T>> {
  const columns = [...SUMMED_COLUMNS[table], 'sum1', 'sum2'];
  const query = sqlBuilder
    .selectFrom(table as 'feeds')
    .select(columns as never)
    .orderBy(KEY_OF[table] as never);
  return prepare(db, query);
}

export function countRows(db: Db, table: keyof Tables): number {
  const query = sqlBuilder.selectFrom(table).select((q) => q.fn.countAll().as('rows'));
  return prepare<[], number>(db, query).pluck().get() ?? 0;
}
