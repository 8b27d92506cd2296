/**
 * Makes the cases that a journal lacks out of its audit log: after the migration that made their tables, or when they were
 * emptied. Some thousand records at a time, each a transaction of its own: a kill costs what was under way, and memory is bounded.
 */
import { sql } from 'kysely';
import { CASE_EVENTS } from '../core/case-sighting.ts';
import { recordHash } from './audit-log.ts';
import { CaseBook, type TakenRecord } from './case-book.ts';
import { type Db, lastKey, PARAM, prepare, type Statement, sqlBuilder, unsynced } from './database.ts';
import { Marks } from './marks.ts';
import { CASES_BEHIND } from './schema-cases.ts';

/** Sequences that one transaction looks at. */
const STEP = 5_000;

/** The caller is the only writer. Costs three look-ups when nothing is missing. */
export function fillCases(db: Db, onStep: (done: number, of: number) => void = () => {}): void {
  const end = lastKey(db, 'audit', 'seq');
  const last = lastKey(db, 'case_records', 'seq');
  const isForged = last > end;
  if (isForged) emptyCases(db);
  const mark = isForged ? 0 : (madeTo(db) ?? (last === 0 ? 0 : null));
  if (mark === null) return;
  const book = new CaseBook(db);
  const records = prepare<[number, number], RecordLine>(db, recordsBetween);
  const marks = new Marks(db);
  for (let from = mark; from < end; from += STEP) {
    onStep(from, end);
    unsynced(db, () => {
      for (const line of records.all(from, from + STEP)) takeLine(book, line);
      marks.put(CASES_BEHIND, from + STEP);
    });
  }
  marks.drop(CASES_BEHIND);
}

/** Rows of records that are still to come would be taken for theirs. What is cut short begins anew. */
function emptyCases(db: Db): void {
  unsynced(db, () => {
    for (const table of ['cases', 'case_records'] as const) prepare(db, sqlBuilder.deleteFrom(table)).run();
  });
}

/** Up to which record cases were made; null: they follow the whole log. */
export function madeTo(db: Db): number | null {
  return new Marks(db).get(CASES_BEHIND) ?? null;
}

export interface RecordLine {
  readonly seq: number;
  readonly body: string;
}

/** A body that cannot be read is of no case, and told by fsck. */
export function takeLine(book: CaseBook, { seq, body }: RecordLine): void {
  const record = readRecord(body);
  if (record !== undefined) book.take({ ...record, seq }, () => recordHash(body));
}

/** Records that cases are made of, from the first on. */
export function caseLines(db: Db): Statement<[], RecordLine> {
  return prepare(db, recordsOfCases.orderBy('seq'));
}

const TEXTS_OR_NULL = ['reason', 'peer', 'feed'] as const;

function readRecord(body: string): TakenRecord | undefined {
  try {
    const record = JSON.parse(body) as Readonly<Record<keyof TakenRecord, unknown>>;
    const isRecord =
      typeof record.at === 'string' &&
      typeof record.event === 'string' &&
      typeof record.detail === 'object' &&
      record.detail !== null &&
      TEXTS_OR_NULL.every((name) => record[name] === null || typeof record[name] === 'string');
    return isRecord ? (record as TakenRecord) : undefined;
  } catch {
    return undefined;
  }
}

const recordsOfCases = sqlBuilder
  .selectFrom('audit')
  .select(['seq', 'body'])
  .where(
    'event',
    'in',
    CASE_EVENTS.map((event) => sql.lit(event)),
  );

const recordsBetween = recordsOfCases.where('seq', '>', PARAM).where('seq', '<=', PARAM).orderBy('seq');
