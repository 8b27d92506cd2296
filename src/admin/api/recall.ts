/** Ranked retrieval by words. */
import { createHash, randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { err, ok, type Result } from '../../core/result.ts';
import { isScope, SCOPES } from '../../core/scope.ts';
import { isoMicros } from '../../core/time.ts';
import type { RecalledFact, RecallQuery, RecallResult } from '../../journal/read-model.ts';
import { readJsonBody } from './body.ts';
import { factRecordText } from './fact-record.ts';
import { FACT_ANSWERS, type ReadTools, TIME_TRAVEL } from './facts-read.ts';
import { fieldErrors, pydantic } from './field-errors.ts';
import { flagParam } from './params.ts';
import { plain } from './plain-json.ts';
import { bundlesText, chainProofBody, PROVEN_FACTS, proveFacts, READ_HEADERS, wantsProof } from './proofs.ts';
import { jsonText, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, type Principal } from './route.ts';
import { FACT_RECORD } from './schemas.ts';
import { sessionOf } from './sessions.ts';

/** Nobody types more, and every word costs a look into the index. */
const MAX_QUERY_CHARS = 8_192;

const QUERY = z.object({
  legacy_format: flagParam('Leaves out `content` and `instructions`; `facts` has both.'),
});

function whole(min: number, max: number): z.ZodNumber {
  return z
    .number()
    .refine(Number.isInteger, { message: 'Input should be a valid integer', params: pydantic('int_type') })
    .min(min)
    .max(max);
}

function weight(initial: number, description: string): z.ZodType<number | undefined> {
  return z.number().min(0).max(1).optional().openapi({ default: initial, description });
}

const NOTHING_TO_WEIGH = 'Taken for compatibility: this node has nothing that it would weigh.';
const LEXICAL = 0.35;
const RECENCY = 0.05;

const BODY = z
  .object({
    query: z.string().min(1).max(MAX_QUERY_CHARS).openapi({ example: 'owner of billing' }),
    scope: z
      .string()
      .optional()
      .openapi({ default: 'local', description: `One of ${SCOPES.join(', ')}.` }),
    token_budget: whole(1, 200_000).optional().openapi({
      default: 4_000,
      description: 'Facts are taken best first while they fit; the estimate is a quarter of the characters.',
    }),
    depth: whole(1, 3).optional().openapi({ default: 2, description: NOTHING_TO_WEIGH }),
    weights: z
      .object({
        lexical: weight(LEXICAL, 'Words of the query in the fact.'),
        semantic: weight(0.35, NOTHING_TO_WEIGH),
        graph: weight(0.15, NOTHING_TO_WEIGH),
        source_trust: weight(0.1, NOTHING_TO_WEIGH),
        recency: weight(RECENCY, 'Halves every 30 days.'),
      })
      .optional(),
    min_confidence: z.number().min(0).max(1).optional().openapi({ default: 0.1 }),
    include_neighbors: z.boolean().optional().openapi({ default: true, description: NOTHING_TO_WEIGH }),
    limit: whole(1, 500).optional().openapi({ default: 100, description: 'Most facts before the budget.' }),
    as_of: z.string().nullish().openapi({ description: 'Not served: needs the time-travel plugin of the reference.' }),
  })
  .openapi('RecallRequest');
type Body = z.output<typeof BODY>;

const SCORED = z
  .object({
    fact: FACT_RECORD,
    score: z.number().openapi({ description: 'The weighted total times the fact’s confidence.' }),
    score_breakdown: z.object({
      lexical: z.number(),
      semantic: z.number().openapi({ description: 'Always 0.' }),
      graph: z.number().openapi({ description: 'Always 0.' }),
      source_trust: z.number().openapi({ description: 'Always 0.' }),
      recency: z.number(),
      weighted_total: z.number(),
    }),
    hop_distance: z.number().int().openapi({ description: 'Always 0.' }),
    token_estimate: z.number().int(),
    from_card: z.boolean().openapi({ description: 'Always false: every fact is one that somebody asserted.' }),
  })
  .openapi('ScoredFact');

/** Not in the body: its members are those of the reference. */
const UNINDEXED = 'stigmem-unindexed';

const ANSWER = z
  .object({
    recall_id: z.string(),
    query_hash: z.string().openapi({ description: 'Hex SHA-256 of the query.' }),
    facts: z.array(SCORED).openapi({ description: 'Best first.' }),
    content: z.array(SCORED).optional().openapi({ description: 'Those of `facts` that are content.' }),
    instructions: z.array(SCORED).optional().openapi({ description: 'Those of `facts` that are instructions.' }),
    total_scored: z.number().int().openapi({ description: 'Facts that were compared with the budget.' }),
    token_budget: z.number().int(),
    tokens_used: z.number().int(),
    truncated: z.boolean().openapi({ description: 'Something that was scored did not fit the budget.' }),
    tombstone_notices: z.array(z.unknown()),
    chain_proof: z.looseObject({}).nullable().openapi({
      description:
        'Only with `Stigmem-Verify: full`: the chain’s head at the newest checkpoint that a transparency log has, in the reference’s shape. It proves no single fact: `bundles` do.',
    }),
    ...PROVEN_FACTS,
  })
  .openapi('RecallAnswer');

/** Adds `POST /v1/recall`. */
export function addRecall(apparatus: Apparatus, tools: ReadTools): void {
  const route = {
    method: 'post',
    path: '/v1/recall',
    tag: 'Facts',
    summary: 'The facts that answer a query best, within a token budget',
    description:
      'Ranked by the words of entity, relation and value, by age and confidence. What is contradicted, retracted, expired or quarantined is left out, as from `GET /v1/facts`. The header `Stigmem-Unindexed` says how many of the journal’s newest entries were not looked at, since their words are not indexed yet.',
    query: QUERY,
    headers: READ_HEADERS,
    body: BODY,
    quota: 'fact_read',
    responses: {
      200: { description: 'facts', content: { 'application/json': { schema: ANSWER } } },
      400: { description: 'unknown scope' },
      409: { description: `${FACT_ANSWERS[409].description}; \`fact_chain_mismatch\`: the chain does not verify` },
      501: { description: '`time_travel_plugin_not_loaded`' },
    },
  } as const;
  addRoute(apparatus, route, ['read'], (call, principal) => recall(tools, call, principal));
}

async function recall(tools: ReadTools, call: Call<z.output<typeof QUERY>>, principal: Principal): Promise<Response> {
  const { deps, sessions, desk } = tools;
  const session = sessionOf(call.c.req.header('stigmem-session'));
  if (!session.ok) return refused(session.error);
  const json = await readJsonBody(call.c.req.raw, deps.limits);
  if (!json.ok) return refused(json.error);
  const asked = readQuery(plain(json.value), deps.nowMs());
  if (!asked.ok) return refused(asked.error);

  const unindexed = await deps.writer.settleRecall();
  const found = await deps.reader.recall(asked.value);
  if (found.kind === 'corrupt') return refused(await desk.report(found.corrupt, principal));
  const entries = found.facts.map(({ fact }) => fact.entry);
  const ids = entries.map((entry) => entry.fact_id);
  const proven = wantsProof(call.c) ? await proveFacts(tools, ids, principal, true) : null;
  if (proven !== null && 'refusal' in proven) return refused(proven.refusal);

  deps.events.factsRead(principal.label, entries.length);
  const scopes = entries.map((entry) => entry.scope);
  if (session.value !== null) sessions.noteRead(principal.party.id, session.value, scopes);
  const chain = proven === null ? 'null' : JSON.stringify(chainProofBody(proven.chain));
  const bundles = proven === null ? '' : `,${bundlesText(proven.facts)}`;
  const head = headText(asked.value, found, call.query.legacy_format);
  const counts = { 'x-total-count': String(found.scored), [UNINDEXED]: String(unindexed) };
  return jsonText(200, `{${head},"tombstone_notices":[],"chain_proof":${chain}${bundles}}`, counts);
}

function readQuery(body: unknown, nowMs: number): Result<RecallQuery, Refusal> {
  const parsed = BODY.safeParse(body);
  if (!parsed.success) return err({ status: 422, detail: fieldErrors(parsed.error, body, ['body']) });
  const { as_of, scope = 'local' } = parsed.data;
  if (!isScope(scope)) {
    const known = [...SCOPES].sort().map((one) => `'${one}'`);
    return err({ status: 400, detail: `invalid_scope: must be one of [${known.join(', ')}]` });
  }
  if (as_of != null) return err(TIME_TRAVEL);
  return ok(queryOf(parsed.data, scope, nowMs));
}

function queryOf(body: Body, scope: string, nowMs: number): RecallQuery {
  return {
    query: body.query,
    scope,
    tokenBudget: body.token_budget ?? 4_000,
    minConfidence: body.min_confidence ?? 0.1,
    limit: body.limit ?? 100,
    weights: { lexical: body.weights?.lexical ?? LEXICAL, recency: body.weights?.recency ?? RECENCY },
    nowIso: isoMicros(nowMs * 1000),
  };
}

type Recalled = Extract<RecallResult, { readonly kind: 'recalled' }>;

function headText({ query, tokenBudget }: RecallQuery, found: Recalled, isLegacy: boolean): string {
  const scored = found.facts.map((one) => ({ text: scoredText(one), as: one.fact.entry.interpret_as }));
  const textOf = (of: typeof scored): string => of.map(({ text }) => text).join(',');
  // What is not plain content is never handed out as such.
  const content = textOf(scored.filter((one) => one.as === 'content'));
  const instructions = textOf(scored.filter((one) => one.as !== 'content'));
  const split = isLegacy ? '' : `"content":[${content}],"instructions":[${instructions}],`;
  const hash = createHash('sha256').update(query).digest('hex');
  const counts = `"total_scored":${found.scored},"token_budget":${tokenBudget},"tokens_used":${found.tokensUsed}`;
  return `"recall_id":"${randomUUID()}","query_hash":"${hash}","facts":[${textOf(scored)}],${split}${counts},"truncated":${found.truncated}`;
}

function scoredText({ fact, parts, tokens }: RecalledFact): string {
  const breakdown = {
    lexical: parts.lexical,
    semantic: 0,
    graph: 0,
    source_trust: 0,
    recency: parts.recency,
    weighted_total: parts.weightedTotal,
  };
  return `{"fact":${factRecordText(fact)},"score":${JSON.stringify(parts.score)},"score_breakdown":${JSON.stringify(breakdown)},"hop_distance":0,"token_estimate":${tokens},"from_card":false}`;
}
