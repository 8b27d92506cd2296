import { z } from '@hono/zod-openapi';
import type { SignInStatus } from '../sign-in-status.ts';
import { json } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

const PROVIDER = z
  .object({
    issuer: z.string(),
    client_id: z.string(),
    redirect_uri: z.string().openapi({ description: 'To register at the provider.' }),
    rules: z.number().int().openapi({ description: 'In force now; with none nobody is let in.' }),
    other_issuer_keys: z
      .array(z.string())
      .readonly()
      .openapi({ description: 'Names of keys in force that name a person of another issuer.' }),
    fault: z.string().nullable().openapi({ description: 'Why the provider cannot be used; null: it can.' }),
    keys: z.number().int().nullable().openapi({ description: 'Of the provider, that may sign tokens.' }),
    algorithms: z.array(z.string()).readonly().openapi({ description: 'That it makes and this node takes.' }),
    clock_skew_ms: z.number().int().nullable().openapi({ description: 'How far its clock is ahead, to a second.' }),
    ends_sessions: z.boolean().openapi({ description: 'Whether it can be asked to end a session there.' }),
  })
  .openapi('Provider') satisfies z.ZodType<SignInStatus>;

/** Adds what an operator has to know of signing in to the console. */
export function addSignIn(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/admin/sign-in',
    tag: 'Keys',
    summary: 'How people sign in to the console, and whether the identity provider can be used: it is asked anew',
    query: NO_QUERY,
    quota: 'admin_action',
    responses: {
      200: {
        description: 'the provider; null: people sign in with API keys alone',
        content: { 'application/json': { schema: z.object({ oidc: PROVIDER.nullable() }) } },
      },
    },
  } as const;
  addRoute(apparatus, route, ['admin'], async () => json(200, { oidc: await apparatus.deps.signIn() }));
}
