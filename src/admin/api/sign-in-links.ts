/** A link that signs a person in to the console once: who has a key on a terminal need not copy it into a browser. */
import { z } from '@hono/zod-openapi';
import { PERMISSIONS } from '../../core/permissions.ts';
import { LINK_PATH } from '../console/sign-in-links.ts';
import { networkOf } from './network-of.ts';
import { json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY, type Principal } from './route.ts';

export interface SignInLinkAnswer {
  /** Its token stands behind the `#`. */
  readonly url: string;
  readonly ends_at: string;
  /** Of the key whose session it opens. */
  readonly key_id: string;
  readonly name: string;
}

const LINK = z
  .object({
    url: z.string().openapi({ description: 'Opens a session once. The token is its fragment, which is sent nowhere.' }),
    ends_at: z.string(),
    key_id: z.string().openapi({ description: 'The session is that of this key, and ends with it.' }),
    name: z.string(),
  })
  .openapi('SignInLink') satisfies z.ZodType<SignInLinkAnswer>;

/** Adds the endpoint. Any key of a person's may: what the session may do is what the key may do. */
export function addSignInLinks(apparatus: Apparatus): void {
  const { deps } = apparatus;
  const route = {
    method: 'post',
    path: '/v1/sign-in-links',
    tag: 'Keys',
    summary: 'A link that signs in to the console once, within a minute, with this key',
    query: NO_QUERY,
    quota: 'sign_in_link',
    responses: {
      201: { description: 'the link', content: { 'application/json': { schema: LINK } } },
      409: { description: 'the node does not run' },
    },
  } as const;
  addRoute(apparatus, route, [...PERMISSIONS], async (call, principal) => {
    const { keyId, name, role, permissions } = principal.party;
    const refusal = whyNot(call, principal);
    if (keyId === null || refusal !== null) return refused(refusal ?? FOR_KEYS);
    if (deps.links === null) return refused(NOT_RUNNING);
    const network = networkOf(call.c.env?.address ?? '');
    const detail = { network, permissions, role };
    // Before there is a link: none is made that is not on record.
    await deps.writer.audit({ event: 'console_link_made', actor: principal.actor, detail });
    const { token, endsMs } = deps.links.make(keyId, deps.nowMs());
    const url = `${reachable(deps.node.nodeUrl)}${LINK_PATH}#${token}`;
    return json(201, { url, ends_at: new Date(endsMs).toISOString(), key_id: keyId, name });
  });
}

const FOR_KEYS: Refusal = {
  status: 403,
  detail: { code: 'link_needs_key', message: 'expected an API key, got a session: a session makes no other session' },
};
const NOT_RUNNING: Refusal = {
  status: 409,
  detail: { code: 'not_running', message: 'the node does not run, so nobody can sign in to its console' },
};

/** A page of the console must not prolong its session, and no program has business there. */
function whyNot({ c }: Call<object>, { party }: Principal): Refusal | null {
  if (c.env?.signedIn !== undefined) return FOR_KEYS;
  if (party.class === 'human') return null;
  const message = 'expected a key of class human, got one of class automation: a link signs a person in';
  return { status: 403, detail: { code: 'link_for_people', message } };
}

/** Nobody can open the address that means all of this machine's. */
function reachable(nodeUrl: string): string {
  return nodeUrl.replace(/\/+$/, '').replace(/^(https?:\/\/)(0\.0\.0\.0|\[::\])(?=[:/]|$)/, '$1localhost');
}
