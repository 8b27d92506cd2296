import { z } from '@hono/zod-openapi';
import { CHECK_NAMES } from '../../core/onboarding.ts';
import { DEFAULT_PINGS, MAX_PINGS, type PingOutcome, type PingReport } from '../../core/ping-report.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { MAY_MANAGE_PEERS } from './peers.ts';
import { plain } from './plain-json.ts';
import { json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const BODY = z.object({ count: z.number().int().min(1).max(MAX_PINGS).default(DEFAULT_PINGS) }).openapi('PingPeer');
const REPORT = z
  .object({
    ok: z.boolean(),
    name: z.string(),
    node_id: z.string(),
    address: z.string().nullable(),
    direction: z.enum(['inbound', 'outbound']).nullable().openapi({ description: 'Who opened the connection.' }),
    dial_ms: z.number().nullable().openapi({ description: 'Null: a connection was open already, or none came.' }),
    sent: z.number().int(),
    round_trips_ms: z.array(z.number()).readonly(),
    software: z.string().nullable(),
    clock_skew_ms: z.number().int().nullable().openapi({ description: 'Its clock less ours.' }),
    checks: z
      .array(z.object({ name: z.enum(CHECK_NAMES), ok: z.boolean(), detail: z.string(), fix: z.string().nullable() }))
      .readonly(),
  })
  .openapi('PingReport') satisfies z.ZodType<PingReport>;

/** Adds what says whether a partner can be reached now. */
export function addPing(apparatus: Apparatus): void {
  const { deps } = apparatus;
  const route = {
    method: 'post',
    path: '/v1/federation/peers/{name}/ping',
    tag: 'Federation',
    summary: 'Reach a peer now: a connection, and hellos with their answers',
    description: 'Nothing is pulled, pinned, recorded or counted. A connection that is new stays open, as any.',
    params: z.object({ name: z.string() }),
    query: NO_QUERY,
    body: BODY,
    quota: 'admin_action',
    responses: {
      200: { description: 'what was found, good or not', content: { 'application/json': { schema: REPORT } } },
      404: { description: 'peer not found' },
      409: { description: 'the peer is disabled, is being pinged, or the node does not run' },
    },
  } as const;
  addRoute(apparatus, route, MAY_MANAGE_PEERS, async (call) => {
    const body = await readJsonBody(call.c.req.raw, deps.limits);
    if (!body.ok) return refused(body.error);
    const given = plain(body.value);
    const parsed = BODY.safeParse(given);
    if (!parsed.success) return refused({ status: 422, detail: fieldErrors(parsed.error, given, ['body']) });
    const outcome = await deps.peers.ping(call.param('name'), parsed.data.count);
    return outcome.kind === 'pinged' ? json(200, outcome.report) : refused(whyNot(outcome.kind));
  });
}

function whyNot(kind: Exclude<PingOutcome['kind'], 'pinged'>): Refusal {
  switch (kind) {
    case 'unknown_peer':
      return { status: 404, detail: 'peer not found' };
    case 'disabled':
      return {
        status: 409,
        detail: { code: 'peer_disabled', message: 'its file says disabled = true: it is not dialled' },
      };
    case 'runs':
      return {
        status: 409,
        detail: { code: 'ping_runs', message: 'it is being pinged already: try again in a moment' },
      };
    case 'not_running':
      return { status: 409, detail: { code: 'not_running', message: 'the node does not run, so that nobody dials' } };
  }
}
