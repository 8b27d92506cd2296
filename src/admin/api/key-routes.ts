import { z } from '@hono/zod-openapi';
import { isJsonNumber, isJsonObject, type JsonValue } from '../../core/json.ts';
import { isPermission, KEY_CLASSES, KEY_ROLES, PERMISSIONS, rolePermissions } from '../../core/permissions.ts';
import { isoMicros } from '../../core/time.ts';
import type { ApiDeps } from '../deps.ts';
import { AdminError } from '../errors.ts';
import { DEFAULT_KEY_DAYS, keyState, MAX_KEY_DAYS, type NewKey, type StoredKey } from '../keys.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY, type Principal } from './route.ts';

const REVOKED = 'api_key_revoked';
/** Revocations behind that of a key, among which its record is looked for: it comes first. */
const MAX_LOOKED_AT = 100;

export interface KeyAnswer {
  readonly id: string;
  readonly name: string;
  readonly class: 'human' | 'automation';
  readonly role: string | null;
  readonly permissions: readonly string[];
  /** `ISSUER#SUBJECT`; null: the key names nobody. */
  readonly person: string | null;
  readonly state: 'active' | 'expired' | 'revoked';
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

const NEW_KEY = z
  .object({
    name: z.string(),
    class: z.enum(KEY_CLASSES).optional().openapi({
      description: 'Default: `automation`, unless the key may do what only people decide.',
    }),
    role: z.enum(KEY_ROLES).optional().openapi({ description: 'Permissions that belong together.' }),
    permissions: z
      .array(z.string().refine(isPermission, { message: `must be one of ${PERMISSIONS.join(', ')}` }))
      .default([])
      .openapi({ description: 'Those that the key has besides its role; without a role at least one.' }),
    person: z.string().max(450).optional().openapi({
      description:
        'Whose key it is, as the identity provider names them: `ISSUER#SUBJECT`. With four eyes the key and the person are one.',
    }),
    days: z.number().max(MAX_KEY_DAYS).optional().openapi({ default: DEFAULT_KEY_DAYS }),
  })
  .openapi('NewKey');

const KEY = z
  .object({
    id: z.string(),
    name: z.string(),
    class: z.enum(KEY_CLASSES),
    role: z.enum(KEY_ROLES).nullable(),
    permissions: z.array(z.string()),
    person: z.string().nullable().openapi({ description: '`ISSUER#SUBJECT`; null: the key names nobody.' }),
    state: z.enum(['active', 'expired', 'revoked']),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
    last_used_at: z.string().nullable().openapi({ description: 'To about a minute.' }),
  })
  .openapi('Key') satisfies z.ZodType<KeyAnswer>;

const CREATED = KEY.extend({ secret: z.string().openapi({ description: 'Shown this once, kept nowhere.' }) }).openapi(
  'CreatedKey',
);

/** Adds the endpoints for API keys. All need `admin`; every change is audited. */
export function addKeys(apparatus: Apparatus): void {
  const { deps } = apparatus;
  const list = {
    method: 'get',
    path: '/v1/admin/keys',
    tag: 'Keys',
    summary: 'All API keys, without their secrets',
    query: NO_QUERY,
    quota: 'remedy',
    responses: {
      200: { description: 'keys', content: { 'application/json': { schema: z.object({ keys: z.array(KEY) }) } } },
    },
  } as const;
  addRoute(apparatus, list, ['admin'], async () =>
    json(200, { keys: deps.keys.list().map((key) => keyBody(deps, key)) }),
  );

  const create = {
    method: 'post',
    path: '/v1/admin/keys',
    tag: 'Keys',
    summary: 'Create an API key',
    query: NO_QUERY,
    body: NEW_KEY,
    quota: 'admin_action',
    responses: {
      201: { description: 'the key and its secret', content: { 'application/json': { schema: CREATED } } },
      409: { description: 'an active key has this name' },
    },
  } as const;
  addRoute(apparatus, create, ['admin'], (call, principal) => createKey(deps, call, principal));

  const revoke = {
    method: 'delete',
    path: '/v1/admin/keys/{id}',
    tag: 'Keys',
    summary: 'Revoke an API key, at once and for good',
    params: z.object({ id: z.string() }),
    query: NO_QUERY,
    quota: 'remedy',
    responses: {
      200: { description: 'the key, revoked', content: { 'application/json': { schema: KEY } } },
      404: { description: 'key not found' },
    },
  } as const;
  addRoute(apparatus, revoke, ['admin'], (call, principal) => revokeKey(deps, call, principal));
}

async function createKey(deps: ApiDeps, call: Call<object>, principal: Principal): Promise<Response> {
  const body = await readJsonBody(call.c.req.raw, deps.limits);
  if (!body.ok) return refused(body.error);
  const plain = plainKey(body.value);
  const parsed = NEW_KEY.safeParse(plain);
  if (!parsed.success) return refused({ status: 422, detail: fieldErrors(parsed.error, plain, ['body']) });

  const { name, class: keyClass, role, permissions, person, days } = parsed.data;
  const request: NewKey = {
    name,
    ...(keyClass === undefined ? {} : { class: keyClass }),
    role: role ?? null,
    permissions: [...(role === undefined ? [] : rolePermissions(role)), ...permissions.filter(isPermission)],
    person: person ?? null,
    ...(days === undefined ? {} : { days }),
  };
  try {
    const { key, secret } = deps.keys.create(request, deps.nowMs());
    // Nobody has its secret: what is not on record is not left in force, and its name is free for the next try.
    await record(deps, 'api_key_created', key, principal).catch((error: unknown) => {
      deps.keys.revoke(key.id, deps.nowMs());
      throw error;
    });
    return json(201, { ...keyBody(deps, key), secret });
  } catch (error) {
    return keyFailure(error);
  }
}

function keyFailure(error: unknown): Response {
  if (!(error instanceof AdminError)) throw error;
  if (error.code === 'key_name_taken')
    return refused({ status: 409, detail: { code: error.code, message: error.message } });
  if (error.code === 'key_invalid')
    return refused({ status: 422, detail: { code: error.code, message: error.message } });
  if (error.code !== 'key_file_locked') throw error;
  return refused({
    status: 503,
    detail: { code: error.code, message: error.message },
    headers: { 'retry-after': '1' },
  });
}

async function revokeKey(deps: ApiDeps, call: Call<object>, principal: Principal): Promise<Response> {
  const id = call.param('id');
  const before = deps.keys.list().find((key) => key.id === id);
  if (before === undefined) return refused({ status: 404, detail: 'key not found' });
  // Who revoked it stands on record already, unless the node was killed between the two, or could not write.
  if (before.revoked_at !== null && (await isOnRecord(deps, id, before.revoked_at)))
    return json(200, keyBody(deps, before));
  try {
    const key = deps.keys.revoke(id, deps.nowMs());
    if (key === null) return refused({ status: 404, detail: 'key not found' });
    await record(deps, REVOKED, key, principal);
    return json(200, keyBody(deps, key));
  } catch (error) {
    return keyFailure(error);
  }
}

/** Looked for from the moment on that the file gives. */
async function isOnRecord({ reader }: ApiDeps, id: string, revokedAt: string): Promise<boolean> {
  const since = isoMicros(Date.parse(revokedAt) * 1_000);
  const page = await reader.auditPage({ event: REVOKED, since, order: 'asc', limit: MAX_LOOKED_AT });
  return page.records.some(({ detail }) => detail['key_id'] === id);
}

async function record(deps: ApiDeps, event: string, key: StoredKey, principal: Principal): Promise<void> {
  const { id, name, class: keyClass, role, permissions, person, expires_at } = key;
  const detail = { key_id: id, name, class: keyClass, role, permissions, person, expires_at };
  await deps.writer.audit({ event, actor: principal.actor, detail });
}

function keyBody({ keys, nowMs }: ApiDeps, key: StoredKey): z.input<typeof KEY> {
  const { secret_sha256: _, permissions, ...shown } = key;
  const state = keyState(key, nowMs());
  return { ...shown, permissions: [...permissions], state, last_used_at: keys.lastUsed(key.id) };
}

function plainKey(body: JsonValue): unknown {
  if (isJsonNumber(body)) return Number(body.lexeme);
  if (Array.isArray(body)) return body.map(plainKey);
  return isJsonObject(body) ? Object.fromEntries([...body].map(([name, member]) => [name, plainKey(member)])) : body;
}
