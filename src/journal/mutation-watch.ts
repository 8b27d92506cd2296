import { sql } from 'kysely';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditInput } from './read-model.ts';

/** One transaction chains no more of them: a loop in a foreign program must not hold up the appends. */
const MAX_ATTEMPTS = 500;

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
      event: 'fact_mutation_attempted',
      reason: 'append_only',
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
    sqlBuilder.selectFrom('audit').select('body').where('event', '=', PARAM).orderBy('seq', 'desc'),
  ).pluck();
  for (const body of bodies.iterate('fact_mutation_attempted')) {
    const record = JSON.parse(String(body)) as { detail: { attempt_id: number } };
    return record.detail.attempt_id;
  }
  return 0;
}
