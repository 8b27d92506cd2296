import { sql } from 'kysely';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditInput } from './read-model.ts';

/** One transaction chains no more of them: a loop in a foreign program must not hold up the appends. */
const MAX_ATTEMPTS = 500;

const ATTEMPTED = 'fact_mutation_attempted';
/** The guards have let the erasure of a tombstoned body through. */
const ERASED = 'fact_erased';

interface Attempt {
  readonly attempt_id: number;
  readonly at: string;
  readonly operation: string;
  readonly target: string;
  readonly row_key: string | null;
}

/** Finds the rows that the guards wrote and the audit log does not have yet. A trigger cannot hash; this can. */
export class MutationWatch {
  readonly #after: Statement<[number], Attempt>;
  #chained: number;

  constructor(db: Db) {
    this.#after = prepare(
      db,
      sqlBuilder
        .selectFrom('mutation_attempts')
        .selectAll()
        .where('attempt_id', '>', PARAM)
        .orderBy('attempt_id')
        .limit(sql.lit(MAX_ATTEMPTS)),
    );
    this.#chained = lastChained(db);
  }

  /** Up to {@link MAX_ATTEMPTS} attempts, oldest first. They are handed out again until {@link chained} is told of them. */
  unchained(): { readonly lastId: number; readonly records: readonly AuditInput[] } {
    const attempts = this.#after.all(this.#chained);
    const records = attempts.map(({ attempt_id, at, operation, target, row_key }) => ({
      event: operation === 'ERASE' ? ERASED : ATTEMPTED,
      reason: operation === 'ERASE' ? null : 'append_only',
      detail: { attempt_id, at, operation, table: target, row: row_key },
    }));
    return { lastId: attempts.at(-1)?.attempt_id ?? this.#chained, records };
  }

  /** The audit records of all attempts up to this one are committed. */
  chained(lastId: number): void {
    this.#chained = lastId;
  }
}

function lastChained(db: Db): number {
  const bodies = prepare<[string], string>(
    db,
    sqlBuilder.selectFrom('audit').select('body').where('event', '=', PARAM).orderBy('seq', 'desc').limit(ONE),
  ).pluck();
  const newest = [ATTEMPTED, ERASED].map((event) => {
    const body = bodies.get(event);
    if (body === undefined) return 0;
    return (JSON.parse(String(body)) as { detail: { attempt_id: number } }).detail.attempt_id;
  });
  return Math.max(...newest);
}
