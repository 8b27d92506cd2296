import { z } from '@hono/zod-openapi';
import { CHECK_CAUSES, CHECK_EVENTS, checkOf, type JournalCheck } from '../../core/journal-check.ts';
import type { ApiChecks, CheckRefusal, RunningCheck } from '../check-desk.ts';
import type { ApiReader } from '../journal-desk.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { intParam } from './params.ts';
import { plain } from './plain-json.ts';
import { json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface ChecksAnswer {
  readonly every_hours: number | null;
  readonly running: RunningCheck | null;
  readonly last_error: string | null;
  readonly last_clean_at: string | null;
  readonly checks: readonly JournalCheck[];
}

const MAX_NOTE_CHARS = 131_072;
const COUNT = z.number().int();
const CAUSE = z.enum(CHECK_CAUSES);
const BY = z.string().nullable().openapi({ description: 'A key, an account of the machine; null: the node itself.' });
const TREE = z.object({ size: COUNT, root: z.string() }).nullable().openapi({
  description: 'As the check derived it from its leaves; null: what is stored did not give a tree to its end.',
});

const CHECK = z
  .object({
    audit_seq: COUNT,
    cause: CAUSE,
    by: BY,
    started_at: z.string(),
    ended_at: z.string(),
    duration_ms: COUNT,
    clean: z.boolean(),
    problems: COUNT,
    first_problems: z.array(z.string()).openapi({ description: 'Table, row, column, code.' }),
    notices: z.array(z.string()).openapi({ description: 'What is no damage.' }),
    rows: COUNT.openapi({ description: 'Derived again and compared.' }),
    journal: TREE,
    audit: TREE,
  })
  .openapi('JournalCheck');

const RUNNING = z
  .object({ cause: CAUSE, by: BY, started_at: z.string(), phase: z.string(), done: COUNT, total: COUNT })
  .openapi('RunningCheck');

const CHECKS = z
  .object({
    every_hours: z.number().nullable().openapi({ description: 'Null: by hand only, or the node does not run.' }),
    running: RUNNING.nullable(),
    last_error: z.string().nullable().openapi({ description: 'Why the last one did not come to its end.' }),
    last_clean_at: z.string().nullable().openapi({ description: 'When the newest that found nothing ended.' }),
    checks: z.array(CHECK),
  })
  .openapi('JournalChecks') satisfies z.ZodType<ChecksAnswer>;

const REPORT = z
  .object({ report: z.string().max(MAX_NOTE_CHARS).openapi({ description: 'Signed by the node’s log key.' }) })
  .openapi('CheckReport');

/** Adds checks of everything that is stored: those on record, and the one that goes on. */
export function addJournalChecks(apparatus: Apparatus): void {
  addList(apparatus);
  addStart(apparatus);
  addStop(apparatus);
  addRecord(apparatus);
}

function addList(apparatus: Apparatus): void {
  const { checks, reader } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/journal/checks',
    tag: 'Journal',
    summary: 'Checks of everything that is stored, the newest first, and the one that goes on',
    query: z.object({ limit: intParam({ min: 1, max: 200, default: 20, description: 'Checks.' }) }),
    responses: { 200: { description: 'checks', content: { 'application/json': { schema: CHECKS } } } },
  } as const;
  addRoute(apparatus, route, ['federate', 'audit.read'], async ({ query }) => {
    const found = await newest(reader, query.limit);
    const clean = found.filter((check) => check.clean).map(({ ended_at }) => ended_at);
    return json(200, {
      every_hours: checks?.everyHours ?? null,
      running: checks?.running() ?? null,
      last_error: checks?.lastError() ?? null,
      last_clean_at: clean.toSorted().at(-1) ?? null,
      checks: found.slice(0, query.limit).map((check) => ({ ...check })),
    });
  });
}

/** Some of each outcome, so that the newest clean one is among them whatever failed since. */
async function newest(reader: ApiReader, limit: number): Promise<readonly JournalCheck[]> {
  const pages = await Promise.all(CHECK_EVENTS.map((event) => reader.auditPage({ event, order: 'desc', limit })));
  const found = pages.flatMap(({ records }) => records.flatMap((record) => checkOf(record) ?? []));
  return found.toSorted((a, b) => b.audit_seq - a.audit_seq);
}

function addStart(apparatus: Apparatus): void {
  const route = {
    method: 'post',
    path: '/v1/journal/checks',
    tag: 'Journal',
    summary: 'Check everything that is stored, beside the work of the node; the result is recorded with the caller',
    query: NO_QUERY,
    quota: 'admin_action',
    responses: {
      202: { description: 'it has begun', content: { 'application/json': { schema: RUNNING } } },
      409: { description: '`check_runs`, `not_running`' },
    },
  } as const;
  addRoute(apparatus, route, ['admin'], async (_call, { actor }) => {
    const { checks } = apparatus.deps;
    if (checks?.start(actor) !== 'started') return refused(notStarted(checks));
    return json(202, checks.running());
  });
}

function notStarted(checks: ApiChecks | null): Refusal {
  const [code, message] =
    checks === null
      ? ['not_running', 'the node does not run: stigmem-peerd fsck checks its folder']
      : ['check_runs', 'a check goes on: its result is recorded when it has ended'];
  return { status: 409, detail: { code, message } };
}

function addStop(apparatus: Apparatus): void {
  const route = {
    method: 'delete',
    path: '/v1/journal/checks/running',
    tag: 'Journal',
    summary: 'End the check that goes on; that it was ended is recorded with the caller, and nothing of what it found',
    query: NO_QUERY,
    quota: 'admin_action',
    responses: { 204: { description: 'ended' }, 404: { description: 'no check goes on' } },
  } as const;
  addRoute(apparatus, route, ['admin'], async (_call, { actor }) =>
    (await apparatus.deps.checks?.stop(actor)) === true
      ? new Response(null, { status: 204 })
      : refused({ status: 404, detail: 'no check goes on' }),
  );
}

const WHY: Readonly<Record<CheckRefusal, string>> = {
  not_signed: 'it is not signed by this node’s log key',
  stale: 'it ended more than an hour ago, or ends in the future',
  other_history: 'what it has checked is not a past of this journal',
  recorded_before: 'it is on record already',
};

function addRecord(apparatus: Apparatus): void {
  const { checks, limits } = apparatus.deps;
  const route = {
    method: 'post',
    path: '/v1/journal/checks/recorded',
    tag: 'Journal',
    summary: 'Record what a check outside of the daemon has found, as its signed report says',
    query: NO_QUERY,
    body: REPORT,
    quota: 'admin_action',
    responses: {
      200: {
        description: 'recorded',
        content: { 'application/json': { schema: z.object({ audit_seq: COUNT }) } },
      },
      409: { description: '`not_signed`, `stale`, `other_history`, `recorded_before`, `not_running`' },
    },
  } as const;
  addRoute(apparatus, route, ['admin'], async (call, { actor }) => {
    const body = await readJsonBody(call.c.req.raw, limits);
    if (!body.ok) return refused(body.error);
    const given = plain(body.value);
    const parsed = REPORT.safeParse(given);
    if (!parsed.success) return refused({ status: 422, detail: fieldErrors(parsed.error, given, ['body']) });
    if (checks === null) return refused(notStarted(null));
    const taken = await checks.record(parsed.data.report, actor);
    if (typeof taken === 'number') return json(200, { audit_seq: taken });
    return refused({ status: 409, detail: { code: taken, message: WHY[taken] } });
  });
}
