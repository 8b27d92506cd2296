/** Who is signed in to the console, and putting somebody out: a provider cannot, and a key that is taken away is not meant by it. */
import { z } from '@hono/zod-openapi';
import type { ShownSession } from '../console/sessions.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface ConsoleSessionsAnswer {
  readonly sessions: readonly ShownSession[];
}

const SESSION = z
  .object({
    id: z.string().openapi({ description: 'Names the session, and opens nothing.' }),
    name: z.string(),
    actor: z.string().openapi({ description: 'As in audit records.' }),
    method: z.enum(['api_key', 'oidc', 'link']),
    network: z.string().openapi({ description: 'Where it began.' }),
    started_at: z.string(),
    used_at: z.string(),
    ends_at: z.string(),
  })
  .openapi('ConsoleSession') satisfies z.ZodType<ShownSession>;
const SESSIONS = z.object({ sessions: z.array(SESSION) }) satisfies z.ZodType<ConsoleSessionsAnswer>;

/** Adds the endpoints for sessions of the console. */
export function addConsoleSessions(apparatus: Apparatus): void {
  const { deps } = apparatus;
  const list = {
    method: 'get',
    path: '/v1/admin/sessions',
    tag: 'Keys',
    summary: 'Who is signed in to the console',
    query: NO_QUERY,
    quota: 'remedy',
    responses: {
      200: {
        description: 'sessions, the one that was used longest ago first',
        content: { 'application/json': { schema: SESSIONS } },
      },
    },
  } as const;
  addRoute(apparatus, list, ['admin'], async () => json(200, { sessions: deps.sessions.list(deps.nowMs()) }));

  const end = {
    method: 'delete',
    path: '/v1/admin/sessions/{id}',
    tag: 'Keys',
    summary: 'End a session, at once',
    params: z.object({ id: z.string() }),
    query: NO_QUERY,
    quota: 'remedy',
    responses: {
      200: { description: 'the session that was ended', content: { 'application/json': { schema: SESSION } } },
      404: { description: 'session not found' },
    },
  } as const;
  addRoute(apparatus, end, ['admin'], async (call, principal) => {
    const ended = deps.sessions.endNamed(call.param('id'), deps.nowMs());
    if (ended === null) return refused({ status: 404, detail: 'session not found' });
    const detail = { session: ended.id, of: ended.actor };
    await deps.writer.audit({ event: 'console_session_ended', actor: principal.actor, detail });
    return json(200, ended);
  });
}
