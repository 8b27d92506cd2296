/** Cases have to follow from the audit log: they are made again in a temporary file and compared, row by row. */
import Database from 'better-sqlite3';
import { CaseBook } from '../case-book.ts';
import { caseLines, madeTo, takeLine } from '../case-filling.ts';
import { type Db, prepare, type Statement, sqlBuilder } from '../database.ts';
import { CASES_OF_DRILLS, CASES_SCHEMA, CASES_TABLES } from '../schema-cases.ts';
import type { FsckContext } from './context.ts';

type Table = 'cases' | 'case_records';
type Row = Readonly<Record<string, string | number | null>>;

const KEY: Readonly<Record<Table, string>> = { cases: 'id', case_records: 'seq' };

/** Memory does not grow with the journal: what is made again lies in a file that SQLite removes by itself. */
export function checkCases(ctx: FsckContext): void {
  const { db, findings } = ctx;
  if (Number(db.pragma('user_version', { simple: true })) < CASES_SCHEMA) return;
  if (madeTo(db) !== null) {
    findings.notice('cases_behind', 'cases are made from the audit log when the node starts: they were not compared');
    return;
  }
  const model = new Database('');
  try {
    model.exec(CASES_TABLES + CASES_OF_DRILLS);
    const book = new CaseBook(model);
    model.exec('BEGIN');
    for (const line of caseLines(db).iterate()) takeLine(book, line);
    model.exec('COMMIT');
    for (const table of ['cases', 'case_records'] as const)
      compare(ctx, table, rowsOf(db, table), rowsOf(model, table));
  } finally {
    model.close();
  }
}

function rowsOf(db: Db, table: Table): Statement<[], Row> {
  return prepare<[], Row>(
    db,
    sqlBuilder
      .selectFrom(table as 'cases')
      .selectAll()
      .orderBy(KEY[table] as 'id'),
  );
}

/** Both are walked in the order of their keys. */
function compare({ findings }: FsckContext, table: Table, found: Statement<[], Row>, made: Statement<[], Row>): void {
  const key = KEY[table];
  const stored = found.iterate();
  const expected = made.iterate();
  const report = (row: Row, field: string, code: string, detail: string): void =>
    findings.problem({ table, row: Number(row[key]), field, code, detail });
  let a = stored.next();
  let b = expected.next();
  while (a.done !== true || b.done !== true) {
    const [here, there] = [placeOf(a, key), placeOf(b, key)];
    if (here < there && a.done !== true) report(a.value, key, 'row_unexpected', 'no audit record makes it');
    else if (there < here && b.done !== true) report(b.value, key, 'row_missing', 'the audit log makes it');
    else if (a.done !== true && b.done !== true) judge(a.value, b.value, report);
    if (here <= there) a = stored.next();
    if (there <= here) b = expected.next();
  }
}

function placeOf(step: IteratorResult<Row>, key: string): number {
  return step.done === true ? Number.POSITIVE_INFINITY : Number(step.value[key]);
}

function judge(row: Row, made: Row, report: (row: Row, field: string, code: string, detail: string) => void): void {
  // An older file does not say what is of a drill.
  const field = Object.keys(row).find((name) => made[name] !== row[name]);
  if (field !== undefined)
    report(row, field, 'column_changed', `${row[field]}, and the audit log makes it ${made[field]}`);
}
