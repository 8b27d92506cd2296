import { z } from '@hono/zod-openapi';
import type { ActBy } from '../../core/approval.ts';
import { acted, asks, PROPOSED_ANSWER, REASON, readActBody } from './acting.ts';
import { MAY_MANAGE_PEERS } from './peers.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const BODY = z
  .object({
    reason: REASON,
    after: z.number().int().min(0).default(0).openapi({ description: '`next` of the run before; 0 to begin.' }),
  })
  .openapi('RetryPeer');
const COUNTS = z.record(z.string(), z.number().int());
const REPORT = z
  .object({
    pages: z.number().int(),
    judged: z.number().int().openapi({ description: 'Facts that stood refused.' }),
    resolved: COUNTS.openapi({ description: 'Taken now, by the reason that they had been refused for.' }),
    standing: COUNTS.openapi({ description: 'Refused still, by reason.' }),
    unreadable: z.number().int().openapi({ description: 'Pages whose signatures cannot be checked any more.' }),
    next: z
      .number()
      .int()
      .nullable()
      .openapi({ description: 'Give it as `after` to go on; null: all were looked at.' }),
    audit_seq: z.number().int().nullable(),
  })
  .openapi('RetryReport');

/** Adds the way back for facts that were refused: what was corrected is judged again. */
export function addRetry(apparatus: Apparatus): void {
  const route = {
    method: 'post',
    path: '/v1/federation/peers/{name}/retry',
    tag: 'Federation',
    summary: 'Judge refused facts of a peer again, by the rules of today; recorded with the caller',
    description:
      'From the pages as they were stored, for some seconds; `next` says where to go on. Facts that pass are taken once, others stay refused without a new record. A circuit that is open is tried.',
    params: z.object({ name: z.string() }),
    query: NO_QUERY,
    body: BODY,
    quota: 'admin_action',
    responses: {
      200: { description: 'what became of them', content: { 'application/json': { schema: REPORT } } },
      202: PROPOSED_ANSWER,
      404: { description: 'peer not found' },
      409: { description: 'the peer is suspended, or was never verified' },
    },
  } as const;
  addRoute(apparatus, route, MAY_MANAGE_PEERS, async (call, principal) => {
    const body = await readActBody(apparatus, call, BODY);
    if (!body.ok) return refused(body.error);
    const name = call.param('name');
    return retryPeer(apparatus, name, body.value.after, asks(principal, body.value.reason));
  });
}

/** Has refused facts judged again, or proposes or approves that. */
export async function retryPeer({ deps }: Apparatus, name: string, after: number, by: ActBy): Promise<Response> {
  const outcome = await deps.peers.retry(name, after, by);
  if (outcome.kind === 'retried') return json(200, { ...outcome.report, audit_seq: outcome.audit_seq });
  if (outcome.kind === 'unknown_peer') return refused({ status: 404, detail: 'peer not found' });
  if (outcome.kind === 'not_admitted') return acted(outcome.outcome, () => json(200, null));
  return refused({ status: 409, detail: { code: outcome.kind, message: WHY_NOT[outcome.kind](name) } });
}

const WHY_NOT = {
  suspended: (name: string) => `${name} is suspended: nothing is taken from it until it is resumed`,
  not_verified: (name: string) => `${name} has declared no keys that its file would take: it was not reached yet`,
} as const;
