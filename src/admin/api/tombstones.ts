import { z } from '@hono/zod-openapi';
import { type ActBy, MAX_REASON_CHARS } from '../../core/approval.ts';
import type { ErasureOrderName, ErasureRefusal } from '../../core/erasure-order.ts';
import type { ApiTombstones } from '../tombstone-desk.ts';
import { acted, PROPOSED_ANSWER } from './acting.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { intParam, optionalInt } from './params.ts';
import { plain } from './plain-json.ts';
import { json, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY } from './route.ts';

export interface TombstoneAnswer {
  readonly state: string;
  readonly fact: string;
  readonly author: string;
  readonly feed: string;
  readonly feed_seq: number;
  readonly since: string;
  readonly due_at: string | null;
  readonly reason: string | null;
  readonly steps: readonly { readonly step: string; readonly at: string; readonly actor: string | null }[];
  readonly peers: readonly {
    readonly peer: string;
    readonly given_at: string;
    readonly told: boolean;
    readonly erased_at: string | null;
  }[];
  readonly relayed: readonly { readonly peer: string; readonly relay: string | null; readonly erased_at: string }[];
}

export interface TombstonesAnswer {
  readonly tombstones: readonly Omit<TombstoneAnswer, 'steps' | 'peers' | 'relayed'>[];
  readonly has_more: boolean;
}

const MAX_FACT_CHARS = 256;
const SEQ = z.number().int();
const TEXT = z.string().nullable();
const FACT = z.object({ fact: z.string().openapi({ description: 'Id of the fact, or its digest (`sha256:…`).' }) });

const ORDER = z
  .object({
    fact: z.string().min(1).max(MAX_FACT_CHARS).openapi({ description: 'Id of a fact of this node.' }),
    reason: z.string().max(MAX_REASON_CHARS).optional().openapi({ description: 'Stays here, in the audit log.' }),
  })
  .openapi('TombstoneOrder');
const DECISION = ORDER.omit({ fact: true }).openapi('TombstoneDecision');

const VIEW = {
  id: SEQ.openapi({ description: 'Cursor of the list.' }),
  fact: z.string().openapi({ description: 'Digest of the fact’s id.' }),
  state: z.string(),
  author: z.string(),
  feed: z.string(),
  feed_seq: SEQ,
  seq: SEQ.nullable().openapi({ description: 'Journal position of the fact; null: it is not held here.' }),
  tombstone_seq: SEQ.nullable(),
  since: z.string(),
  due_at: TEXT.openapi({ description: 'When the next step is taken; null: by an operator only, or never.' }),
  actor: TEXT,
  reason: TEXT,
};
const STATUS = z
  .object({
    ...VIEW,
    steps: z.array(z.object({ step: z.string(), at: z.string(), actor: TEXT, reason: TEXT })),
    peers: z
      .array(
        z.object({
          peer: z.string(),
          given_at: z.string(),
          told: z.boolean().openapi({ description: 'It has acknowledged the page with the tombstone.' }),
          erased_at: TEXT.openapi({ description: 'As the peer signed it.' }),
          note: TEXT,
        }),
      )
      .openapi({ description: 'Partners that were given the fact.' }),
    relayed: z
      .array(
        z.object({
          peer: z.string(),
          relay: TEXT.openapi({ description: 'Who brought its word.' }),
          erased_at: z.string(),
          note: z.string(),
          declaration: z.string().openapi({ description: 'Names the key that signed the note.' }),
        }),
      )
      .openapi({ description: 'Nodes that had the fact by a relay, as far as they have said that it is erased.' }),
  })
  .openapi('TombstoneStatus') satisfies z.ZodType<TombstoneAnswer>;
const LIST = z
  .object({ tombstones: z.array(z.object(VIEW)), cursor: TEXT, has_more: z.boolean() })
  .openapi('Tombstones') satisfies z.ZodType<TombstonesAnswer>;

const answer = (description: string, schema: z.ZodType) => ({
  200: { description, content: { 'application/json': { schema } } },
});
const REFUSED = {
  404: { description: '`fact_not_found`, `not_tombstoned`' },
  409: { description: '`not_own_fact`, `of_the_node`, `already_tombstoned`, `not_undoable`, `not_held`' },
  429: { description: '`mass_deletion`: more tombstones in an hour than [tombstones] max_per_hour; see Retry-After' },
};

/** Adds what operators order and ask about tombstones. */
export function addTombstones(apparatus: Apparatus): void {
  addRequest(apparatus);
  addDecision(apparatus, 'undo', 'undoTombstone', 'Show a fact again whose tombstone is not written yet');
  addDecision(apparatus, 'hold', 'holdErasure', 'Keep the body of a partner’s fact from being erased; it stays hidden');
  addDecision(
    apparatus,
    'release',
    'releaseErasure',
    'Let an erasure go on that is held, or that waits after an alarm',
  );
  addList(apparatus);
  addStatus(apparatus);
}

function addRequest(apparatus: Apparatus): void {
  const route = {
    method: 'post',
    path: '/v1/tombstones',
    tag: 'Tombstones',
    summary: 'Have the body of a fact of this node erased, here and at every partner that was given it',
    description:
      'The fact is hidden at once. When the undo window is over its tombstone is written, which nothing takes back, and its body is erased.',
    query: NO_QUERY,
    body: ORDER,
    quota: 'admin_action',
    responses: { ...answer('how it stands', STATUS), 202: PROPOSED_ANSWER, ...REFUSED },
  } as const;
  addRoute(apparatus, route, ['admin'], async (call, principal) => {
    const body = await read(apparatus, call, ORDER);
    if (!body.ok) return refused(body.refusal);
    const { fact, reason = null } = body.value;
    return order(apparatus, 'requestTombstone', { fact, actor: principal.actor, reason, approves: null });
  });
}

function addDecision(apparatus: Apparatus, verb: string, name: ErasureOrderName, summary: string): void {
  const route = {
    method: 'post',
    path: `/v1/tombstones/{fact}/${verb}`,
    tag: 'Tombstones',
    summary,
    params: FACT,
    query: NO_QUERY,
    body: DECISION,
    quota: 'admin_action',
    responses: { ...answer('how it stands', STATUS), 404: REFUSED[404], 409: REFUSED[409] },
  } as const;
  const permission = name === 'undoTombstone' ? 'admin' : 'legal.hold';
  addRoute(apparatus, route, [permission], async (call, principal) => {
    const body = await read(apparatus, call, DECISION);
    if (!body.ok) return refused(body.refusal);
    const { reason = null } = body.value;
    return order(apparatus, name, { fact: call.param('fact'), actor: principal.actor, reason, approves: null });
  });
}

async function read<T>(
  { deps }: Apparatus,
  call: Pick<Call<object>, 'c'>,
  schema: z.ZodType<T>,
): Promise<{ readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal }> {
  const body = await readJsonBody(call.c.req.raw, deps.limits);
  if (!body.ok) return { ok: false, refusal: body.error };
  const given = plain(body.value);
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, refusal: { status: 422, detail: fieldErrors(parsed.error, given, ['body']) } };
}

/** A tombstone that was proposed, once another person approves it. @param fact `entry:<journal position>` */
export function createTombstone(
  apparatus: Apparatus,
  fact: string,
  { actor, reason, approves }: ActBy,
): Promise<Response> {
  return order(apparatus, 'requestTombstone', { fact, actor, reason, approves });
}

async function order({ deps }: Apparatus, name: ErasureOrderName, given: Order): Promise<Response> {
  const outcome = await deps.tombstones.order(name, given);
  if (outcome.kind === 'refused') return refused(refusalOf(outcome.code, outcome.retryAfterMs));
  if (outcome.kind === 'undecided') return acted(outcome.outcome, () => json(200, null));
  const status = await deps.tombstones.status(given.fact);
  return status === null ? refused({ status: 404, detail: 'fact not found' }) : json(200, status);
}

type Order = Parameters<ApiTombstones['order']>[1];

const MESSAGES: Readonly<Record<ErasureRefusal, readonly [status: number, message: string]>> = {
  fact_not_found: [404, 'fact not found'],
  not_tombstoned: [404, 'no tombstone of this fact was asked for or has come'],
  not_own_fact: [409, 'only the author of a fact can have it erased: this one was received'],
  of_the_node: [409, 'what this node says of its keys and of its tombstones stays'],
  already_tombstoned: [409, 'its tombstone was asked for or written before'],
  not_undoable: [409, 'its tombstone is written, or its body erased: that is final'],
  not_held: [409, 'its erasure is not held'],
  mass_deletion: [429, 'more tombstones were asked for in the last hour than [tombstones] max_per_hour allows'],
};

function refusalOf(code: ErasureRefusal, retryAfterMs: number | null): Refusal {
  const [status, message] = MESSAGES[code];
  if (retryAfterMs === null) return { status, detail: { code, message } };
  const retryAfter = Math.ceil(retryAfterMs / 1000);
  return { status, detail: { code, message, retry_after: retryAfter }, headers: { 'retry-after': String(retryAfter) } };
}

function addList(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/tombstones',
    tag: 'Tombstones',
    summary: 'Tombstones, own and of partners, the newest change first',
    query: z.object({
      cursor: optionalInt({ min: 1, description: 'The `cursor` of the page before.' }),
      limit: intParam({ min: 1, max: 500, default: 50, description: 'Tombstones per page.' }),
    }),
    responses: answer('a page', LIST),
  } as const;
  addRoute(apparatus, route, ['admin', 'legal.hold'], async ({ query }) => {
    const { cursor = Number.MAX_SAFE_INTEGER, limit } = query;
    const found = await apparatus.deps.tombstones.list(cursor, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1)?.id;
    const hasMore = found.length > limit;
    return json(200, {
      tombstones: page,
      cursor: hasMore && last !== undefined ? String(last) : null,
      has_more: hasMore,
    });
  });
}

function addStatus(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/tombstones/{fact}',
    tag: 'Tombstones',
    summary: 'How the tombstone of a fact stands: who was given the fact, who was told, who has erased it',
    params: FACT,
    query: NO_QUERY,
    responses: { ...answer('how it stands', STATUS), 404: REFUSED[404] },
  } as const;
  addRoute(apparatus, route, ['admin', 'legal.hold'], async ({ param }) => {
    const status = await apparatus.deps.tombstones.status(param('fact'));
    return status === null ? refused(refusalOf('not_tombstoned', null)) : json(200, status);
  });
}
