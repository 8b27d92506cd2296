import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditInput } from './read-model.ts';

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
      sqlBuilder.selectFrom('mutation_attempts').selectAll().where('attempt_id', '>', PARAM).orderBy('attempt_id'),
    );
    this.#chained = lastChained(db);
  }

  /** Each attempt is handed out once; an audit record that was rolled back is found again by the next start. */
  unchained(): AuditInput[] {
    const attempts = this.#after.all(this.#chained);
    this.#chained = attempts.at(-1)?.attempt_id ?? this.#chained;
    return attempts.map(({ attempt_id, at, operation, target, row_key }) => ({
      event: 'fact_mutation_attempted',
      reason: 'append_only',
      detail: { attempt_id, at, operation, table: target, row: row_key },
    }));
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
