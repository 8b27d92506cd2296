import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import type { Tables } from '../tables.ts';
import type { FsckContext } from './context.ts';

type Attempt = Tables['mutation_attempts'];

interface Chained {
  readonly seq: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Refused writes: what the guards recorded is what the audit log says, and nothing of it is gone. */
export function checkAttempts(ctx: FsckContext): void {
  const { findings } = ctx;
  const find = prepare<[number], Attempt>(
    ctx.db,
    sqlBuilder.selectFrom('mutation_attempts').selectAll().where('attempt_id', '=', PARAM),
  );
  let last = 0;
  for (const { seq, detail } of chainedAttempts(ctx.db)) {
    const id = Number(detail['attempt_id']);
    reportMissing(ctx, last + 1, id - 1, find);
    const problem = compare(find.get(id), detail);
    last = id;
    findings.checked.mutation_attempts++;
    if (problem === undefined) continue;
    const text = `audit record ${seq} says otherwise: ${JSON.stringify(detail)}`;
    findings.problem({ table: 'mutation_attempts', row: id, ...problem, detail: text });
  }
  const waiting = prepare<[number], number>(
    ctx.db,
    sqlBuilder
      .selectFrom('mutation_attempts')
      .select((q) => q.fn.countAll().as('rows'))
      .where('attempt_id', '>', PARAM),
  ).pluck();
  const rows = waiting.get(last) ?? 0;
  findings.checked.mutation_attempts += rows;
  if (rows > 0) {
    findings.notice(
      'attempts_not_chained',
      `${rows} refused writes are not in the audit log yet: the daemon adds them`,
    );
  }
}

/** Numbers between two chained ones: a row that is there was left out of the audit log, one that is not is gone. */
function reportMissing(
  { findings }: FsckContext,
  first: number,
  last: number,
  find: Statement<[number], Attempt>,
): void {
  if (last < first) return;
  const isThere = find.get(first) !== undefined;
  findings.problem({
    table: 'mutation_attempts',
    row: first,
    field: 'attempt_id',
    code: isThere ? 'attempt_not_chained' : 'row_missing',
    detail: `attempts ${first} to ${last} are not in the audit log, later ones are`,
  });
}

const FIELD_OF = { at: 'at', operation: 'operation', target: 'table', row_key: 'row' } as const;

function compare(
  row: Attempt | undefined,
  detail: Chained['detail'],
): { readonly field: string; readonly code: string } | undefined {
  if (row === undefined) return { field: 'attempt_id', code: 'row_missing' };
  for (const field of ['at', 'operation', 'target', 'row_key'] as const) {
    const said = detail[FIELD_OF[field]];
    const isCut = typeof said === 'string' && said.endsWith('…') && row[field]?.startsWith(said.slice(0, -1)) === true;
    if (row[field] !== said && !isCut) return { field, code: 'column_changed' };
  }
  return undefined;
}

function* chainedAttempts(db: Db): Generator<Chained> {
  const rows = prepare<[string, string], { seq: number; body: string }>(
    db,
    sqlBuilder
      .selectFrom('audit')
      .select(['seq', 'body'])
      .where((q) => q.or([q('event', '=', PARAM), q('event', '=', PARAM)]))
      .orderBy('seq'),
  );
  for (const { seq, body } of rows.iterate('fact_mutation_attempted', 'fact_erased')) {
    const { detail } = JSON.parse(body) as { detail: Chained['detail'] };
    if (Number.isSafeInteger(detail['attempt_id'])) yield { seq, detail };
  }
}
