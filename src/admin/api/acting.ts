/** What is common to actions that may need two persons: who acts and why, and how the outcome is answered. */
import { type RouteConfig, z } from '@hono/zod-openapi';
import {
  type ActBy,
  type ActOutcome,
  MAX_REASON_CHARS,
  type Proposal,
  type ProposalRefusal,
  REVIEWED_ACTIONS,
} from '../../core/approval.ts';
import type { JsonValue } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { plain } from './plain-json.ts';
import { json, type Refusal, refused } from './responses.ts';
import type { Apparatus, Call, Principal } from './route.ts';

const TEXT = z.string();

export const PROPOSAL: z.ZodType = z
  .object({
    id: z.number().int().openapi({ description: 'Sequence of its audit record.' }),
    action: z.enum(REVIEWED_ACTIONS),
    subject: TEXT.openapi({ description: 'What it is done to: a node id, a fact id.' }),
    params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
    reason: TEXT,
    proposed_by: TEXT,
    proposed_at: TEXT,
    expires_at: TEXT,
    state: z.enum(['open', 'approved', 'rejected', 'withdrawn', 'expired']),
    decision: z.object({ audit_seq: z.number().int(), by: TEXT, at: TEXT, reason: TEXT }).nullable(),
  })
  .openapi('Proposal');

export const PROPOSED_ANSWER: RouteConfig['responses'][string] = {
  description: 'two persons are needed: it is proposed, and done when another key approves it',
  content: { 'application/json': { schema: z.object({ proposal: PROPOSAL }) } },
};

/** What a body says of a reason. */
export const REASON: z.ZodString = z.string().min(1).max(MAX_REASON_CHARS).openapi({
  description: 'Why, in a sentence; it stands in the audit log.',
});

/** A body that may be left out altogether. */
export async function readActBody<S extends z.ZodObject>(
  { deps }: Apparatus,
  { c }: Pick<Call<object>, 'c'>,
  schema: S,
): Promise<Result<z.output<S>, Refusal>> {
  const isEmpty = c.req.raw.body === null || c.req.header('content-length') === '0';
  const body = isEmpty ? ok<JsonValue>(new Map()) : await readJsonBody(c.req.raw, deps.limits);
  if (!body.ok) return body;
  const given = plain(body.value);
  const parsed = schema.safeParse(given);
  return parsed.success ? ok(parsed.data) : err({ status: 422, detail: fieldErrors(parsed.error, given, ['body']) });
}

export function asks({ actor }: Principal, reason: string | undefined): ActBy {
  return { actor, reason: reason ?? '', approves: null };
}

/** @param done words the answer of what was done */
export function acted<T>(outcome: ActOutcome<T>, done: (value: T) => Response): Response {
  if (outcome.kind === 'done') return done(outcome.value);
  if (outcome.kind === 'proposed') return json(202, { proposal: outcome.proposal });
  return refused(notActed(outcome.code, outcome.proposal));
}

const STATUS: Readonly<Record<ProposalRefusal, number>> = {
  actor_unnamed: 403,
  already_proposed: 409,
  other_actor: 403,
  proposal_closed: 409,
  proposal_differs: 409,
  proposal_expired: 409,
  proposal_unknown: 404,
  reason_invalid: 422,
  request_too_large: 422,
  same_actor: 403,
};

function notActed(code: ProposalRefusal, proposal: Proposal | null): Refusal {
  return { status: STATUS[code], detail: { code, message: sentence(code, proposal), proposal: proposal?.id ?? null } };
}

function sentence(code: ProposalRefusal, proposal: Proposal | null): string {
  const id = proposal?.id ?? 0;
  switch (code) {
    case 'actor_unnamed':
      return proposal === null
        ? 'expected somebody who is known as a person, got a key that names none: sign in at the identity provider, or use a key made with --person'
        : `this key and ${proposal.proposed_by} cannot be told apart, since one of them names no person, or a person of another issuer: sign in at the identity provider, or use a key made with --person`;
    case 'already_proposed':
      return `it is proposed already (${id}): another person approves it, or its proposer withdraws it`;
    case 'other_actor':
      return `only ${proposal?.proposed_by} can withdraw proposal ${id}: reject it instead`;
    case 'proposal_closed':
      return `proposal ${id} was ${proposal?.state} by ${proposal?.decision?.by} already`;
    case 'proposal_differs':
      return `what proposal ${id} says is not what can be done now: look at both, and propose it anew`;
    case 'proposal_expired':
      return `proposal ${id} has expired at ${proposal?.expires_at}: propose it anew`;
    case 'proposal_unknown':
      return 'there is no such proposal';
    case 'reason_invalid':
      return `expected a reason of 1 to ${MAX_REASON_CHARS} characters`;
    case 'request_too_large':
      return 'what is to be done does not fit into an audit record, so that nobody could approve exactly it';
    case 'same_actor':
      return `expected another person than ${proposal?.proposed_by}, who has proposed it, with a key of another name`;
  }
}
