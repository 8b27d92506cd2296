import { z } from '@hono/zod-openapi';
import type { ActBy } from '../../core/approval.ts';
import type { ReviewDecision, ReviewRefusal } from '../../core/review.ts';
import type { AuditRecord } from '../../journal/read-model.ts';
import type { QuarantinedFact } from '../../projections/quarantine-reader.ts';
import { acted, asks, PROPOSED_ANSWER, REASON, readActBody } from './acting.ts';
import { corruptRefusal, factRecordText } from './fact-record.ts';
import { choiceParam, intParam, optionalInt, textParam } from './params.ts';
import { json, jsonText, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';
import { FACT_RECORD } from './schemas.ts';

const STATUSES = ['pending', 'promoted', 'rejected', 'all'] as const;
const STATUS = z.enum(['pending', 'promoted', 'rejected']);

const LIST = z.object({
  status: choiceParam(STATUSES, 'pending', 'Those that nobody has decided about, or others.'),
  peer: textParam('Facts of this peer alone: its file name, or its node id.'),
  before: optionalInt({ min: 1, description: 'Only facts before this place of the journal.' }),
  limit: intParam({ min: 1, max: 500, default: 100, description: 'Facts.' }),
});

const ITEM = z
  .object({
    seq: z.number().int().openapi({ description: 'Place in the journal.' }),
    status: STATUS,
    reason: z.string().openapi({ description: 'Why it was hidden.' }),
    fact: FACT_RECORD.nullable().openapi({ description: 'Null: the stored row is not what was appended.' }),
  })
  .openapi('QuarantinedFact');
const ITEMS = z
  .object({
    facts: z.array(ITEM),
    before: z.number().int().nullable().openapi({ description: 'Give it as `before` for those behind; null: none.' }),
  })
  .openapi('Quarantine');
const STEP = z.object({
  audit_seq: z.number().int(),
  at: z.string(),
  status: STATUS,
  by: z.string().nullable(),
  why: z.string().nullable(),
});
const ONE = z.object({ fact: FACT_RECORD, status: STATUS, reason: z.string(), history: z.array(STEP) });
const REVIEW = z.object({ reason: REASON }).openapi('ReviewFact');
const REVIEWED = z.object({ fact_id: z.string(), status: STATUS, audit_seq: z.number().int() });
const FACT_ID = z.object({ id: z.string() });

/** Adds facts that are hidden from readers, and what operators decide about them. */
export function addQuarantine(apparatus: Apparatus): void {
  const { peers, quarantine } = apparatus.deps;
  const list = {
    method: 'get',
    path: '/v1/quarantine',
    tag: 'Review',
    summary: 'Facts that are hidden from readers, the newest first',
    query: LIST,
    responses: {
      200: { description: 'facts', content: { 'application/json': { schema: ITEMS } } },
      404: { description: 'peer not found' },
    },
  } as const;
  addRoute(apparatus, list, ['review'], async ({ query }) => {
    const { status, peer, before, limit } = query;
    const nodeId = peer?.startsWith('stigmem://') === true ? peer : peers.get(peer ?? '')?.node_id;
    if (peer !== undefined && nodeId === undefined) return refused({ status: 404, detail: 'peer not found' });
    const page = await quarantine.list({ status, peer: nodeId ?? null, before: before ?? null, limit });
    return jsonText(200, `{"facts":[${page.facts.map(itemText).join(',')}],"before":${page.before}}`);
  });

  const one = {
    method: 'get',
    path: '/v1/quarantine/{id}',
    tag: 'Review',
    summary: 'One hidden fact, by its id, with what was decided about it',
    params: FACT_ID,
    query: NO_QUERY,
    responses: {
      200: { description: 'the fact', content: { 'application/json': { schema: ONE } } },
      404: { description: 'there is no such fact, or it was never hidden' },
    },
  } as const;
  addRoute(apparatus, one, ['review'], (call) => show(apparatus, call.param('id')));
  addReview(apparatus, 'promote', 'promoted', 'Let readers see a hidden fact');
  addReview(apparatus, 'reject', 'rejected', 'Keep a hidden fact, or one that was let through, from readers');
}

function addReview(apparatus: Apparatus, verb: string, decision: ReviewDecision, summary: string): void {
  const route = {
    method: 'post',
    path: `/v1/quarantine/{id}/${verb}`,
    tag: 'Review',
    summary: `${summary}; recorded with the caller. The other decision takes it back`,
    params: FACT_ID,
    query: NO_QUERY,
    body: REVIEW,
    quota: 'admin_action',
    responses: {
      200: { description: 'decided', content: { 'application/json': { schema: REVIEWED } } },
      202: PROPOSED_ANSWER,
      404: { description: 'there is no such fact, or it was never hidden' },
      409: { description: 'it is decided so already, or the stored row is not what was appended' },
    },
  } as const;
  addRoute(apparatus, route, ['review'], async (call, principal) => {
    const body = await readActBody(apparatus, call, REVIEW);
    if (!body.ok) return refused(body.error);
    return reviewFact(apparatus, call.param('id'), decision, asks(principal, body.value.reason));
  });
}

/** Decides about a hidden fact, or proposes or approves that. */
export async function reviewFact(
  { deps }: Apparatus,
  id: string,
  decision: ReviewDecision,
  by: ActBy,
): Promise<Response> {
  const outcome = await deps.quarantine.review(id, decision, by);
  if (outcome.kind === 'impossible') return refused(notReviewed(outcome.code, decision));
  return acted(outcome, (audit_seq) => json(200, { fact_id: id, status: decision, audit_seq }));
}

async function show({ deps }: Apparatus, id: string): Promise<Response> {
  const found = await deps.reader.fact(id);
  if (found.kind === 'corrupt') return refused(corruptRefusal(found.corrupt));
  if (found.kind !== 'found') return refused(notReviewed('fact_unknown', 'promoted'));
  const { quarantine, entry } = found.fact;
  if (quarantine === null) return refused(notReviewed('not_quarantined', 'promoted'));
  const history = (await deps.quarantine.history(entry.fact_id)).map(stepOf);
  const held = `"status":${JSON.stringify(quarantine.status)},"reason":${JSON.stringify(quarantine.reason)}`;
  return jsonText(200, `{"fact":${factRecordText(found.fact)},${held},"history":${JSON.stringify(history)}}`);
}

function stepOf({ seq, at, reason, actor, detail }: AuditRecord): z.input<typeof STEP> {
  const status = reason === 'promoted' || reason === 'rejected' ? reason : 'pending';
  const { why } = detail;
  return { audit_seq: seq, at, status, by: actor, why: typeof why === 'string' ? why : null };
}

function itemText({ seq, status, reason, fact }: QuarantinedFact): string {
  const held = `"status":${JSON.stringify(status)},"reason":${JSON.stringify(reason)}`;
  return `{"seq":${seq},${held},"fact":${fact === null ? 'null' : factRecordText(fact)}}`;
}

function notReviewed(code: ReviewRefusal, decision: ReviewDecision): Refusal {
  switch (code) {
    case 'fact_unknown':
      return { status: 404, detail: { code, message: 'there is no fact with this id' } };
    case 'not_quarantined':
      return { status: 404, detail: { code, message: 'the fact is not hidden, and never was' } };
    case 'already_decided':
      return { status: 409, detail: { code, message: `the fact is ${decision} already` } };
    case 'fact_damaged':
      return { status: 409, detail: { code, message: 'the stored row is not what was appended: run fsck' } };
  }
}
