/** What people do with a case: each step names the version that it saw, and stands in the audit log with who took it. */
import { z } from '@hono/zod-openapi';
import { type ActBy, MAX_REASON_CHARS, type Proposal } from '../../core/approval.ts';
import { type CaseOutcome, caseOfSubject, type MadeChange } from '../../core/case-report.ts';
import {
  CASE_MOVE_NAMES,
  CASE_VERDICTS,
  type CaseChange,
  type CaseMove,
  type CaseVerdict,
  caseRefusalText,
  MAX_CASE_NAME_CHARS,
  NO_CHANGE,
} from '../../core/case-state.ts';
import type { ApiDeps } from '../deps.ts';
import { acted, PROPOSED_ANSWER, readActBody } from './acting.ts';
import { CASE, shownCase } from './case-schemas.ts';
import { caseName, unknownCase } from './cases.ts';
import { normalizedInstant } from './params.ts';
import { json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const NAME = z.string().max(MAX_CASE_NAME_CHARS).nullable();
const INSTANT = z.string().max(64);

/** What a step may say; what its kind has no use for is refused. */
const SAYS: Readonly<Record<CaseMove, z.ZodRawShape>> = {
  acknowledge: {},
  investigate: {},
  wait: {},
  resolve: { verdict: z.enum(CASE_VERDICTS).openapi({ description: 'What it turned out to be.' }) },
  suppress: {
    owner: z.string().min(1).max(MAX_CASE_NAME_CHARS).openapi({ description: 'Who answers for it.' }),
    until: INSTANT.openapi({
      format: 'date-time',
      description: 'When it ends; the next one after it opens the case again.',
    }),
  },
  reopen: {},
  assign: { assignee: NAME.openapi({ description: 'Who works on it; null: nobody.' }) },
  note: {},
  ticket: { ticket: NAME.openapi({ description: 'Address or number in another system; null: none.' }) },
};

const SUMMARY: Readonly<Record<CaseMove, string>> = {
  acknowledge: 'Say that somebody has seen it',
  investigate: 'Say that somebody works on it',
  wait: 'Say that the peer has to do something',
  resolve: 'Close it with a verdict; with two persons where `case.resolve` needs them',
  suppress: 'Absorb repeats until a moment; with two persons where `case.suppress` or `case.resolve` needs them',
  reopen: 'Open it again',
  assign: 'Say who works on it',
  note: 'Add a note',
  ticket: 'Name its ticket in another system',
};

const WHY = z
  .string()
  .max(MAX_REASON_CHARS)
  .default('')
  .openapi({ description: 'A note, or the reason. Needed to wait, resolve, suppress, reopen and for a note.' });
const VERSION = z.number().int().min(1);

const CASE_ANSWER = z.object({ case: CASE }).openapi('ChangedCase');

export function addCaseChanges(apparatus: Apparatus): void {
  for (const move of CASE_MOVE_NAMES) addMove(apparatus, move);
}

function addMove(apparatus: Apparatus, move: CaseMove): void {
  const version = VERSION.openapi({ description: 'The `version` of the case that was looked at.' });
  // A note takes nothing from anybody: it stands beside what others do meanwhile.
  const schema = z
    .strictObject({ version: move === 'note' ? version.optional() : version, why: WHY, ...SAYS[move] })
    .openapi(`Case_${move}`);
  const route = {
    method: 'post',
    path: `/v1/cases/{id}/${move}`,
    tag: 'Cases',
    summary: `${SUMMARY[move]}; recorded with the caller`,
    params: z.object({ id: z.string() }),
    query: NO_QUERY,
    body: schema,
    quota: 'admin_action',
    responses: {
      200: { description: 'the case as it is now', content: { 'application/json': { schema: CASE_ANSWER } } },
      ...(move === 'resolve' || move === 'suppress' ? { 202: PROPOSED_ANSWER } : {}),
      404: { description: 'there is no such case' },
      409: { description: 'its state forbids it, or it has changed: the answer says who changed what' },
    },
  } as const;
  addRoute(apparatus, route, ['review'], async (call, { actor }) => {
    const body = await readActBody(apparatus, call, schema);
    if (!body.ok) return refused(body.error);
    const id = await numberOf(apparatus.deps, call.param('id'));
    if (id === null) return unknownCase();
    const given = body.value as GivenChange & { readonly version?: number };
    const change = changeOf(move, given);
    if (change === null) return refused(badUntil());
    const order = { id, version: given.version ?? null, change };
    return answered(
      apparatus.deps,
      order,
      await apparatus.deps.cases.change(order, { actor, reason: '', approves: null }),
    );
  });
}

/** Members of a body as they are given. */
export interface GivenChange {
  readonly why?: string | undefined;
  readonly verdict?: CaseVerdict | undefined;
  readonly assignee?: string | null | undefined;
  readonly ticket?: string | null | undefined;
  readonly owner?: string | undefined;
  readonly until?: string | undefined;
}

/** @returns null: `until` is no moment */
export function changeOf(move: CaseMove, given: GivenChange): CaseChange | null {
  const { why = '', verdict = null, assignee = null, ticket = null, owner = null, until } = given;
  const end = until === undefined ? null : normalizedInstant(until);
  if (until !== undefined && end === null) return null;
  return { ...NO_CHANGE, move, why, verdict, assignee, ticket, owner, until: end };
}

export function badUntil(): Refusal {
  const message = 'expected a moment in ISO 8601 for until, such as 2026-01-31T12:00:00Z';
  return { status: 422, detail: { code: 'until_invalid', message } };
}

/** What another person has proposed, done with the second person's word, if the case is what it was then. */
export async function stepTogether(
  { deps }: Apparatus,
  move: 'resolve' | 'suppress',
  { subject, params, reason: why }: Proposal,
  by: ActBy,
): Promise<Response> {
  const id = caseOfSubject(subject);
  if (id === null) return unknownCase();
  const { verdict, owner = null, until = null, version } = params;
  const said = {
    verdict: CASE_VERDICTS.find((one) => one === verdict) ?? null,
    owner: typeof owner === 'string' ? owner : null,
    until: typeof until === 'string' ? until : null,
  };
  const order = {
    id,
    version: typeof version === 'number' ? version : null,
    change: { ...NO_CHANGE, ...said, move, why },
  };
  return answered(deps, order, await deps.cases.change(order, by));
}

async function numberOf({ cases }: ApiDeps, given: string): Promise<number | null> {
  const name = caseName(given);
  if (typeof name !== 'string') return name;
  return (await cases.file(name))?.held.id ?? null;
}

function answered(
  deps: ApiDeps,
  { id, version, change }: { readonly id: number; readonly version: number | null; readonly change: CaseChange },
  outcome: CaseOutcome,
): Response {
  switch (outcome.kind) {
    case 'unknown':
      return unknownCase();
    case 'stale': {
      const message = `case ${id} is not what it was at version ${version}: ${outcome.since.map(inWords).join('; ')}`;
      const current = shownCase(deps, outcome.held);
      return refused({
        status: 409,
        detail: { code: 'version_stale', message, changes: outcome.since, case: current },
      });
    }
    case 'impossible': {
      const { code, held } = outcome;
      const message = caseRefusalText(code, change, held.state);
      const isState = code === 'state_forbids' || code === 'nothing_changes';
      return refused({ status: isState ? 409 : 422, detail: { code, message, case: shownCase(deps, held) } });
    }
    default:
      return acted(outcome, (held) => json(200, { case: shownCase(deps, held) }));
  }
}

function inWords({ by, move, at, audit_seq }: MadeChange): string {
  return `${by ?? 'a new refusal'} (${move}) at ${at}, record ${audit_seq}`;
}
