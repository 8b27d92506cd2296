import { z } from '@hono/zod-openapi';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { permits } from '../../core/permissions.ts';
import type { AssertOutcome } from '../../journal/read-model.ts';
import type { AssertRequest } from '../../verify/assertion.ts';
import type { ApiDeps } from '../deps.ts';
import { assertRefusal, INSTRUCTION_DENIED, type ReadAssert, readAssert } from './assert-request.ts';
import { readJsonBody } from './body.ts';
import { factRecordText } from './fact-record.ts';
import { echo } from './field-errors.ts';
import { invalid, jsonText, type Refusal, refused } from './responses.ts';
import { type Apparatus, addRoute, type Call, NO_QUERY, type Principal } from './route.ts';
import { ASSERT_BODY, BATCH_RESULT, FACT_RECORD } from './schemas.ts';
import { SESSION_HEADER } from './session-header.ts';
import { provenanceRequired, type Sessions, sessionOf } from './sessions.ts';

/** A fact on its way: refused already, or ready for the writer. */
type Ready = ReadAssert & { readonly loc: Loc };
type Prepared = { readonly refusal: Refusal } | Ready;
type Loc = readonly (string | number)[];

const DESCRIPTION = `Takes one fact, or up to 1,000 of them as \`{"facts": […]}\` or as a JSON array.

One fact: 201 with the fact as stored. Asserting it again changes nothing and answers the same.
A retraction is a fact of its own with confidence 0.

A batch: each fact is judged alone and the good ones are stored whatever the others are. 201 when every fact is stored
or was there already, 207 when one or more were refused; \`results\` says for each, in order, the status and body that
it would have had alone. All stored facts of a batch are durable when the answer comes.`;

/** Adds `POST /v1/facts`. */
export function addFactWrites(apparatus: Apparatus, sessions: Sessions): void {
  const route = {
    method: 'post',
    path: '/v1/facts',
    tag: 'Facts',
    summary: 'Assert one fact or a batch',
    description: DESCRIPTION,
    query: NO_QUERY,
    headers: SESSION_HEADER,
    body: z.union([
      ASSERT_BODY,
      z.object({ facts: z.array(ASSERT_BODY).min(1).max(1_000) }),
      z.array(ASSERT_BODY).min(1).max(1_000),
    ]),
    quota: 'fact_write',
    responses: {
      201: {
        description: 'stored, or there already',
        content: { 'application/json': { schema: z.union([FACT_RECORD, BATCH_RESULT]) } },
      },
      207: {
        description: 'a batch of which some facts were refused',
        content: { 'application/json': { schema: BATCH_RESULT } },
      },
      404: { description: 'garden not found' },
      413: { description: 'the body is too large' },
    },
  } as const;
  addRoute(apparatus, route, ['write'], (call, principal) => assertFacts(apparatus.deps, sessions, call, principal));
}

async function assertFacts(
  deps: ApiDeps,
  sessions: Sessions,
  call: Call<object>,
  principal: Principal,
): Promise<Response> {
  const session = sessionOf(call.c.req.header('stigmem-session'));
  if (!session.ok) return refused(session.error);
  const body = await readJsonBody(call.c.req.raw, deps.limits);
  if (!body.ok) return refused(body.error);

  const batch = batchOf(body.value);
  if (batch === null) {
    const [result] = await assertAll(deps, sessions, session.value, principal, [{ body: body.value, loc: ['body'] }]);
    if (result === undefined) throw new Error('the writer gave no outcome for a fact');
    return 'refusal' in result ? refused(result.refusal) : jsonText(201, result.text);
  }
  const wrong = wrongLength(batch.items, batch.loc, deps.limits.maxBatchFacts);
  if (wrong !== null) return refused(wrong);
  const items = batch.items.map((item, index) => ({ body: item, loc: [...batch.loc, index] }));
  return batchAnswer(await assertAll(deps, sessions, session.value, principal, items));
}

/** @returns null for a single fact: an object with `entity` is one, whatever else it has */
function batchOf(body: JsonValue): { readonly items: readonly JsonValue[]; readonly loc: Loc } | null {
  if (Array.isArray(body)) return { items: body, loc: ['body'] };
  if (!isJsonObject(body) || body.has('entity')) return null;
  const facts = body.get('facts');
  return Array.isArray(facts) ? { items: facts, loc: ['body', 'facts'] } : null;
}

function wrongLength(items: readonly JsonValue[], loc: Loc, most: number): Refusal | null {
  if (items.length > most) {
    const ctx = { field_type: 'List', max_length: most, actual_length: items.length };
    const msg = `List should have at most ${most} items after validation, not ${items.length}`;
    return invalid({ type: 'too_long', loc, msg, input: echo(`${items.length} facts`), ctx });
  }
  if (items.length > 0) return null;
  const ctx = { field_type: 'List', min_length: 1, actual_length: 0 };
  return invalid({
    type: 'too_short',
    loc,
    msg: 'List should have at least 1 item after validation, not 0',
    input: [],
    ctx,
  });
}

type Result = { readonly refusal: Refusal } | { readonly text: string; readonly repeated: boolean };

async function assertAll(
  deps: ApiDeps,
  sessions: Sessions,
  session: string | null,
  principal: Principal,
  items: readonly { readonly body: JsonValue; readonly loc: Loc }[],
): Promise<readonly Result[]> {
  const prepared = items.map((item) => prepare(deps, principal, item.body, item.loc));
  const guarded = session === null ? prepared : await guard(deps, sessions, session, principal, prepared);
  const ready = guarded.filter((item): item is Ready => !('refusal' in item));
  const mayWriteInstructions = permits(principal.party, 'instruction:write');
  const requests = ready.map((item) => item.request);
  const outcomes = ready.length === 0 ? [] : await deps.writer.assert(requests, { mayWriteInstructions });
  if (outcomes.length !== ready.length)
    throw new Error(`the writer gave ${outcomes.length} outcomes for ${ready.length} facts`);

  deps.events.factsWritten(principal.label, outcomes.filter((outcome) => outcome.kind === 'stored').length);
  const results = new Map(ready.map((item, at) => [item, outcomes[at]]));
  return guarded.map((item) => {
    if ('refusal' in item) return item;
    const outcome = results.get(item);
    if (outcome === undefined) throw new Error('the writer gave no outcome for a fact');
    return resultOf(item, outcome);
  });
}

function prepare(deps: ApiDeps, principal: Principal, body: JsonValue, loc: Loc): Prepared {
  const read = readAssert(body, loc);
  if (!read.ok) return { refusal: read.error };
  const { garden_id, interpret_as } = read.value.request;
  if (interpret_as === 'instruction' && !permits(principal.party, 'instruction:write')) {
    return { refusal: INSTRUCTION_DENIED };
  }
  if (garden_id !== null && !deps.gardens.includes(garden_id))
    return { refusal: { status: 404, detail: 'garden not found' } };
  return { ...read.value, loc };
}

/** Holds back writes into scopes read in this session that do not say what they were made from. */
async function guard(
  deps: ApiDeps,
  sessions: Sessions,
  session: string,
  principal: Principal,
  items: readonly Prepared[],
): Promise<readonly Prepared[]> {
  const checked: Prepared[] = [];
  for (const item of items) {
    const isHeld = !('refusal' in item) && sessions.hasRead(principal.party.id, session, item.request.scope);
    if (!isHeld || (await hasProvenance(deps, item))) checked.push(item);
    else checked.push({ refusal: provenanceRequired(session, item.request.scope) });
  }
  return checked;
}

async function hasProvenance(deps: ApiDeps, item: ReadAssert): Promise<boolean> {
  if (item.writeMode !== 'summarize_with_provenance') return false;
  for (const source of item.request.derived_from) {
    const found = await deps.reader.fact(source);
    if (found.kind === 'found' && found.fact.entry.scope === item.request.scope) return true;
  }
  return false;
}

function resultOf(item: Ready, outcome: AssertOutcome): Result {
  if (outcome.kind === 'refused') return { refusal: assertRefusal(outcome.refusal, item.request, item.loc) };
  const warnings = [
    ...outcome.warnings,
    ...item.warnings,
    ...(outcome.repeated ? ignoredInRepeat(item.request, outcome) : []),
  ];
  return { text: factRecordText(outcome.fact, warnings), repeated: outcome.repeated };
}

/** What the CID leaves out does not make a new fact; the reference drops a difference there without a word. */
function ignoredInRepeat(
  request: AssertRequest,
  { fact }: Extract<AssertOutcome, { kind: 'stored' }>,
): readonly string[] {
  const { entry } = fact;
  const differs: readonly [string, boolean][] = [
    ['valid_until', request.valid_until !== entry.valid_until],
    ['interpret_as', request.interpret_as !== entry.interpret_as],
    ['garden_id', request.garden_id !== entry.garden_id],
    ['derived_from', request.derived_from.join('\n') !== entry.derived_from.join('\n')],
  ];
  return differs
    .filter(([, isOther]) => isOther)
    .map(([name]) => `this fact exists already; the ${name} of the repeat was ignored`);
}

function batchAnswer(results: readonly Result[]): Response {
  const texts = results.map((result, index) => {
    if (!('refusal' in result))
      return `{"index":${index},"status":201,"repeated":${result.repeated},"fact":${result.text}}`;
    return JSON.stringify({ index, status: result.refusal.status, detail: result.refusal.detail });
  });
  const count = (test: (result: Result) => boolean): number => results.filter(test).length;
  const refusals = count((result) => 'refusal' in result);
  const repeats = count((result) => 'text' in result && result.repeated);
  const sums = `"stored":${results.length - refusals - repeats},"repeated":${repeats},"refused":${refusals}`;
  return jsonText(refusals === 0 ? 201 : 207, `{"results":[${texts.join(',')}],${sums}}`);
}
