/** From one fact of a request body to what the writer takes. */
import { normalizeEntity } from '../../core/entity.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { AssertRefusal, AssertRequest } from '../../verify/assertion.ts';
import { echo, fieldErrors, valueError } from './field-errors.ts';
import { plain } from './plain-json.ts';
import { invalid, type Refusal } from './responses.ts';
import { ASSERT_BODY, type AssertBody } from './schemas.ts';

export interface ReadAssert {
  readonly request: AssertRequest;
  readonly writeMode: string;
  /** Members that nobody reads: more often a misspelling than an extension. */
  readonly warnings: readonly string[];
}

type Loc = readonly (string | number)[];

const MEMBERS: ReadonlySet<string> = new Set([
  'entity',
  'relation',
  'value',
  'source',
  'confidence',
  'scope',
  'valid_until',
  'garden_id',
  'write_mode',
  'derived_from',
  'attestation',
]);
const NUMERIC_TEXT = /^\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*$/;

/**
 * Checks the shape of one fact; what its parts may say is for `verifyAssertion`.
 * @param loc where the fact stands in the request, for the error list
 */
export function readAssert(body: JsonValue, loc: Loc): Result<ReadAssert, Refusal> {
  const plain = plainBody(body);
  const parsed = ASSERT_BODY.safeParse(plain);
  if (!parsed.success) return err({ status: 422, detail: fieldErrors(parsed.error, plain, loc) });
  const strange = isJsonObject(body) ? [...body.keys()].filter((name) => !MEMBERS.has(name)) : [];
  return ok({
    request: requestOf(parsed.data),
    writeMode: parsed.data.write_mode ?? 'assert',
    warnings: strange.slice(0, 8).map((name) => `member '${name.slice(0, 64)}' is unknown and was ignored`),
  });
}

function requestOf(body: AssertBody): AssertRequest {
  return {
    entity: body.entity,
    relation: body.relation,
    value_type: body.value.type,
    value: body.value.v ?? null,
    source: body.source,
    confidence: body.confidence ?? 1,
    scope: body.scope ?? 'local',
    valid_until: body.valid_until ?? null,
    garden_id: body.garden_id ?? null,
    derived_from: (body.derived_from ?? []).map((entry) => entry.fact_id ?? entry.hash ?? ''),
    attestation: body.attestation ?? null,
    interpret_as: body.value.interpret_as ?? 'content',
  };
}

/** The body as ordinary values for the schema to look at; only `value.v` keeps its number literals. */
function plainBody(body: JsonValue): unknown {
  if (!isJsonObject(body)) return plain(body);
  const out: Record<string, unknown> = {};
  for (const [name, member] of body) {
    if (name === 'value') out[name] = plainValue(member);
    else if (name === 'confidence') out[name] = laxNumber(member);
    else if (MEMBERS.has(name)) out[name] = plain(member);
  }
  return out;
}

function plainValue(value: JsonValue): unknown {
  if (!isJsonObject(value)) return plain(value);
  const out: Record<string, unknown> = {};
  for (const name of ['type', 'interpret_as']) {
    const member = value.get(name);
    if (member !== undefined) out[name] = plain(member);
  }
  if (value.has('v')) out['v'] = value.get('v');
  return out;
}

/** pydantic takes numeric text and booleans for a float; clients of the reference may rely on it. */
function laxNumber(value: JsonValue): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'string' && NUMERIC_TEXT.test(value) ? Number(value) : plain(value);
}

const FIELD_LOC: Readonly<Partial<Record<keyof AssertRequest, Loc>>> = {
  value_type: ['value', 'type'],
  value: ['value', 'v'],
  interpret_as: ['value', 'interpret_as'],
};

export const INSTRUCTION_DENIED: Refusal = {
  status: 403,
  detail: {
    code: 'instruction_write_required',
    message: 'writing instruction-typed facts requires instruction:write permission',
  },
};

/** The reference has no rule for these: the message says what makes the fact an instruction. */
const INSTRUCTION_NAMED: Refusal = {
  status: 403,
  detail: {
    code: 'instruction_write_required',
    message:
      'a fact whose relation or entity begins with instruction: is an instruction, as peers judge it: this requires instruction:write permission',
  },
};

/** The writer's refusal of a fact, as the reference words the like. */
export function assertRefusal(refusal: AssertRefusal, request: AssertRequest, loc: Loc): Refusal {
  if (refusal.code === 'instruction_write_required')
    return refusal.field === 'interpret_as' ? INSTRUCTION_DENIED : INSTRUCTION_NAMED;
  if (refusal.code === 'invalid_entity_uri' || refusal.code === 'invalid_source_uri') {
    return { status: 400, detail: uriFault(refusal.field === 'source' ? 'source' : 'entity', request) };
  }
  const given = refusal.field === 'value' ? null : echo(request[refusal.field]);
  const error = valueError([...loc, ...(FIELD_LOC[refusal.field] ?? [refusal.field])], refusal.message, given);
  return invalid({ ...error, ctx: { error: {}, code: refusal.code } });
}

function uriFault(field: 'entity' | 'source', request: AssertRequest): string {
  const normalized = normalizeEntity(request[field]);
  if (!normalized.ok && normalized.error === 'entity_empty')
    return `invalid_entity_uri: ${field} URI must not be empty`;
  return `invalid_entity_uri: ${field} URI has an empty part; stigmem://authority/type/id needs all three`;
}
