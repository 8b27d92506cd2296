/** One step for many cases: looked at first, and done only when nothing of it has changed since. */
import { z } from '@hono/zod-openapi';
import { MAX_REASON_CHARS } from '../../core/approval.ts';
import type { CaseSelection } from '../../core/case-report.ts';
import { CASE_STATES, CASE_VERDICTS, MAX_CASE_NAME_CHARS } from '../../core/case-state.ts';
import type { ApiDeps } from '../deps.ts';
import { readActBody } from './acting.ts';
import { badUntil, changeOf } from './case-changes.ts';
import { FILTERS, filterOf } from './case-schemas.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const NAME = z.string().max(MAX_CASE_NAME_CHARS);
/** Tickets are of one case each, and nobody reads a note that stands under hundreds. */
const BULK_MOVES = ['acknowledge', 'investigate', 'wait', 'resolve', 'suppress', 'reopen', 'assign', 'note'] as const;

const BODY = z
  .strictObject({
    ids: z.array(z.number().int().min(1)).min(1).max(1_000).optional(),
    filter: z.strictObject(FILTERS).optional().openapi({ description: 'As of the list; instead of `ids`.' }),
    move: z.enum(BULK_MOVES),
    why: z.string().max(MAX_REASON_CHARS).default(''),
    verdict: z.enum(CASE_VERDICTS).optional(),
    assignee: NAME.nullable().optional(),
    owner: NAME.optional(),
    until: z.string().max(64).optional().openapi({ format: 'date-time' }),
    token: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .openapi({ description: 'Of the preview. Without it nothing is done: the answer is the preview.' }),
  })
  .openapi('CaseBulk');
const ID = z.number().int();
const REFUSED = z.array(z.object({ id: ID, code: z.string() }));
const PREVIEW = z.object({
  token: z.string().openapi({ description: 'Stands for exactly these cases at these versions, and this step.' }),
  would_change: z.array(z.object({ id: ID, version: ID, from: z.enum(CASE_STATES), to: z.enum(CASE_STATES) })),
  would_refuse: REFUSED,
});
const DONE = z.object({
  changed: z.array(ID),
  proposed: z.array(z.object({ id: ID, proposal: ID })).openapi({ description: 'Wait for a second person.' }),
  refused: REFUSED,
});

export function addCaseBulk(apparatus: Apparatus): void {
  const route = {
    method: 'post',
    path: '/v1/cases/bulk',
    tag: 'Cases',
    summary: 'Take one step with many cases, after a preview; recorded with the caller, for each case',
    description:
      'Without `token` nothing changes and the answer says what would. With the token of that answer it is done in one transaction, unless a case of the set has changed, came or went.',
    query: NO_QUERY,
    body: BODY,
    quota: 'admin_action',
    responses: {
      200: {
        description: 'the preview, or what was done',
        content: { 'application/json': { schema: z.union([PREVIEW, DONE]) } },
      },
      409: { description: 'the set has changed since the preview; the answer has the new one' },
    },
  } as const;
  addRoute(apparatus, route, ['review'], async (call, { actor }) => {
    const { deps } = apparatus;
    const body = await readActBody(apparatus, call, BODY);
    if (!body.ok) return refused(body.error);
    const selection = selectionOf(deps, body.value);
    if (selection === null) return refused(whichCases());
    const change = changeOf(body.value.move, body.value);
    if (change === null) return refused(badUntil());
    const order = { selection, change, token: body.value.token ?? null };
    const outcome = await deps.cases.changeMany(order, { actor, reason: '', approves: null });
    if (outcome.kind === 'previewed') return json(200, outcome.preview);
    if (outcome.kind === 'applied') {
      const { changed, proposed, refused: not } = outcome;
      return json(200, { changed, proposed, refused: not });
    }
    if (outcome.kind === 'too_many') {
      const message = `more than ${outcome.most} cases: narrow the filter`;
      return refused({ status: 422, detail: { code: 'too_many', message } });
    }
    const message = 'a case of the set has changed, came or went since the preview: look at the new one';
    return refused({ status: 409, detail: { code: 'set_changed', message, preview: outcome.preview } });
  });
}

function selectionOf(deps: ApiDeps, { ids, filter }: z.output<typeof BODY>): CaseSelection | null {
  if ((ids === undefined) === (filter === undefined)) return null;
  return ids !== undefined ? { ids } : { filter: filterOf(deps, filter ?? {}) };
}

function whichCases(): Parameters<typeof refused>[0] {
  return { status: 422, detail: { code: 'selection_invalid', message: 'expected either ids or a filter' } };
}
