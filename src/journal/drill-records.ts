/** What the audit log has of drills, and of refusals that were none. */
import { type RawBuilder, sql } from 'kysely';
import { REFUSAL_EVENTS, sightingOf } from '../core/case-sighting.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';
import { SUMMARY_EVENT } from './refusal-summary.ts';

/** Of a record that can be read: SQLite ends the whole query at one that cannot, and so do the columns that are made of it. */
const [AT, REASON, REAL] = [member<string>('at'), member<string | null>('reason'), member<number>('is_drill')];

function member<T>(name: string): RawBuilder<T> {
  return sql<T>`CASE WHEN json_valid(body) THEN json_extract(body, ${sql.lit(`$.${name}`)}) END`;
}

export interface RefusalCount {
  readonly reason: string;
  readonly count: number;
}

export class DrillRecords {
  readonly #counted: Statement<[event: string, since: string, until: string], { reason: string | null; count: number }>;
  readonly #summaries: Statement<[event: string, since: string, until: string], { body: string }>;
  readonly #newest: Statement<[event: string], { at: string }>;
  readonly #first: Statement<[], { at: string }>;

  constructor(db: Db) {
    const of = sqlBuilder.selectFrom('audit').where('event', '=', PARAM);
    const within = of.where(AT, '>=', PARAM).where(AT, '<', PARAM).where(REAL, '=', sql.lit(0));
    const counted = within.select([REASON.as('reason'), (q) => q.fn.countAll<number>().as('count')]).groupBy(REASON);
    this.#counted = prepare(db, counted);
    this.#summaries = prepare(db, within.select('body'));
    const dated = sqlBuilder.selectFrom('audit').select(AT.as('at')).where(AT, 'is not', null).limit(ONE);
    this.#newest = prepare(db, dated.where('event', '=', PARAM).where(REAL, '=', sql.lit(0)).orderBy('seq', 'desc'));
    this.#first = prepare(db, dated.orderBy('seq'));
  }

  /** What was refused between two times that was no drill, by reason, each once. */
  refusals(since: string, until: string): readonly RefusalCount[] {
    const counts = new Map<string, number>();
    const add = (reason: string | null, count: number): void => {
      if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + count);
    };
    for (const event of REFUSAL_EVENTS)
      for (const { reason, count } of this.#counted.all(event, since, until)) add(reason, count);
    for (const { body } of this.#summaries.iterate(SUMMARY_EVENT, since, until)) {
      const record = JSON.parse(body) as AuditRecord;
      add(record.reason, sightingOf(record)?.count ?? 0);
    }
    return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => (a.reason < b.reason ? -1 : 1));
  }

  /** When something was refused last that was no drill; null: never. */
  lastRefusalAt(): string | null {
    const times = [...REFUSAL_EVENTS, SUMMARY_EVENT].flatMap((event) => this.#newest.get(event)?.at ?? []);
    return times.sort().at(-1) ?? null;
  }

  /** When the log began; null: it has no record. */
  begunAt(): string | null {
    return this.#first.get()?.at ?? null;
  }
}
