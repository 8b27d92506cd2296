import { z } from '@hono/zod-openapi';
import { CASE_STATES } from '../../core/case-state.ts';
import type { Permission } from '../../core/permissions.ts';
import { SEVERITIES } from '../../core/severity.ts';
import type { CaseEvent, CaseNews } from '../../journal/case-reader.ts';
import type { ApiDeps } from '../deps.ts';
import type { OpenCount } from '../open-count.ts';
import type { CaseFile } from '../review-desk.ts';
import { PROPOSAL } from './acting.ts';
import { AUDIT_ENTRY, auditEntry } from './audit-entry.ts';
import type { StreamSource } from './audit-stream.ts';
import { CASE, FILTERS, filterOf, shownCase } from './case-schemas.ts';
import { openEvents, STREAM_CONTENT } from './open-events.ts';
import { choiceParam, flagParam, intParam, optionalInt } from './params.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY } from './route.ts';

export const MAY_READ_CASES: readonly [Permission, ...Permission[]] = ['audit.read', 'review'];

const LIST = z.object({
  ...FILTERS,
  order: choiceParam(
    ['newest', 'oldest', 'changed'],
    'newest',
    'By when they were opened; `changed` by their newest record, the oldest first: for whoever keeps a copy.',
  ),
  cursor: optionalInt({
    min: 0,
    description: 'The `cursor` of the page before. No case is left out while cases change.',
  }),
  limit: intParam({ min: 1, max: 500, default: 50, description: 'Cases per page.' }),
});
const PAGE = z
  .object({ cases: z.array(CASE), cursor: z.number().int().nullable(), has_more: z.boolean() })
  .openapi('CasePage');
const COUNT = z.object({
  state: z.enum(CASE_STATES),
  severity: z.enum(SEVERITIES),
  is_drill: z.boolean(),
  count: z.number().int(),
  oldest_at: z.string().openapi({ description: 'Since when the longest of them is in this state.' }),
});
const COUNTS = z.object({ counts: z.array(COUNT) }).openapi('CaseCounts');
const TIMELINE = z.object({
  order: choiceParam(['newest', 'oldest'], 'newest', 'By sequence.'),
  cursor: optionalInt({ min: 0, description: 'Sequence of the last record of the page before.' }),
  changes_only: flagParam('Only what people did, without what was seen.'),
  limit: intParam({ min: 1, max: 500, default: 100, description: 'Records.' }),
});
const EVENT = z.object({
  kind: z.enum(['seen', 'change']).openapi({ description: 'What was refused or happened, or what a person did.' }),
  record: AUDIT_ENTRY,
});
const EVENTS = z
  .object({ events: z.array(EVENT), cursor: z.number().int().nullable(), has_more: z.boolean() })
  .openapi('CaseTimeline');
const ONE = z
  .object({
    case: CASE,
    timeline: EVENTS,
    proposals: z.array(PROPOSAL).openapi({ description: 'About the case, and about its peer.' }),
    told: z
      .object({
        refused: z.number().int(),
        resolved: z.number().int(),
        last_seq: z.number().int(),
        told_seq: z.number().int(),
      })
      .nullable()
      .openapi({
        description:
          'How far the peer was told of refusals of this reason in this feed: up to which audit record it has taken our word. Null: of this it is not told.',
      }),
  })
  .openapi('CaseFile');
const NAME = z.object({ id: z.string().openapi({ description: 'Number, or uid.' }) });
const STREAM_QUERY = z.object({
  cursor: optionalInt({ min: 0, description: 'Records of cases behind this sequence; without it, from now on.' }),
});

/** Adds what there is to read about cases. */
export function addCases(apparatus: Apparatus, streams: OpenCount): void {
  const { deps } = apparatus;
  const list = {
    method: 'get',
    path: '/v1/cases',
    tag: 'Cases',
    summary: 'What was refused and what else wants review, grouped; filters combine',
    query: LIST,
    responses: { 200: { description: 'a page', content: { 'application/json': { schema: PAGE } } } },
  } as const;
  addRoute(apparatus, list, MAY_READ_CASES, async ({ query }) => {
    const { order, cursor, limit, ...filter } = query;
    const page = await deps.cases.list({ ...filterOf(deps, filter), order, cursor: cursor ?? null, limit });
    const cases = page.cases.map((held) => shownCase(deps, held));
    return json(200, { cases, cursor: page.cursor, has_more: page.more });
  });

  const counts = {
    method: 'get',
    path: '/v1/cases/counts',
    tag: 'Cases',
    summary: 'How many cases there are of each state and severity',
    query: NO_QUERY,
    responses: { 200: { description: 'counts', content: { 'application/json': { schema: COUNTS } } } },
  } as const;
  addRoute(apparatus, counts, MAY_READ_CASES, async () => json(200, { counts: await deps.cases.counts() }));

  const stream = {
    method: 'get',
    path: '/v1/cases/stream',
    tag: 'Cases',
    summary: 'Follow cases (server-sent events)',
    description:
      'One event for each record of a case: `id` is its sequence, `data` the record and the case as it is now. After `Last-Event-ID` or `cursor` if given.',
    query: STREAM_QUERY,
    responses: { 200: { description: 'events', content: STREAM_CONTENT } },
  } as const;
  addRoute(apparatus, stream, MAY_READ_CASES, (call, principal) =>
    openEvents(deps, streams, call, principal, newsSource(deps)),
  );
  addOne(apparatus);
}

function addOne(apparatus: Apparatus): void {
  const { deps } = apparatus;
  const one = {
    method: 'get',
    path: '/v1/cases/{id}',
    tag: 'Cases',
    summary: 'One case: what was seen, what people did, proposals, what its peer was told',
    params: NAME,
    query: TIMELINE,
    responses: {
      200: { description: 'the case', content: { 'application/json': { schema: ONE } } },
      404: { description: 'there is no such case' },
    },
  } as const;
  addRoute(apparatus, one, MAY_READ_CASES, async (call) => {
    const file = await fileOf(deps, call);
    if (file === null) return unknownCase();
    const { held, proposals, told } = file;
    const timeline = await timelineOf(deps, held.id, call.query);
    const { refused: of, resolved, lastSeq, toldSeq } = told ?? { refused: 0, resolved: 0, lastSeq: 0, toldSeq: 0 };
    const said = told === null ? null : { refused: of, resolved, last_seq: lastSeq, told_seq: toldSeq };
    return json(200, { case: shownCase(deps, held), timeline, proposals, told: said });
  });

  const timeline = {
    method: 'get',
    path: '/v1/cases/{id}/timeline',
    tag: 'Cases',
    summary: 'The records of a case, page by page',
    params: NAME,
    query: TIMELINE,
    responses: {
      200: { description: 'records', content: { 'application/json': { schema: EVENTS } } },
      404: { description: 'there is no such case' },
    },
  } as const;
  addRoute(apparatus, timeline, MAY_READ_CASES, async (call) => {
    const file = await fileOf(deps, call);
    return file === null ? unknownCase() : json(200, await timelineOf(deps, file.held.id, call.query));
  });
}

/** @returns the number or uid that a text names; null: it is neither */
export function caseName(text: string): number | string | null {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  return /^[0-9a-f]{32}$/.test(text) ? text : null;
}

export function unknownCase(): Response {
  const message = 'no case has this number or uid: GET /v1/cases lists them';
  return refused({ status: 404, detail: { code: 'case_unknown', message } });
}

async function fileOf(deps: ApiDeps, call: Call<object>): Promise<CaseFile | null> {
  const name = caseName(call.param('id'));
  return name === null ? null : deps.cases.file(name);
}

async function timelineOf(deps: ApiDeps, id: number, query: z.output<typeof TIMELINE>): Promise<object> {
  const { order, cursor, changes_only: changesOnly, limit } = query;
  const page = await deps.cases.events({ id, order, cursor: cursor ?? null, changesOnly, limit });
  const last = page.events.at(-1)?.record.seq ?? cursor ?? null;
  return { events: page.events.map(shownEvent), cursor: last, has_more: page.more };
}

function shownEvent({ record, isChange }: CaseEvent): z.output<typeof EVENT> {
  return { kind: isChange ? 'change' : 'seen', record: auditEntry(record) };
}

function newsSource(deps: ApiDeps): StreamSource {
  return async (after, limit) => {
    const news = await deps.cases.news(after, limit);
    const dataOf = ({ record, isChange, held }: CaseNews): object => ({
      ...shownEvent({ record, isChange }),
      case: shownCase(deps, held),
    });
    const events = news.map((one) => ({ seq: one.seq, data: dataOf(one) }));
    return { events, upTo: news.at(-1)?.seq ?? after, hasMore: news.length === limit };
  };
}
