/** Drills: what there is, how the newest of each kind ended, making one, signed reports. */
import { z } from '@hono/zod-openapi';
import { DRILL_KINDS, type DrillKindStatus, type DrillRun } from '../../core/drill.ts';
import { MONTH_TEXT } from '../../wire/drill-report.ts';
import type { DrillStart } from '../drill-desk.ts';
import { REASON, readActBody } from './acting.ts';
import { intParam, optionalInt } from './params.ts';
import { answer, json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface DrillsAnswer {
  readonly kinds: readonly DrillKindStatus[];
  readonly running: DrillRun | null;
  readonly schedule: { readonly every_hours: number; readonly kinds: readonly string[] } | null;
  readonly last_refusal_at: string | null;
  readonly since: string | null;
}

export interface DrillAnswer {
  readonly run: DrillRun;
}

export interface DrillRunsAnswer {
  readonly runs: readonly DrillRun[];
  readonly cursor: number | null;
  readonly more: boolean;
}

const TEXT = z.string();
const TIME = TEXT.nullable();
const NUMBER = z.number().int();
const KIND = z.enum(DRILL_KINDS);
const STATE = z.enum(['running', 'passed', 'failed']);

const RUN = z
  .object({
    id: TEXT,
    kind: KIND,
    state: STATE,
    node_id: TEXT.openapi({ description: 'Of its hostile peer, which nobody has but this drill.' }),
    started_at: TEXT,
    started_by: TEXT,
    why: TEXT,
    ended_at: TIME,
    failure: z.object({ code: TEXT, message: TEXT }).nullable(),
    expected: z.object({ event: TEXT, reason: TEXT }),
    seen: z.object({ event: TEXT, reason: TEXT, audit_seq: NUMBER }).nullable(),
    sent_at: TIME.openapi({ description: 'The lie left the hostile peer.' }),
    refused_at: TIME.openapi({ description: 'The verdict, by its audit record.' }),
    recorded_at: TIME.openapi({ description: 'The record is durable.' }),
    sinks: z.array(
      z.object({
        name: TEXT,
        state: z.enum(['acknowledged', 'filtered', 'silent']),
        acked_at: TIME.openapi({ description: 'The receiver has taken the record.' }),
      }),
    ),
    convicts: z.boolean().nullable().openapi({
      description: 'Whether the evidence alone convinces a third party; null: this kind makes none that could.',
    }),
    acknowledged_at: TIME.openapi({ description: 'The first person did something about its case.' }),
    acknowledged_by: TEXT.nullable(),
    case_id: NUMBER.nullable(),
  })
  .openapi('Drill');

const STATUS = z
  .object({
    kinds: z.array(
      z.object({
        kind: KIND,
        does: TEXT,
        threats: z.array(NUMBER),
        event: TEXT,
        reason: TEXT,
        convicts: z.boolean(),
        last_run_at: TIME,
        last_state: STATE.nullable(),
        last_passed_at: TIME,
      }),
    ),
    running: RUN.nullable(),
    schedule: z.object({ every_hours: z.number(), kinds: z.array(KIND) }).nullable(),
    last_refusal_at: TIME.openapi({ description: 'Of the newest refusal that was no drill.' }),
    since: TIME.openapi({ description: 'When the audit log began.' }),
  })
  .openapi('Drills') satisfies z.ZodType<DrillsAnswer>;

const RUNS = z
  .object({ runs: z.array(RUN), cursor: NUMBER.nullable(), more: z.boolean() })
  .openapi('DrillRuns') satisfies z.ZodType<DrillRunsAnswer>;
const STARTED = z.object({ run: RUN }).openapi('DrillStarted') satisfies z.ZodType<DrillAnswer>;
const START_BODY = z.object({ kind: KIND, reason: REASON }).openapi('StartDrill');

const RUNS_QUERY = z.object({
  limit: intParam({ min: 1, max: 100, default: 20, description: 'Drills in the answer.' }),
  cursor: optionalInt({ min: 1, description: '`cursor` of the page before.' }),
});
const REPORT_QUERY = z.object({
  month: TEXT.regex(MONTH_TEXT, 'a month such as 2026-11').openapi({
    description: 'Such as 2026-11.',
  }),
});

const READERS = ['audit.read', 'admin'] as const;
const ACTORS = ['admin', 'admin:federation'] as const;

export function addDrills(apparatus: Apparatus): void {
  addReading(apparatus);
  addReport(apparatus);
  const { drills } = apparatus.deps;
  const start = {
    method: 'post',
    path: '/v1/drills',
    tag: 'Drills',
    summary: 'Make a drill: a labelled attack on this node by a peer of its own; recorded with the caller',
    description: 'Answers at once; `GET /v1/drills/runs/{id}` says how far it is. One at a time.',
    query: NO_QUERY,
    body: START_BODY,
    quota: 'admin_action',
    responses: {
      202: { description: 'it runs', content: { 'application/json': { schema: STARTED } } },
      409: { description: 'another one runs, the restore guard holds the journal, or the node does not run' },
    },
  } as const;
  addRoute(apparatus, start, ACTORS, async (call, { actor }) => {
    const body = await readActBody(apparatus, call, START_BODY);
    if (!body.ok) return refused(body.error);
    const started = await drills.start(body.value.kind, actor, body.value.reason);
    return started.kind === 'started' ? json(202, { run: started.run }) : refused(notStarted(started));
  });
}

function notStarted(outcome: Exclude<DrillStart, { kind: 'started' }>): Refusal {
  return { status: 409, detail: { code: `drill_${outcome.kind}`, message: whyNotStarted(outcome) } };
}

function whyNotStarted(outcome: Exclude<DrillStart, { kind: 'started' }>): string {
  switch (outcome.kind) {
    case 'busy':
      return `drill ${outcome.running} runs: one at a time`;
    case 'held':
      return 'the restore guard holds the journal: nothing is pulled until it is cleared';
    case 'not_running':
      return 'the node does not run';
  }
}

function addReading(apparatus: Apparatus): void {
  const { drills } = apparatus.deps;
  const status = {
    method: 'get',
    path: '/v1/drills',
    tag: 'Drills',
    summary: 'Kinds of drills, and how the newest of each ended',
    query: NO_QUERY,
    responses: { 200: { description: 'all kinds', content: { 'application/json': { schema: STATUS } } } },
  } as const;
  addRoute(apparatus, status, READERS, async () => json(200, await drills.status()));
  const runs = {
    method: 'get',
    path: '/v1/drills/runs',
    tag: 'Drills',
    summary: 'Drills that were made, newest first',
    query: RUNS_QUERY,
    responses: { 200: { description: 'a page', content: { 'application/json': { schema: RUNS } } } },
  } as const;
  addRoute(apparatus, runs, READERS, async ({ query }) =>
    json(200, await drills.runs(query.cursor ?? null, query.limit)),
  );
  const run = {
    method: 'get',
    path: '/v1/drills/runs/{id}',
    tag: 'Drills',
    summary: 'One drill, with its times',
    params: z.object({ id: TEXT }),
    query: NO_QUERY,
    responses: {
      200: { description: 'the drill', content: { 'application/json': { schema: STARTED } } },
      404: { description: 'drill not found' },
    },
  } as const;
  addRoute(apparatus, run, READERS, async (call) => {
    const found = await drills.run(call.param('id'));
    return found === null ? refused({ status: 404, detail: 'drill not found' }) : json(200, { run: found });
  });
}

function addReport(apparatus: Apparatus): void {
  const { drills } = apparatus.deps;
  const route = {
    method: 'get',
    path: '/v1/drills/report',
    tag: 'Drills',
    summary: 'The drills of a month, signed by the log key',
    description:
      'What is kept of a month that is over, else as of now. `stigmem-peerd drill verify` checks it without a node.',
    query: REPORT_QUERY,
    responses: {
      200: { description: 'signed notes, one behind the other', content: { 'text/plain': { schema: z.string() } } },
      404: { description: 'the month has not begun' },
    },
  } as const;
  addRoute(apparatus, route, READERS, async ({ query }) => {
    const report = await drills.report(query.month);
    if (report.kind === 'report') {
      const headers = { 'content-disposition': `attachment; filename="drills-${query.month}.note"` };
      return answer(200, 'text/plain; charset=utf-8', report.text, headers);
    }
    return refused({ status: 404, detail: 'that month has not begun' });
  });
}
