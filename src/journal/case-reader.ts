/** Reads cases, with filters that combine. Paging is by what never changes, or by what only grows: no case is left out. */
import { sql } from 'kysely';
import type { Case } from '../core/case-fold.ts';
import type { CaseCount, CaseFilter, CasePage, CaseQuery, MadeChange } from '../core/case-report.ts';
import { CASE_CHANGED } from '../core/case-sighting.ts';
import type { CaseState } from '../core/case-state.ts';
import { SEVERITIES } from '../core/severity.ts';
import { type CaseRow, caseOf } from './case-book.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';

/** A record of a case. */
export interface CaseEvent {
  readonly record: AuditRecord;
  /** What a person did; else what was seen. */
  readonly isChange: boolean;
}

export interface CaseEventQuery {
  readonly id: number;
  readonly order: 'newest' | 'oldest';
  /** Sequence of the last record of the page before. */
  readonly cursor: number | null;
  readonly changesOnly: boolean;
  readonly limit: number;
}

export interface CaseEventPage {
  readonly events: readonly CaseEvent[];
  readonly more: boolean;
}

/** A record that belongs to a case, and that case as it is now. */
export interface CaseNews {
  readonly seq: number;
  readonly isChange: boolean;
  readonly record: AuditRecord;
  readonly held: Case;
}

interface CountRow {
  readonly state: string;
  readonly severity: number;
  readonly is_drill: number;
  readonly count: number;
  readonly oldest_at: string;
}

interface EventRow {
  readonly body: string;
  readonly is_change: number;
}

export class CaseReader {
  readonly #db: Db;
  readonly #byId: Statement<[number], CaseRow>;
  readonly #byUid: Statement<[string], CaseRow>;
  readonly #counts: Statement<[], CountRow>;
  readonly #news: Statement<[number, number], CaseRow & EventRow & { seq: number }>;
  readonly #changesSince: Statement<[number, number], EventRow>;

  constructor(db: Db) {
    this.#db = db;
    this.#byId = prepare(db, sqlBuilder.selectFrom('cases').selectAll().where('id', '=', PARAM));
    this.#byUid = prepare(db, sqlBuilder.selectFrom('cases').selectAll().where('uid', '=', PARAM));
    this.#counts = prepare(db, counts);
    this.#news = prepare(db, newsBehind);
    this.#changesSince = prepare(db, recordsSince);
  }

  /** @param name its number, or its uid */
  find(name: number | string): Case | null {
    const row = typeof name === 'number' ? this.#byId.get(name) : this.#byUid.get(name);
    return row === undefined ? null : caseOf(row);
  }

  list(query: CaseQuery): CasePage {
    const { sql: text, parameters } = listQuery(query).compile();
    const rows = this.#db.prepare<unknown[], CaseRow>(text).all(...parameters);
    const cases = rows.slice(0, query.limit).map(caseOf);
    const last = cases.at(-1);
    const place = query.order === 'changed' ? last?.last_seq : last?.id;
    return { cases, cursor: place ?? query.cursor, more: rows.length > query.limit };
  }

  counts(): readonly CaseCount[] {
    return this.#counts.all().map(({ state, severity, is_drill, ...rest }) => ({
      state: state as CaseState,
      is_drill: is_drill === 1,
      severity: SEVERITIES[severity] ?? 'info',
      ...rest,
    }));
  }

  /** Records of a case, in order. */
  events(query: CaseEventQuery): CaseEventPage {
    const { sql: text, parameters } = eventsQuery(query).compile();
    const rows = this.#db.prepare<unknown[], EventRow>(text).all(...parameters);
    const events = rows.slice(0, query.limit).map((row) => ({ record: recordIn(row), isChange: row.is_change === 1 }));
    return { events, more: rows.length > query.limit };
  }

  /** Records that belong to cases, behind a place in the audit log, in order. */
  news(after: number, limit: number): readonly CaseNews[] {
    return this.#news.all(after, limit).map(({ seq, body, is_change, ...row }) => ({
      seq,
      isChange: is_change === 1,
      record: recordIn({ body }),
      held: caseOf(row),
    }));
  }

  /** What has changed a case since a version of it. */
  changesSince(id: number, version: number): readonly MadeChange[] {
    return this.#changesSince.all(id, version).flatMap((row) => {
      const { seq: audit_seq, at, actor: by, detail, event } = recordIn(row);
      const move = detail['move'];
      if (row.is_change === 1 || event === CASE_CHANGED)
        return [{ audit_seq, at, by, move: typeof move === 'string' ? move : '' }];
      return [{ audit_seq, at, by: null, move: 'seen' }];
    });
  }
}

function recordIn({ body }: Pick<EventRow, 'body'>): AuditRecord {
  return JSON.parse(body) as AuditRecord;
}

const counts = sqlBuilder
  .selectFrom('cases')
  .select([
    'state',
    'severity',
    'is_drill',
    (q) => q.fn.countAll<number>().as('count'),
    (q) => q.fn.min('state_at').as('oldest_at'),
  ])
  .groupBy(['state', 'severity', 'is_drill']);

const newsBehind = sqlBuilder
  .selectFrom('case_records')
  .innerJoin('cases', 'cases.id', 'case_records.case_id')
  .innerJoin('audit', 'audit.seq', 'case_records.seq')
  .selectAll('cases')
  .select(['case_records.seq', 'case_records.is_change', 'audit.body'])
  .where('case_records.seq', '>', PARAM)
  .orderBy('case_records.seq')
  .limit(PARAM);

/** The newest few of them say who was there before. */
const recordsSince = sqlBuilder
  .selectFrom('case_records')
  .innerJoin('audit', 'audit.seq', 'case_records.seq')
  .select(['audit.body', 'case_records.is_change'])
  .where('case_records.case_id', '=', PARAM)
  .where('case_records.seq', '>', PARAM)
  .where((q) =>
    q.or([
      q('case_records.is_change', '=', sql.lit(1)),
      q(
        'case_records.seq',
        '=',
        q.selectFrom('cases').select('version').whereRef('cases.id', '=', 'case_records.case_id'),
      ),
    ]),
  )
  .orderBy('case_records.seq', 'desc')
  .limit(sql.lit(10));

function eventsQuery({ id, order, cursor, changesOnly, limit }: CaseEventQuery) {
  let query = sqlBuilder
    .selectFrom('case_records')
    .innerJoin('audit', 'audit.seq', 'case_records.seq')
    .select(['audit.body', 'case_records.is_change'])
    .where('case_records.case_id', '=', id);
  if (changesOnly) query = query.where('case_records.is_change', '=', 1);
  if (cursor !== null) query = query.where('case_records.seq', order === 'oldest' ? '>' : '<', cursor);
  return query.orderBy('case_records.seq', order === 'oldest' ? 'asc' : 'desc').limit(limit + 1);
}

function listQuery({ order, cursor, limit, ...filter }: CaseQuery) {
  const column = order === 'changed' ? 'last_seq' : 'id';
  let query = filtered(filter).selectAll();
  if (cursor !== null) query = query.where(column, order === 'newest' ? '<' : '>', cursor);
  return query.orderBy(column, order === 'newest' ? 'desc' : 'asc').limit(limit + 1);
}

function filtered(filter: CaseFilter) {
  const { states, severities, topic, peer, reason, feed, assignee, since, text, drill } = filter;
  let query = sqlBuilder.selectFrom('cases');
  if (states !== undefined) query = query.where('state', 'in', states);
  if (severities !== undefined)
    query = query.where(
      'severity',
      'in',
      severities.map((one) => SEVERITIES.indexOf(one)),
    );
  if (drill !== undefined) query = query.where('is_drill', '=', Number(drill));
  if (topic !== undefined) query = query.where('topic', '=', topic);
  if (peer !== undefined) query = query.where('peer', '=', peer);
  if (reason !== undefined) query = query.where('reason', '=', reason);
  if (feed !== undefined) query = query.where('feed', '=', feed);
  if (assignee !== undefined) query = query.where('assignee', assignee === null ? 'is' : '=', assignee);
  if (since !== undefined) query = query.where((q) => q.or([q('last_at', '>=', since), q('state_at', '>=', since)]));
  if (text !== undefined)
    query = query.where((q) =>
      q.or([q('ticket', 'like', sql<string>`${likeOf(text)} escape '\\'`), q('id', 'in', saying(text))]),
    );
  return query;
}

/** Cases that somebody has said something about, with this text in it. People write few records. */
function saying(text: string) {
  const why = sql<string>`json_extract(body, '$.detail.why')`;
  return sqlBuilder
    .selectFrom('audit')
    .select(sql<number>`json_extract(body, '$.detail.case')`.as('id'))
    .where('event', '=', sql.lit(CASE_CHANGED))
    .where(why, 'like', sql<string>`${likeOf(text)} escape '\\'`);
}

function likeOf(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
