import { z } from '@hono/zod-openapi';
import { isCid, looksLikeCid } from '../../core/cid.ts';
import { normalizeEntity } from '../../core/entity.ts';
import { permits } from '../../core/permissions.ts';
import { isScope, SCOPES } from '../../core/scope.ts';
import { isoMicros } from '../../core/time.ts';
import type { Erased, FactQuery, ProvenFact, StoredFact } from '../../journal/read-model.ts';
import type { ApiDeps } from '../deps.ts';
import { derivedText, factRecordText } from './fact-record.ts';
import { flagParam, floatParam, intParam, listed, normalizedInstant, textParam } from './params.ts';
import { BUNDLE, bundlesText, PROVEN_FACT, PROVEN_FACTS, proveFacts, READ_HEADERS, wantsProof } from './proofs.ts';
import { json, jsonText, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY, type Principal } from './route.ts';
import { FACT_RECORD } from './schemas.ts';
import { type Sessions, sessionOf } from './sessions.ts';
import { type CorruptionDesk, FACT_NOT_FOUND, type NotShown, seesTombstones, visibleFact } from './visibility.ts';

/** What the read endpoints share. */
export interface ReadTools {
  readonly deps: ApiDeps;
  readonly sessions: Sessions;
  readonly desk: CorruptionDesk;
}

const QUERY = z.object({
  entity: textParam('Exact entity, normalized as on assertion.'),
  relation: textParam('Exact relation.'),
  source: textParam('Exact source, normalized as on assertion.'),
  scope: textParam(`One of ${SCOPES.join(', ')}.`),
  min_confidence: floatParam({ min: 0, max: 1, default: 0, description: 'Least confidence.' }),
  include_contradicted: flagParam('Also facts that another fact of the same entity, relation and scope contradicts.'),
  include_expired: flagParam('Also facts whose valid_until has passed.'),
  include_quarantined: flagParam('Also facts that wait for an operator. Needs review, or admin.'),
  include_tombstones: flagParam(
    'Also what this node and others write to have facts erased; a query by that relation has it as well.',
  ),
  after: textParam('Only facts asserted after this moment.', 64),
  cursor: textParam('The `cursor` of the page before.', 256),
  limit: intParam({ min: 1, max: 500, default: 50, description: 'Facts per page.' }),
  garden_id: textParam('Only facts of this garden.'),
  attested: flagParam('Not served: this node does not judge attestations.'),
  include_low_trust: flagParam(
    'Taken for compatibility; this node has no trust scores and hides nothing for want of trust.',
  ),
  as_of: textParam('Not served: needs the time-travel plugin of the reference.', 64),
});
type Query = z.output<typeof QUERY>;

const PAGE = z
  .object({
    facts: z.array(FACT_RECORD),
    total: z.number().int().openapi({ description: 'Matches; also in X-Total-Count.' }),
    cursor: z.string().nullable().openapi({ description: 'Null at the end.' }),
    tombstone_notices: z
      .array(z.unknown())
      .openapi({ description: 'Matches that are hidden by a tombstone; for `admin` and `legal.hold` alone.' }),
    ...PROVEN_FACTS,
  })
  .openapi('FactPage');

const ID_PARAM = z.object({ id: z.string().openapi({ description: 'Fact id, or CID (`sha256:…`).' }) });
export const FACT_ANSWERS = {
  400: { description: '`cid_malformed`' },
  404: { description: 'fact not found' },
  410: {
    description:
      '`fact_tombstoned`: its author, or this node for it, asked to have it erased. `GET /v1/facts/{id}` with `Stigmem-Verify: full` has `erasure_proof` beside the code, as `/v1/changes` has it, where this node has erased a fact of its own',
  },
  409: {
    description: '`cid_mismatch` or `leaf_mismatch`: the stored row is not what was appended; it is never served',
  },
};

/** Adds the endpoints that read facts. */
export function addFactReads(apparatus: Apparatus, tools: ReadTools): void {
  addQuery(apparatus, tools);
  addGet(apparatus, tools);
  addProof(apparatus, tools);
  addVerifyCid(apparatus, tools);
  addProvenance(apparatus, tools);
}

function addQuery(apparatus: Apparatus, tools: ReadTools): void {
  const route = {
    method: 'get',
    path: '/v1/facts',
    tag: 'Facts',
    summary: 'Query facts, newest first',
    query: QUERY,
    headers: READ_HEADERS,
    quota: 'fact_read',
    responses: {
      200: { description: 'a page', content: { 'application/json': { schema: PAGE } } },
      409: FACT_ANSWERS[409],
      501: { description: '`time_travel_plugin_not_loaded`, `attestation_not_judged`' },
    },
  } as const;
  addRoute(apparatus, route, ['read'], (call, principal) => queryFacts(tools, call, principal));
}

async function queryFacts(tools: ReadTools, call: Call<Query>, principal: Principal): Promise<Response> {
  const { deps, sessions, desk } = tools;
  const session = sessionOf(call.c.req.header('stigmem-session'));
  if (!session.ok) return refused(session.error);
  const notServed = whyNotServed(call.query, principal);
  if (notServed !== null) return refused(notServed);

  const before = positionOf(call.query.cursor);
  if (before === null) return refused(BAD_CURSOR);
  const page = await deps.reader.facts(factQuery(call.query, before, deps.nowMs()));
  if (page.kind === 'corrupt') return refused(await desk.report(page.corrupt, principal));
  const { facts, total } = page;
  const cursor = page.before === null ? null : String(page.before);
  const ids = facts.map((fact) => fact.entry.fact_id);
  const proven = wantsProof(call.c) ? await proveFacts(tools, ids, principal, false) : null;
  if (proven !== null && 'refusal' in proven) return refused(proven.refusal);
  deps.events.factsRead(principal.label, facts.length);
  if (session.value !== null)
    sessions.noteRead(
      principal.party.id,
      session.value,
      facts.map((fact) => fact.entry.scope),
    );
  const bundles = proven === null ? '' : `,${bundlesText(proven.facts)}`;
  const records = facts.map((fact) => factRecordText(fact)).join(',');
  const notices = seesTombstones(principal) ? page.notices : [];
  const body = `{"facts":[${records}],"total":${total},"cursor":${JSON.stringify(cursor)},"tombstone_notices":${JSON.stringify(notices)}${bundles}}`;
  return jsonText(200, body, { 'x-total-count': String(total) });
}

export const TIME_TRAVEL: Refusal = {
  status: 501,
  detail: {
    code: 'time_travel_plugin_not_loaded',
    message: 'time-travel queries require stigmem-plugin-time-travel',
  },
};

const BAD_CURSOR: Refusal = {
  status: 400,
  detail: {
    code: 'cursor_unknown',
    message: 'expected the cursor of the page before, as it was given, and got something else; start again without one',
  },
};

/**
 * A cursor is a position, and every position is one: that of a hidden fact, of none, of one that is gone. An id would have
 * to be looked for, and the answer would tell whether it is there. Undefined: the first page; null: no cursor of ours.
 */
function positionOf(cursor: string | undefined): number | undefined | null {
  if (cursor === undefined) return undefined;
  return /^[1-9][0-9]{0,14}$/.test(cursor) ? Number(cursor) : null;
}

function whyNotServed(query: Query, principal: Principal): Refusal | null {
  if (query.as_of !== undefined) return TIME_TRAVEL;
  if (query.scope !== undefined && !isScope(query.scope)) {
    return { status: 400, detail: `scope must be one of ${listed(SCOPES)}` };
  }
  if (query.attested) {
    const message = 'this node does not judge attestations, so it cannot select by them; leave out attested';
    return { status: 501, detail: { code: 'attestation_not_judged', message } };
  }
  const seesQuarantine = permits(principal.party, 'review');
  return query.include_quarantined && !seesQuarantine ? { status: 403, detail: 'admin permission required' } : null;
}

function factQuery(query: Query, before: number | undefined, nowMs: number): FactQuery {
  const { entity, relation, source, scope, garden_id, after } = query;
  return {
    ...(entity === undefined ? {} : { entity: normalized(entity) }),
    ...(relation === undefined ? {} : { relation }),
    ...(source === undefined ? {} : { source: normalized(source) }),
    ...(scope === undefined ? {} : { scope }),
    ...(garden_id === undefined ? {} : { gardenId: garden_id }),
    ...(after === undefined ? {} : { after: normalizedInstant(after) ?? after }),
    ...(before === undefined ? {} : { before }),
    minConfidence: query.min_confidence,
    includeContradicted: query.include_contradicted,
    includeExpired: query.include_expired,
    includeQuarantined: query.include_quarantined,
    includeTombstones: query.include_tombstones,
    limit: query.limit,
    nowIso: isoMicros(nowMs * 1000),
  };
}

/** A name that cannot be normalized is looked for as it is, as in the reference: it finds what peers sent. */
function normalized(name: string): string {
  const result = normalizeEntity(name);
  return result.ok ? result.value : name;
}

function addGet(apparatus: Apparatus, tools: ReadTools): void {
  const { deps, sessions } = tools;
  const route = {
    method: 'get',
    path: '/v1/facts/{id}',
    tag: 'Facts',
    summary: 'One fact, by id or CID',
    params: ID_PARAM,
    query: NO_QUERY,
    headers: READ_HEADERS,
    quota: 'fact_read',
    responses: {
      200: {
        description: 'the fact',
        content: { 'application/json': { schema: FACT_RECORD.and(z.object(PROVEN_FACT)) } },
      },
      ...FACT_ANSWERS,
    },
  } as const;
  addRoute(apparatus, route, ['read'], async (call, principal) => {
    const session = sessionOf(call.c.req.header('stigmem-session'));
    if (!session.ok) return refused(session.error);
    const found = await lookUp(tools, call.param('id'), principal);
    if ('refusal' in found) {
      const isProven = found.erased !== null && wantsProof(call.c);
      return refused(isProven ? await withErasure(tools, found, found.erased, principal) : found.refusal);
    }
    const proven = wantsProof(call.c) ? await proveOne(tools, found.fact, principal) : null;
    if (proven !== null && 'refusal' in proven) return refused(proven.refusal);
    deps.events.factsRead(principal.label, 1);
    if (session.value !== null) sessions.noteRead(principal.party.id, session.value, [found.fact.entry.scope]);
    const record = factRecordText(found.fact);
    if (proven === null) return jsonText(200, record);
    return jsonText(200, `${record.slice(0, -1)},"bundle":${proven.bundle},"anchored":${proven.anchored}}`);
  });
}

/** The same answer with the proof that the fact is gone, where there is one: received facts have none here. */
async function withErasure(
  tools: ReadTools,
  { refusal }: NotShown,
  erased: Erased,
  principal: Principal,
): Promise<Refusal> {
  const proven = await proveFacts(tools, [], principal, false, [erased]);
  if ('refusal' in proven) return proven.refusal;
  const [erasure] = proven.erasures;
  if (erasure === undefined || typeof refusal.detail !== 'object') return refusal;
  return { ...refusal, detail: { ...refusal.detail, erasure_proof: JSON.parse(erasure.proof) } };
}

async function proveOne(
  tools: ReadTools,
  { entry }: StoredFact,
  principal: Principal,
): Promise<ProvenFact | { readonly refusal: Refusal }> {
  const proven = await proveFacts(tools, [entry.fact_id], principal, false);
  if ('refusal' in proven) return proven;
  return proven.facts[0] ?? { refusal: FACT_NOT_FOUND };
}

function addProof(apparatus: Apparatus, tools: ReadTools): void {
  const route = {
    method: 'get',
    path: '/v1/facts/{id}/proof',
    tag: 'Facts',
    summary: 'The bundle by which a stranger can check a fact',
    description:
      'Entry, salt and inclusion proof against the newest checkpoint that is anchored and cosigned; if there is none that covers the fact, against the newest one signed: `Stigmem-Anchored` and `anchors` say which. The body is the bundle, byte by byte.',
    params: ID_PARAM,
    query: NO_QUERY,
    quota: 'fact_read',
    responses: {
      200: { description: 'the bundle', content: { 'application/json': { schema: BUNDLE } } },
      ...FACT_ANSWERS,
    },
  } as const;
  addRoute(apparatus, route, ['read'], async (call, principal) => {
    const found = await lookUp(tools, call.param('id'), principal);
    if ('refusal' in found) return refused(found.refusal);
    const proven = await proveOne(tools, found.fact, principal);
    if ('refusal' in proven) return refused(proven.refusal);
    return jsonText(200, proven.bundle, { 'stigmem-anchored': String(proven.anchored) });
  });
}

/** Finds one fact that the caller may see. */
export async function lookUp(
  { deps, desk }: Pick<ReadTools, 'deps' | 'desk'>,
  id: string,
  principal: Principal,
): Promise<{ readonly fact: StoredFact } | NotShown> {
  const malformed = whyMalformed(id);
  if (malformed !== null) return { refusal: malformed, erased: null };
  return visibleFact(await deps.reader.fact(id), principal, desk);
}

function whyMalformed(id: string): Refusal | null {
  if (!looksLikeCid(id) || isCid(id)) return null;
  const message = "CID must be 'sha256:' followed by 64 hex chars";
  return { status: 400, detail: { code: 'cid_malformed', message } };
}

const CID_CHECK = z
  .object({
    cid_valid: z.boolean(),
    computed_cid: z.string(),
    stored_cid: z.string().nullable(),
    mismatch_reason: z.string().nullable(),
    leaf_valid: z
      .boolean()
      .openapi({ description: 'Whether the fields that the CID leaves out are those that were appended, too.' }),
  })
  .openapi('CidCheck');

function addVerifyCid(apparatus: Apparatus, { deps, desk }: ReadTools): void {
  const route = {
    method: 'post',
    path: '/v1/facts/{id}/verify-cid',
    tag: 'Facts',
    summary: 'Compute the CID of a stored fact again',
    params: ID_PARAM,
    query: NO_QUERY,
    quota: 'fact_read',
    responses: {
      200: { description: 'the verdict', content: { 'application/json': { schema: CID_CHECK } } },
      404: FACT_ANSWERS[404],
    },
  } as const;
  addRoute(apparatus, route, ['read'], async (call, principal) => {
    const result = await deps.reader.fact(call.param('id'));
    if (result.kind !== 'corrupt') {
      const found = await visibleFact(result, principal, desk);
      if ('refusal' in found) return refused(found.refusal);
      const { cid } = found.fact.entry;
      return json(200, {
        cid_valid: true,
        computed_cid: cid,
        stored_cid: cid,
        mismatch_reason: null,
        leaf_valid: true,
      });
    }
    await desk.report(result.corrupt, principal);
    const { computedCid, storedCid, code, difference } = result.corrupt;
    const reason =
      code === 'cid_mismatch'
        ? 'stored_cid does not match computed_cid'
        : `${difference.field} is not what was appended`;
    const verdict = {
      cid_valid: code !== 'cid_mismatch',
      computed_cid: computedCid,
      stored_cid: storedCid,
      mismatch_reason: reason,
    };
    return json(200, { ...verdict, leaf_valid: false });
  });
}

const PROVENANCE = z
  .object({
    fact_id: z.string(),
    cid: z.string(),
    derived_from: z.array(z.looseObject({})),
    received_from: z.string().nullable(),
    origin: z.object({ node_id: z.string(), chain_seq: z.number().int(), leaf_hash: z.string() }).nullable(),
  })
  .openapi('Provenance');

function addProvenance(apparatus: Apparatus, tools: ReadTools): void {
  const route = {
    method: 'get',
    path: '/v1/facts/{id}/provenance',
    tag: 'Facts',
    summary: 'What a fact was made from, and where it came from',
    params: ID_PARAM,
    query: NO_QUERY,
    quota: 'fact_read',
    responses: {
      200: { description: 'provenance', content: { 'application/json': { schema: PROVENANCE } } },
      ...FACT_ANSWERS,
    },
  } as const;
  addRoute(apparatus, route, ['read'], async (call, principal) => {
    const found = await lookUp(tools, call.param('id'), principal);
    if ('refusal' in found) return refused(found.refusal);
    const { fact_id, cid, derived_from, received_from, origin } = found.fact.entry;
    return json(200, { fact_id, cid, derived_from: JSON.parse(derivedText(derived_from)), received_from, origin });
  });
}
