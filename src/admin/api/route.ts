/** One definition per endpoint: what it takes, who may, what it answers. Documents and serves from the same object. */
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { humanOnly, type Permission, permits } from '../../core/permissions.ts';
import { describeSpan } from '../../observe/trace.ts';
import type { QuotaDimension } from '../api-limits.ts';
import type { ApiDeps } from '../deps.ts';
import { keyParty, type Party } from '../party.ts';
import { withDeadline } from './deadline.ts';
import { fieldErrors } from './field-errors.ts';
import { networkOf } from './network-of.ts';
import type { Quota } from './quota.ts';
import { json, type Refusal, refused } from './responses.ts';
import { ERROR_SCHEMA, QUOTA_SCHEMA } from './schemas.ts';

/** What the server hands in beside the request. */
export interface ApiBindings {
  /** Aborted when the server stops: long answers end then. */
  readonly stopping?: AbortSignal;
  /** Of the socket: a proxy's where there is one. */
  readonly address?: string | undefined;
  /** Whose session a page of the console asks for: the console checked it. Nothing that is sent over a network sets this. */
  readonly signedIn?: Party;
  /** Asks whether a failure of this network would be one too many, and is none. Of the console, as well. */
  readonly onlyLooks?: true;
}
export type ApiEnv = { Bindings: ApiBindings };
export type ApiContext = Context<ApiEnv>;

/** Who asks. */
export interface Principal {
  readonly party: Party;
  readonly entityUri: string;
  readonly actor: string;
  /** Of metrics, which others collect and keep: keys by name, and of persons only that it was one. */
  readonly label: string;
}

export interface Call<Q> {
  readonly c: ApiContext;
  readonly query: Q;
  /** Path parameters, decoded. */
  readonly param: (name: string) => string;
}

export interface Route<S extends z.ZodObject> {
  readonly method: 'get' | 'post' | 'delete';
  /** OpenAPI form; `{name}` is one segment, or the rest of the path where `rest` says so. */
  readonly path: string;
  readonly rest?: boolean;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query: S;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Which bucket of the key it is taken from; default `operator_read`. */
  readonly quota?: QuotaDimension;
  /** Success answers; errors common to all are added. */
  readonly responses: RouteConfig['responses'];
}

export interface Apparatus {
  readonly app: OpenAPIHono<ApiEnv>;
  readonly deps: ApiDeps;
  readonly quota: Quota;
  /** Buckets of who shows no key that is good, by network: apart from those of keys, which strangers must not push out. */
  readonly strangers: Quota;
}

export const NO_QUERY: z.ZodObject<Record<never, never>> = z.object({});

/** Adds an endpoint that answers anybody. */
export function addOpenRoute<S extends z.ZodObject>(
  apparatus: Apparatus,
  route: Route<S>,
  handle: (call: Call<z.output<S>>) => Promise<Response>,
): void {
  document(apparatus.app, route, false);
  serve(apparatus, route, (c) => withQuery(c, route, handle));
}

/**
 * Adds an endpoint for keys that have one of the permissions. Checks run from cheap to dear: key, permission, quota,
 * query, and only then does the handler read a body.
 */
export function addRoute<S extends z.ZodObject>(
  apparatus: Apparatus,
  route: Route<S>,
  anyOf: readonly [Permission, ...Permission[]],
  handle: (call: Call<z.output<S>>, principal: Principal) => Promise<Response>,
): void {
  const { deps, quota } = apparatus;
  document(apparatus.app, route, true);
  serve(apparatus, route, (c) => {
    const principal = authenticate(c, apparatus);
    if (principal instanceof Response) return Promise.resolve(principal);
    const refusal = missingPermission(principal, anyOf);
    if (refusal !== null) return Promise.resolve(refused(refusal));
    const dimension = route.quota ?? 'operator_read';
    const wait = quota.take(principal.party.id, dimension, deps.nowMs());
    if (wait !== null) return Promise.resolve(overQuota(dimension, principal.entityUri, wait));
    return withQuery(c, route, (call) => handle(call, principal));
  });
}

/** @returns the refusal of a key that has none of the permissions, or null */
export function missingPermission({ party }: Principal, anyOf: readonly [Permission, ...Permission[]]): Refusal | null {
  return anyOf.some((permission) => permits(party, permission)) ? null : forbidden(party, anyOf);
}

function serve(apparatus: Apparatus, route: Route<z.ZodObject>, handle: (c: ApiContext) => Promise<Response>): void {
  const { app, deps } = apparatus;
  const path = route.path.replaceAll(/\{(.+?)\}/g, route.rest === true ? ':$1{.+}' : ':$1');
  app.on([route.method.toUpperCase()], [path], async (c) => {
    const start = performance.now();
    const name = `${route.method.toUpperCase()} ${route.path}`;
    const response = await withDeadline(handle(c), deps.limits.requestMs);
    describeSpan(name, { 'http.route': route.path, 'http.response.status_code': response.status });
    deps.events.requestServed(name, response.status, (performance.now() - start) / 1000);
    return response;
  });
}

/** Only what fails is counted by address: whoever has a key gets in, whatever others at the same address do. */
function authenticate(c: ApiContext, { deps, strangers }: Apparatus): Principal | Response {
  const signedIn = c.env?.signedIn;
  if (signedIn !== undefined) return principalOf(signedIn);
  const presented = /^bearer +(\S+)\s*$/i.exec(c.req.header('authorization') ?? '')?.[1];
  const key = presented === undefined ? null : deps.keys.authenticate(presented, deps.nowMs());
  if (key !== null) return principalOf(keyParty(key));
  const caller = networkOf(c.env?.address ?? '');
  const onlyLooks = c.env?.onlyLooks === true;
  if (!onlyLooks) deps.events.authRefused();
  const wait = strangers[onlyLooks ? 'peek' : 'take'](caller, 'failed_authentication', deps.nowMs());
  if (wait !== null) return overQuota('failed_authentication', caller, wait);
  const detail = presented === undefined ? 'Authorization header required' : 'Invalid or expired API key';
  return refused({ status: 401, detail, headers: { 'www-authenticate': 'Bearer' } });
}

function principalOf(party: Party): Principal {
  const { keyId, entityUri, actor } = party;
  return { party, entityUri, actor, label: keyId === null ? 'person' : entityUri };
}

/** A key that has the permission and may not use it is told so: its holder would look for the fault elsewhere. */
function forbidden(party: Party, anyOf: readonly [Permission, ...Permission[]]): Refusal {
  const isHeld = party.class === 'automation' && anyOf.every((permission) => humanOnly([permission]) !== null);
  const why = isHeld ? `; this key is of class automation, which may not have it` : '';
  return { status: 403, detail: `${anyOf[0]} permission required${why}` };
}

function overQuota(dimension: QuotaDimension, principal: string, seconds: number): Response {
  const body = { error: 'quota_exceeded', dimension, principal, retry_after: seconds };
  return json(429, body, { 'retry-after': String(Math.max(1, Math.ceil(seconds))) });
}

async function withQuery<S extends z.ZodObject>(
  c: ApiContext,
  route: Route<S>,
  handle: (call: Call<z.output<S>>) => Promise<Response>,
): Promise<Response> {
  const given = c.req.query();
  const query = route.query.safeParse(given);
  if (!query.success) return refused({ status: 422, detail: fieldErrors(query.error, given, ['query']) });
  return handle({ c, query: query.data, param: (name) => c.req.param(name) ?? '' });
}

function document(app: OpenAPIHono<ApiEnv>, route: Route<z.ZodObject>, needsKey: boolean): void {
  const { method, path, summary, description, tag, params, query, headers, body, responses } = route;
  app.openAPIRegistry.registerPath({
    method,
    path,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    ...(needsKey ? { security: [{ bearer: [] }] } : {}),
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === NO_QUERY ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: { required: true, content: { 'application/json': { schema: body } } } }),
    },
    responses: { ...responses, ...errorResponses(needsKey) },
  });
}

const QUOTA_CONTENT = { 'application/json': { schema: QUOTA_SCHEMA } };

function errorResponses(needsKey: boolean): RouteConfig['responses'] {
  const content = { 'application/json': { schema: ERROR_SCHEMA } };
  const always = {
    422: { description: 'a parameter or the body is not as described; `detail` lists each problem', content },
    503: { description: 'the journal cannot take or answer requests now; try again', content },
    504: { description: 'not done within the time limit', content },
  };
  if (!needsKey) return always;
  return {
    401: { description: 'no key, or one that is unknown, expired or revoked', content },
    403: { description: 'the key lacks the permission', content },
    429: { description: 'too many requests with this key; see Retry-After', content: QUOTA_CONTENT },
    ...always,
  };
}
