import { z } from '@hono/zod-openapi';
import { type ActBy, type Proposal, REVIEWED_ACTIONS, type ReviewedAction } from '../../core/approval.ts';
import type { Permission } from '../../core/permissions.ts';
import { acted, PROPOSAL, REASON, readActBody } from './acting.ts';
import { stepTogether } from './case-changes.ts';
import { choiceParam, intParam, optionalInt } from './params.ts';
import { MAY_MANAGE_PEERS, resumePeer, trustPeerKeys } from './peers.ts';
import { reviewFact } from './quarantine.ts';
import { json, refused } from './responses.ts';
import { retryPeer } from './retry.ts';
import { type Apparatus, addRoute, type Call, missingPermission, NO_QUERY, type Principal } from './route.ts';
import { createTombstone } from './tombstones.ts';

/** How each action is carried out once another person approves it: the function that carries it out for one. */
const PERFORM: Readonly<
  Record<ReviewedAction, (apparatus: Apparatus, proposal: Proposal, by: ActBy) => Promise<Response>>
> = {
  'case.resolve': (apparatus, proposal, by) => stepTogether(apparatus, 'resolve', proposal, by),
  'case.suppress': (apparatus, proposal, by) => stepTogether(apparatus, 'suppress', proposal, by),
  'peer.resume': (apparatus, { subject }, by) => resumePeer(apparatus, subject, by),
  'peer.retry': (apparatus, { params }, by) =>
    retryPeer(apparatus, textOf(params['name']), Number(params['after']), by),
  'peer.trust_key': (apparatus, { params }, by) =>
    trustPeerKeys(apparatus, textOf(params['name']), textsOf(params['keys']), by),
  'quarantine.promote': (apparatus, { subject }, by) => reviewFact(apparatus, subject, 'promoted', by),
  'quarantine.reject': (apparatus, { subject }, by) => reviewFact(apparatus, subject, 'rejected', by),
  'tombstone.create': (apparatus, { subject }, by) => createTombstone(apparatus, subject, by),
};

/** What deciding about each action needs: what doing it without a second person needs. */
const NEEDED: Readonly<Record<ReviewedAction, readonly [Permission, ...Permission[]]>> = {
  'case.resolve': ['review'],
  'case.suppress': ['review'],
  'peer.resume': MAY_MANAGE_PEERS,
  'peer.retry': MAY_MANAGE_PEERS,
  'peer.trust_key': MAY_MANAGE_PEERS,
  'quarantine.promote': ['review'],
  'quarantine.reject': ['review'],
  'tombstone.create': ['admin'],
};

const LIST = z.object({
  state: choiceParam(['open', 'all'], 'open', 'Those that wait for a second person, or all.'),
  before: optionalInt({ min: 1, description: 'Only proposals before this one: `before` of the page before.' }),
  limit: intParam({ min: 1, max: 500, default: 100, description: 'Proposals.' }),
});
const PROPOSALS = z
  .object({
    four_eyes: z.array(z.enum(REVIEWED_ACTIONS)).openapi({ description: 'Actions that need two persons here.' }),
    proposals: z.array(PROPOSAL),
    has_more: z.boolean(),
    before: z.number().int().nullable().openapi({
      description: 'What to ask for with `before` to go on; a page may end before it is full. Null: that was the last.',
    }),
  })
  .openapi('Proposals');
const DECISION = z.object({ reason: REASON }).openapi('ProposalDecision');
const ID = z.object({ id: z.string() });

/** Adds proposals of actions that need two persons, and the word of the second. */
export function addApprovals(apparatus: Apparatus): void {
  const { approvals } = apparatus.deps;
  const list = {
    method: 'get',
    path: '/v1/approvals',
    tag: 'Review',
    summary: 'Proposals of actions that need two persons, the newest first',
    query: LIST,
    responses: { 200: { description: 'proposals', content: { 'application/json': { schema: PROPOSALS } } } },
  } as const;
  addRoute(apparatus, list, ['audit.read', 'review'], async ({ query }) => {
    const { state, before, limit } = query;
    const page = await approvals.list({ state, before: before ?? null, limit });
    const place = { has_more: page.before !== null, before: page.before };
    return json(200, { four_eyes: approvals.fourEyes, proposals: page.proposals, ...place });
  });

  const one = {
    method: 'get',
    path: '/v1/approvals/{id}',
    tag: 'Review',
    summary: 'One proposal',
    params: ID,
    query: NO_QUERY,
    responses: {
      200: { description: 'the proposal', content: { 'application/json': { schema: PROPOSAL } } },
      404: { description: 'there is no such proposal' },
    },
  } as const;
  addRoute(apparatus, one, ['audit.read', 'review'], async (call) => {
    const proposal = await proposalOf(apparatus, call);
    return proposal === null ? unknown() : json(200, proposal);
  });
  addDecisions(apparatus);
}

function addDecisions(apparatus: Apparatus): void {
  decision(apparatus, 'approve', 'Approve a proposal of another person: it is done at once', approve);
  decision(apparatus, 'reject', 'Reject a proposal of another person', (by) => end(by, 'rejected'));
  decision(apparatus, 'withdraw', 'Withdraw one’s own proposal', (by) => end(by, 'withdrawn'));
}

interface Decision {
  readonly apparatus: Apparatus;
  readonly proposal: Proposal;
  readonly reason: string;
  readonly principal: Principal;
}

function decision(
  apparatus: Apparatus,
  verb: 'approve' | 'reject' | 'withdraw',
  summary: string,
  decide: (by: Decision) => Promise<Response>,
): void {
  const route = {
    method: 'post',
    path: `/v1/approvals/{id}/${verb}`,
    tag: 'Review',
    summary: `${summary}; recorded with the caller`,
    params: ID,
    query: NO_QUERY,
    body: DECISION,
    quota: 'admin_action',
    responses: {
      200: { description: verb === 'approve' ? 'what was done, as the action itself answers' : 'the proposal' },
      404: { description: 'there is no such proposal' },
      409: { description: 'it is decided or expired, or cannot be done any more' },
    },
  } as const;
  addRoute(apparatus, route, ['review', 'admin:federation'], async (call, principal) => {
    const body = await readActBody(apparatus, call, DECISION);
    if (!body.ok) return refused(body.error);
    const proposal = await proposalOf(apparatus, call);
    if (proposal === null) return unknown();
    const refusal = missingPermission(principal, NEEDED[proposal.action]);
    if (refusal !== null) return refused(refusal);
    return decide({ apparatus, proposal, reason: body.value.reason, principal });
  });
}

function approve({ apparatus, proposal, reason, principal }: Decision): Promise<Response> {
  return PERFORM[proposal.action](apparatus, proposal, { actor: principal.actor, reason, approves: proposal.id });
}

async function end(
  { apparatus, proposal, reason, principal }: Decision,
  how: 'rejected' | 'withdrawn',
): Promise<Response> {
  const { approvals } = apparatus.deps;
  const outcome = await approvals.end(proposal.id, { end: how, actor: principal.actor, reason });
  return acted(outcome, () => json(200, outcome.kind === 'refused' ? null : outcome.proposal));
}

async function proposalOf({ deps }: Apparatus, call: Call<object>): Promise<Proposal | null> {
  const id = call.param('id');
  return /^[1-9][0-9]{0,14}$/.test(id) ? deps.approvals.find(Number(id)) : null;
}

function unknown(): Response {
  const message = 'no proposal has this number: GET /v1/approvals lists them';
  return refused({ status: 404, detail: { code: 'proposal_unknown', message } });
}

function textOf(value: Proposal['params'][string] | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: Proposal['params'][string] | undefined): readonly string[] {
  return typeof value === 'object' && value !== null ? value : [];
}
