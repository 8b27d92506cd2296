import { z } from '@hono/zod-openapi';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { intParam, optionalInt, textParam } from './params.ts';
import { plain } from './plain-json.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY } from './route.ts';

export interface FactLineAnswer {
  readonly feed: string;
  readonly feed_seq: number;
  readonly fact_id: string;
  readonly entity: string;
  readonly relation: string;
}

export interface FeedPreviewAnswer {
  readonly feed: string;
  readonly length: number;
  readonly given: number;
  readonly acknowledged: number;
  readonly sentence: string;
}

export interface GrantPreviewAnswer {
  readonly peer: string;
  readonly open: readonly FeedPreviewAnswer[];
  readonly shut: readonly FeedPreviewAnswer[];
  readonly empty: readonly { readonly sentence: string }[];
  readonly examples: readonly FactLineAnswer[];
}

export interface GrantDiffAnswer {
  readonly node_id: string;
  readonly in_force: string | null;
  readonly changes: readonly {
    readonly feed: string;
    readonly change: 'starts' | 'stops' | 'regrants' | 'later';
    readonly new_facts: number;
    readonly given: number;
    readonly before: string;
    readonly after: string;
  }[];
  readonly examples: readonly FactLineAnswer[];
}

export interface GivenRunAnswer {
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly sent_at: string;
  readonly grant: { readonly hash: string; readonly text: string };
}

export interface ExplanationAnswer {
  readonly peer: string;
  readonly fact_id: string;
  readonly feed: string | null;
  readonly feed_seq: number;
  readonly code: string;
  readonly sentence: string;
  readonly given: readonly GivenRunAnswer[];
  readonly acknowledged: boolean;
}

export interface DisclosedAnswer {
  readonly node_id: string;
  readonly feeds: readonly {
    readonly feed: string;
    readonly grant: { readonly hash: string; readonly text: string };
    readonly entries: number;
    readonly first: number;
    readonly last: number;
    readonly first_sent_at: string;
    readonly last_sent_at: string;
  }[];
  readonly runs: readonly GivenRunAnswer[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

const MAX_EXAMPLES = 500;
const MAX_PEER_FILE_CHARS = 262_144;
const PEER = z.object({ name: z.string().openapi({ description: 'File name of the peer, or its node id.' }) });
const SEQ = z.number().int();

const FACT_LINE = z.object({
  feed: z.string(),
  feed_seq: SEQ,
  fact_id: z.string(),
  entity: z.string(),
  relation: z.string(),
  timestamp: z.string(),
}) satisfies z.ZodType<FactLineAnswer>;
const DECISION = { code: z.string(), sentence: z.string() };
const FEED = z.object({
  feed: z.string(),
  length: SEQ,
  given: SEQ,
  acknowledged: SEQ,
  ...DECISION,
}) satisfies z.ZodType<FeedPreviewAnswer>;
const PREVIEW = z
  .object({
    peer: z.string(),
    node_id: z.string(),
    open: z.array(FEED).openapi({ description: 'Feeds that the peer may read now, whole.' }),
    shut: z.array(FEED),
    empty: z.array(z.object(DECISION)).openapi({ description: 'Feeds of its file that have no entry yet.' }),
    examples: z.array(FACT_LINE),
  })
  .openapi('GrantPreview') satisfies z.ZodType<GrantPreviewAnswer>;

const GRANT = z.object({ hash: z.string(), text: z.string() });
const RUN = z.object({
  id: SEQ,
  feed: z.string(),
  after: SEQ,
  to: SEQ,
  tree_size: SEQ,
  sent_at: z.string(),
  grant: GRANT,
}) satisfies z.ZodType<GivenRunAnswer>;
const EXPLANATION = z
  .object({
    peer: z.string(),
    node_id: z.string(),
    fact_id: z.string(),
    feed: z.string().nullable(),
    feed_seq: SEQ,
    ...DECISION,
    given: z.array(RUN),
    acknowledged: z.boolean(),
  })
  .openapi('GrantExplanation') satisfies z.ZodType<ExplanationAnswer>;

const CHANGE = z.object({
  feed: z.string(),
  change: z.enum(['starts', 'stops', 'regrants', 'later']),
  new_facts: SEQ,
  given: SEQ,
  before: z.string(),
  after: z.string(),
});
const DIFF = z
  .object({
    peer: z.string(),
    node_id: z.string(),
    in_force: z.string().nullable(),
    changes: z.array(CHANGE),
    examples: z.array(FACT_LINE),
  })
  .openapi('GrantDiff') satisfies z.ZodType<GrantDiffAnswer>;
const PROPOSED = z
  .object({
    name: z.string().min(1).max(63),
    toml: z.string().max(MAX_PEER_FILE_CHARS).openapi({ description: 'The text of a peer file.' }),
  })
  .openapi('ProposedPeerFile');

const DISCLOSED = z
  .object({
    node_id: z.string(),
    feeds: z.array(
      z.object({
        feed: z.string(),
        grant: GRANT,
        entries: SEQ,
        first: SEQ,
        last: SEQ,
        first_sent_at: z.string(),
        last_sent_at: z.string(),
      }),
    ),
    runs: z.array(RUN),
    cursor: z.string().nullable(),
    has_more: z.boolean(),
  })
  .openapi('Disclosed') satisfies z.ZodType<DisclosedAnswer>;

const NOT_FOUND = { 404: { description: 'no such peer or fact' } };
const answer = (description: string, schema: z.ZodType) => ({
  200: { description, content: { 'application/json': { schema } } },
});

/** Adds what operators ask about grants: what a peer may read, why, what a change would do, what it was given. */
export function addGrants(apparatus: Apparatus): void {
  addPreview(apparatus);
  addExplain(apparatus);
  addDiff(apparatus);
  addDisclosed(apparatus);
}

function addPreview(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/federation/peers/{name}/grants',
    tag: 'Federation',
    summary: 'What a peer may read now, feed by feed, and what not and why',
    params: PEER,
    query: z.object({
      limit: intParam({ min: 0, max: MAX_EXAMPLES, default: 10, description: 'Newest facts to name.' }),
    }),
    responses: { ...answer('the preview', PREVIEW), ...NOT_FOUND },
  } as const;
  addRoute(apparatus, route, ['admin', 'admin:federation'], async ({ param, query }) => {
    const preview = await apparatus.deps.grants.preview(param('name'), query.limit);
    return preview === null ? refused({ status: 404, detail: 'peer not found' }) : json(200, preview);
  });
}

function addExplain(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/federation/peers/{name}/explain',
    tag: 'Federation',
    summary: 'Why a peer may or may not read a fact, and whether it was given it',
    params: PEER,
    query: z.object({ fact: z.string().min(1).max(256).openapi({ description: 'Id or CID of the fact.' }) }),
    responses: {
      ...answer('the rule that decides', EXPLANATION),
      ...NOT_FOUND,
      409: { description: 'the fact is damaged' },
    },
  } as const;
  addRoute(apparatus, route, ['admin', 'admin:federation'], async ({ param, query }) => {
    const { kind, ...found } = await apparatus.deps.grants.explain(param('name'), query.fact);
    if (kind === 'explained') return json(200, found);
    if (kind === 'damaged') return refused({ status: 409, detail: 'the fact is damaged: run fsck' });
    return refused({ status: 404, detail: kind === 'unknown_peer' ? 'peer not found' : 'fact not found' });
  });
}

function addDiff(apparatus: Apparatus): void {
  const route = {
    method: 'post',
    path: '/v1/federation/grants/diff',
    tag: 'Federation',
    summary: 'What a proposed peer file would change for its partner; nothing is written',
    query: NO_QUERY,
    body: PROPOSED,
    responses: answer('the changes', DIFF),
  } as const;
  addRoute(apparatus, route, ['admin', 'admin:federation'], (call) => diff(apparatus, call));
}

async function diff({ deps }: Apparatus, call: Pick<Call<object>, 'c'>): Promise<Response> {
  const body = await readJsonBody(call.c.req.raw, deps.limits);
  if (!body.ok) return refused(body.error);
  const given = plain(body.value);
  const parsed = PROPOSED.safeParse(given);
  if (!parsed.success) return refused({ status: 422, detail: fieldErrors(parsed.error, given, ['body']) });
  const { kind, ...found } = await deps.grants.diff(parsed.data.name, parsed.data.toml);
  if (kind === 'compared') return json(200, found);
  const problems = 'problems' in found ? found.problems : [];
  return refused({ status: 422, detail: { code: 'peer_file_invalid', message: problems.join('\n') } });
}

function addDisclosed(apparatus: Apparatus): void {
  const route = {
    method: 'get',
    path: '/v1/federation/peers/{name}/disclosed',
    tag: 'Federation',
    summary: 'Everything that a peer was ever given, under which grant; runs oldest first',
    params: PEER,
    query: z.object({
      cursor: optionalInt({ min: 0, description: 'Id of a run, exclusive: those that came after it.' }),
      limit: intParam({ min: 1, max: 500, default: 50, description: 'Runs per page.' }),
      fact: textParam('Id or CID of a fact: only the runs that it was given in.', 256),
    }),
    responses: { ...answer('the ledger', DISCLOSED), ...NOT_FOUND },
  } as const;
  addRoute(apparatus, route, ['federate', 'audit.read'], async ({ param, query }) => {
    const { cursor = 0, limit, fact = null } = query;
    const found = await apparatus.deps.grants.disclosed({ peer: param('name'), cursor, limit: limit + 1 }, fact);
    if (found === null) return refused({ status: 404, detail: 'fact not found' });
    const { node_id, feeds, runs } = found;
    const page = runs.slice(0, limit);
    const last = page.at(-1)?.id;
    const place = { cursor: last === undefined ? null : String(last), has_more: runs.length > limit };
    return json(200, { node_id, feeds, runs: page, ...place });
  });
}
