/**
 * Facts that are hidden from readers. The table says what holds now; what it says follows from the audit log: a record when a
 * fact was taken and hidden, and one for each decision of an operator. Nothing guards the table: it is filled again from there.
 */
import type { ReviewStatus } from '../core/review.ts';
import { type Db, PARAM, prepare, prepareInsert, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';

export const QUARANTINED_EVENT = 'quarantine_ingest';
export const DECIDED_EVENT = 'quarantine_decided';

export interface QuarantineRow {
  readonly chain_seq: number;
  readonly reason: string;
  readonly status: ReviewStatus;
}

/** The newest decision about a fact. */
export interface RecordedDecision {
  readonly status: ReviewStatus;
  /** Why the fact was hidden. */
  readonly reason: string;
}

export class QuarantineTable {
  readonly #put: Statement<unknown[]>;

  constructor(db: Db) {
    const cells = { chain_seq: PARAM, reason: PARAM, status: PARAM };
    this.#put = prepare(db, sqlBuilder.replaceInto('quarantine').values(cells));
  }

  /** In the place of the row before. The caller holds the transaction, and writes the audit record. */
  put({ chain_seq, reason, status }: QuarantineRow): void {
    this.#put.run([chain_seq, reason, status]);
  }
}

/** What was decided by operators, by `chain_seq`: the newest decision stands. */
export function recordedDecisions(db: Db): ReadonlyMap<number, RecordedDecision> {
  const decisions = new Map<number, RecordedDecision>();
  for (const body of bodiesOf(db, DECIDED_EVENT)) {
    const { reason, detail } = JSON.parse(body) as Pick<AuditRecord, 'reason' | 'detail'>;
    const { journal_seq, held_for } = detail;
    if (typeof journal_seq !== 'number' || typeof held_for !== 'string') continue;
    if (reason === 'promoted' || reason === 'rejected')
      decisions.set(journal_seq, { status: reason, reason: held_for });
  }
  return decisions;
}

/** Why facts were hidden when they were taken, in the order of the journal. */
export function* recordedQuarantines(db: Db): Generator<{ readonly seq: number; readonly reason: string }> {
  for (const body of bodiesOf(db, QUARANTINED_EVENT)) {
    const { reason, detail } = JSON.parse(body) as Pick<AuditRecord, 'reason' | 'detail'>;
    if (typeof detail['journal_seq'] === 'number') yield { seq: detail['journal_seq'], reason: reason ?? '' };
  }
}

/** The quarantine as the audit log tells it: filled again if it was dropped. Costs two counts when it is whole. */
export function restoreQuarantine(db: Db): void {
  const held = countOf(
    db,
    sqlBuilder.selectFrom('quarantine').select((q) => q.fn.countAll().as('n')),
  );
  const recorded = sqlBuilder.selectFrom('audit').where('event', '=', PARAM);
  if (
    held >=
    countOf(
      db,
      recorded.select((q) => q.fn.countAll().as('n')),
      QUARANTINED_EVENT,
    )
  )
    return;
  const known = prepare<[number]>(
    db,
    sqlBuilder.selectFrom('quarantine').select('chain_seq').where('chain_seq', '=', PARAM),
  );
  const insert = prepareInsert(db, 'quarantine', ['chain_seq', 'reason', 'status']);
  db.transaction(() => {
    const decisions = recordedDecisions(db);
    const hidden = [...recordedQuarantines(db)].map(({ seq, reason }) => [seq, { status: 'pending', reason }] as const);
    for (const [seq, { status, reason }] of new Map([...hidden, ...decisions]))
      if (known.get(seq) === undefined) insert.run(seq, reason, status);
  })();
}

/** One statement is never open across another that writes: the records of one event are few enough, or are only read. */
function bodiesOf(db: Db, event: string): IterableIterator<string> {
  const records = sqlBuilder.selectFrom('audit').select('body').where('event', '=', PARAM).orderBy('seq');
  const bodies = prepare<[string], string>(db, records).pluck() as Statement<[string], string>;
  return bodies.iterate(event);
}

function countOf(db: Db, query: { compile(): { sql: string } }, ...params: unknown[]): number {
  const count = db.prepare<unknown[], number>(query.compile().sql).pluck();
  return Number(count.get(...params));
}
