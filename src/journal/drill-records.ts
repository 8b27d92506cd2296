/** What the audit log has of drills, and of refusals that were none. */
import { sql } from 'kysely';
import { REFUSAL_EVENTS, sightingOf } from '../core/case-sighting.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';
import { SUMMARY_EVENT } from './refusal-summary.ts';

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
    const within = of.where('at', '>=', PARAM).where('at', '<', PARAM);
    const real = sql<boolean>`json_extract(body, '$.is_drill') = 0`;
    const counted = within
      .where(real)
      .select(['reason', (q) => q.fn.countAll<number>().as('count')])
      .groupBy('reason');
    this.#counted = prepare(db, counted);
    this.#summaries = prepare(db, within.where(real).select('body'));
    this.#newest = prepare(db, of.where(real).select('at').orderBy('seq', 'desc').limit(ONE));
    this.#first = prepare(db, sqlBuilder.selectFrom('audit').select('at').orderBy('seq').limit(ONE));
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
