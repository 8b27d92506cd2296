import { z } from '@hono/zod-openapi';
import {
  CHECK_NAMES,
  ONBOARDING_STATES,
  type OnboardingRefusal,
  type OnboardingRefusalCode,
  type OnboardingView,
} from '../../core/onboarding.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ApiOnboarding } from '../onboarding-desk.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { plain } from './plain-json.ts';
import { answer, json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY, type Principal } from './route.ts';

const MAX_FEEDS = 16;
const MAX_CODE_CHARS = 24_576;
const MAX_NOTE_CHARS = 40_960;
const MAX_WORDS = 24;
const MIN_VALID_S = 60;
const MAX_VALID_S = 604_800;
const DEFAULT_VALID_S = 3_600;

const FEEDS = z.array(z.string().min(1).max(300)).max(MAX_FEEDS);
const TEXTS = z.array(z.string());
const NULLABLE_TEXT = z.string().nullable();

const CHECK = z.object({ name: z.enum(CHECK_NAMES), ok: z.boolean(), detail: z.string(), fix: NULLABLE_TEXT });
const PARTNER = z.object({
  node_id: z.string(),
  peer_id: z.string(),
  addresses: TEXTS,
  words: TEXTS.openapi({ description: 'Twelve words that the partner’s screen has to show too.' }),
  checks: z.array(CHECK),
  takes_about: z.number().int().nullable().openapi({ description: 'Facts that this node would take; null: not told.' }),
  gives_about: z.number().int().openapi({ description: 'Facts that the partner would take.' }),
});
const VIEW = z
  .object({
    id: z.string(),
    by: z.enum(['invite', 'join', 'file']).openapi({ description: 'With our code, by its code, or as a file.' }),
    state: z.enum(ONBOARDING_STATES),
    name: NULLABLE_TEXT.openapi({ description: 'Of the peer file; null while nobody has come.' }),
    made_at: z.string(),
    expires_at: NULLABLE_TEXT,
    share: TEXTS,
    accept: TEXTS,
    until: NULLABLE_TEXT,
    partner: PARTNER.nullable(),
  })
  .openapi('Onboarding');

const TERMS = {
  share: FEEDS.default([]).openapi({ description: 'Feeds of this node that the partner may read.' }),
  accept: FEEDS.default([]).openapi({ description: 'Feeds of the partner that this node takes.' }),
  until: z.iso.datetime({ offset: true }).nullable().default(null).openapi({ description: 'End of these grants.' }),
  name: z.string().max(63).nullable().default(null).openapi({ description: 'What this node calls the partner.' }),
};
const INVITATION = z
  .object({
    ...TERMS,
    valid_for_s: z.number().int().min(MIN_VALID_S).max(MAX_VALID_S).default(DEFAULT_VALID_S),
  })
  .openapi('NewInvitation');
const JOIN = z.object({ code: z.string().min(1).max(MAX_CODE_CHARS), name: TERMS.name }).openapi('Join');
const DECLARATION = z
  .object({ ...TERMS, declaration: z.string().min(1).max(MAX_NOTE_CHARS) })
  .openapi('PartnerDeclaration');
const CONFIRMATION = z.object({ words: z.array(z.string().max(16)).max(MAX_WORDS) }).openapi('Confirmation');

const ONE = { description: 'as it is now', content: { 'application/json': { schema: VIEW } } };
const ID = z.object({ id: z.string().openapi({ description: 'Id, or the name of a partner that waits.' }) });
const BASE = '/v1/federation/onboarding';

/** Adds what operators do to become partners. While the node does not run there is nobody to do it with. */
export function addOnboarding(apparatus: Apparatus): void {
  addReads(apparatus);
  addCodes(apparatus);
  addFiles(apparatus);
  addDecisions(apparatus);
}

function addReads(apparatus: Apparatus): void {
  const list = {
    method: 'get',
    path: BASE,
    tag: 'Onboarding',
    summary: 'Invitations, and partners that wait to be confirmed',
    query: NO_QUERY,
    responses: {
      200: {
        description: 'oldest first',
        content: { 'application/json': { schema: z.object({ onboarding: z.array(VIEW) }) } },
      },
    },
  } as const;
  addRoute(apparatus, list, ['federate'], async () =>
    withDesk(apparatus, async (desk) => json(200, { onboarding: await desk.list() })),
  );
  const one = {
    method: 'get',
    path: `${BASE}/{id}`,
    tag: 'Onboarding',
    summary: 'One of them',
    params: ID,
    query: NO_QUERY,
    responses: { 200: ONE, 404: { description: 'not found' } },
  } as const;
  addRoute(apparatus, one, ['federate'], (call) =>
    withDesk(apparatus, async (desk) => {
      const view = await desk.get(call.param('id'));
      return view === undefined ? refused({ status: 404, detail: 'not found' }) : json(200, view);
    }),
  );
}

function addCodes(apparatus: Apparatus): void {
  const schema = z.object({ code: z.string(), onboarding: VIEW });
  const invite = {
    method: 'post',
    path: '/v1/federation/invites',
    tag: 'Onboarding',
    summary: 'Make a code for one partner; it is answered once and kept nowhere',
    query: NO_QUERY,
    body: INVITATION,
    quota: 'admin_action',
    responses: { 201: { description: 'the code', content: { 'application/json': { schema } } } },
  } as const;
  addRoute(apparatus, invite, ['admin', 'admin:federation'], (call, { actor }) =>
    withBody(apparatus, call, INVITATION, async (desk, { valid_for_s, ...terms }) => {
      const made = await desk.invite({ terms, validForS: valid_for_s }, actor);
      return made.ok
        ? json(201, { code: made.value.code, onboarding: made.value.view })
        : refused(refusalOf(made.error));
    }),
  );
  const revoke = {
    method: 'delete',
    path: '/v1/federation/invites/{id}',
    tag: 'Onboarding',
    summary: 'Revoke a code that nobody has used',
    params: ID,
    query: NO_QUERY,
    quota: 'admin_action',
    responses: { 200: ONE, 404: { description: 'not found' }, 409: { description: 'somebody has come with it' } },
  } as const;
  addRoute(apparatus, revoke, ['admin', 'admin:federation'], (call, { actor }) =>
    withDesk(apparatus, async (desk) => shown(await desk.revoke(call.param('id'), actor))),
  );
  const join = {
    method: 'post',
    path: '/v1/federation/join',
    tag: 'Onboarding',
    summary: 'Use a partner’s code; the partner waits to be confirmed then',
    query: NO_QUERY,
    body: JOIN,
    quota: 'admin_action',
    responses: {
      200: ONE,
      409: { description: 'the code cannot be used' },
      502: { description: 'nobody was reached' },
    },
  } as const;
  addRoute(apparatus, join, ['admin', 'admin:federation'], (call, { actor }) =>
    withBody(apparatus, call, JOIN, async (desk, { code, name }) => shown(await desk.join(code, name, actor))),
  );
}

function addFiles(apparatus: Apparatus): void {
  const give = {
    method: 'get',
    path: '/v1/federation/declaration',
    tag: 'Onboarding',
    summary: 'What to give to a partner who takes files: a signed note',
    query: NO_QUERY,
    responses: { 200: { description: 'signed note', content: { 'text/plain': { schema: z.string() } } } },
  } as const;
  addRoute(apparatus, give, ['federate'], () =>
    withDesk(apparatus, async (desk) => answer(200, 'text/plain; charset=utf-8', desk.ownNote())),
  );
  const take = {
    method: 'post',
    path: '/v1/federation/declarations',
    tag: 'Onboarding',
    summary: 'Take a partner’s signed note; the partner waits to be confirmed then',
    query: NO_QUERY,
    body: DECLARATION,
    quota: 'admin_action',
    responses: { 200: ONE, 409: { description: 'it cannot be used' } },
  } as const;
  addRoute(apparatus, take, ['admin', 'admin:federation'], (call, { actor }) =>
    withBody(apparatus, call, DECLARATION, async (desk, { declaration, ...terms }) =>
      shown(await desk.take(declaration, terms, actor)),
    ),
  );
}

function addDecisions(apparatus: Apparatus): void {
  const confirm = {
    method: 'post',
    path: `${BASE}/{id}/confirm`,
    tag: 'Onboarding',
    summary: 'Say yes to a partner that waits, with the twelve words on its screen',
    params: ID,
    query: NO_QUERY,
    body: CONFIRMATION,
    quota: 'admin_action',
    responses: {
      200: ONE,
      404: { description: 'not found' },
      409: { description: 'the words differ, or it is a partner' },
    },
  } as const;
  addRoute(apparatus, confirm, ['admin', 'admin:federation'], (call, { actor }) =>
    withBody(apparatus, call, CONFIRMATION, async (desk, { words }) =>
      shown(await desk.confirm(call.param('id'), words, actor)),
    ),
  );
  const reject = {
    method: 'delete',
    path: `${BASE}/{id}`,
    tag: 'Onboarding',
    summary: 'Say no to a partner that waits',
    params: ID,
    query: NO_QUERY,
    quota: 'admin_action',
    responses: { 200: ONE, 404: { description: 'not found' }, 409: { description: 'it is a partner already' } },
  } as const;
  addRoute(apparatus, reject, ['admin', 'admin:federation'], (call, { actor }: Principal) =>
    withDesk(apparatus, async (desk) => shown(await desk.reject(call.param('id'), actor))),
  );
}

async function withDesk({ deps }: Apparatus, use: (desk: ApiOnboarding) => Promise<Response>): Promise<Response> {
  const { onboarding } = deps;
  if (onboarding !== null) return use(onboarding);
  const detail = 'the node is not running, so nobody can reach it or be reached: start it with stigmem-peerd run';
  return refused({ status: 503, detail });
}

async function withBody<S extends z.ZodType>(
  apparatus: Apparatus,
  call: Pick<Call<object>, 'c'>,
  schema: S,
  use: (desk: ApiOnboarding, body: z.output<S>) => Promise<Response>,
): Promise<Response> {
  const body = await bodyOf(apparatus, call, schema);
  return body.ok ? withDesk(apparatus, (desk) => use(desk, body.value)) : refused(body.error);
}

async function bodyOf<S extends z.ZodType>(
  { deps }: Apparatus,
  call: Pick<Call<object>, 'c'>,
  schema: S,
): Promise<Result<z.output<S>, Refusal>> {
  const body = await readJsonBody(call.c.req.raw, deps.limits);
  if (!body.ok) return body;
  const given = plain(body.value);
  const parsed = schema.safeParse(given);
  return parsed.success ? ok(parsed.data) : err({ status: 422, detail: fieldErrors(parsed.error, given, ['body']) });
}

function shown(outcome: Result<OnboardingView, OnboardingRefusal>): Response {
  return outcome.ok ? json(200, outcome.value) : refused(refusalOf(outcome.error));
}

function refusalOf({ code, message }: OnboardingRefusal): Refusal {
  return { status: STATUS[code], detail: { code, message } };
}

const STATUS: Readonly<Record<OnboardingRefusalCode, number>> = {
  invitation_invalid: 422,
  too_many_invitations: 409,
  code_invalid: 422,
  code_expired: 409,
  own_code: 409,
  unreachable: 502,
  not_let_in: 409,
  code_used: 409,
  answer_invalid: 502,
  declaration_invalid: 422,
  not_found: 404,
  not_pending: 409,
  words_differ: 409,
  peer_exists: 409,
};
