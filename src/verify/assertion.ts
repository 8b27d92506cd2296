import { computeCid, type FactBody } from '../core/cid.ts';
import { normalizeEntity } from '../core/entity.ts';
import type { Entry } from '../core/entry.ts';
import { isInstruction } from '../core/instruction.ts';
import { isJsonNumber, isJsonObject, type JsonValue } from '../core/json.ts';
import { MAX_DERIVED_FROM, MAX_ENTRY_BYTES, MAX_ID_BYTES, MAX_NAME_BYTES } from '../core/limits.ts';
import { authorityOf } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { feedOf, isScope } from '../core/scope.ts';
import { parseIsoInstant } from '../core/time.ts';
import { encodeValue, isValueType } from '../core/value.ts';
import { isReserved } from './entry-rules.ts';

/** A fact that an application of this node wants to assert, as it came through the API, a file or the command line. */
export interface AssertRequest {
  readonly entity: string;
  readonly relation: string;
  readonly value_type: string;
  /** Parsed with number literals kept: `3` and `3.0` are different facts. */
  readonly value: JsonValue;
  readonly source: string;
  readonly confidence: number;
  readonly scope: string;
  readonly valid_until: string | null;
  readonly garden_id: string | null;
  readonly derived_from: readonly string[];
  readonly attestation: Entry['attestation'];
  readonly interpret_as: string;
}

export interface AssertContext {
  /** Authority of this node, e.g. `acme.example`. */
  readonly nodeAuthority: string;
  readonly nowMs: number;
  /** UTF-8 bytes */
  readonly maxValueBytes: number;
  readonly mayWriteInstructions: boolean;
}

/** A public contract, like the codes of `core/verdict.ts`; the API puts them into its error bodies. */
export type AssertCode =
  | 'invalid_entity_uri'
  | 'invalid_source_uri'
  | 'relation_empty'
  | 'namespace_reserved'
  | 'text_not_utf8'
  | 'name_too_long'
  | 'value_too_large'
  | 'value_type_unknown'
  | 'value_not_finite'
  | 'confidence_out_of_range'
  | 'scope_unknown'
  | 'garden_malformed'
  | 'valid_until_malformed'
  | 'derived_from_malformed'
  | 'derived_from_quarantined'
  | 'attestation_malformed'
  | 'interpretation_invalid'
  | 'instruction_write_required';

export interface AssertRefusal {
  readonly code: AssertCode;
  /** For people; says what would be accepted. */
  readonly message: string;
  /** Member of the request. */
  readonly field: keyof AssertRequest;
}

const VERIFIED: unique symbol = Symbol('verified assertion');

/** A fact of our own that the journal may append. Only {@link verifyAssertion} makes one. */
export interface VerifiedAssertion {
  readonly [VERIFIED]: true;
  readonly kind: 'own';
  readonly body: FactBody;
  readonly cid: string;
  readonly feed: string;
  readonly valid_until: string | null;
  readonly garden_id: string | null;
  readonly derived_from: readonly string[];
  readonly attestation: Entry['attestation'];
  readonly interpret_as: 'content' | 'instruction';
  /** For people; the fact is taken all the same. */
  readonly warnings: readonly string[];
}

const GARDEN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/**
 * Applies every rule that a fact of our own has to pass, and brings it into the form that is hashed: entity and source
 * normalized, value as text. Pure and total. What passes here passes the rules of a peer too, except where a warning
 * says otherwise.
 */
export function verifyAssertion(request: AssertRequest, ctx: AssertContext): Result<VerifiedAssertion, AssertRefusal> {
  const malformed = checkTexts(request) ?? checkTerms(request) ?? checkReferences(request);
  if (malformed !== null) return err(malformed);

  const body = bodyOf(request, ctx);
  if (!body.ok) return body;
  const untyped = checkInstruction(body.value, request, ctx);
  if (untyped !== null) return err(untyped);
  // Lower case can take more bytes than upper case, so the normalized names are measured too.
  const tooLong = checkTexts({ ...request, entity: body.value.entity, source: body.value.source });
  if (tooLong !== null) return err(tooLong);
  if (entryBytes(body.value, request) > MAX_ENTRY_BYTES)
    return refuse('value_too_large', 'value', `the fact as a whole is longer than ${MAX_ENTRY_BYTES} bytes`);
  const { valid_until, garden_id, derived_from, attestation } = request;
  const feed = feedOf({ scope: body.value.scope, garden_id });
  if (!feed.ok) return refuse('garden_malformed', 'garden_id', 'the garden does not name a feed');
  return ok({
    [VERIFIED]: true,
    kind: 'own',
    body: body.value,
    cid: computeCid(body.value),
    feed: feed.value,
    valid_until,
    garden_id,
    derived_from,
    attestation,
    interpret_as: request.interpret_as === 'instruction' ? 'instruction' : 'content',
    warnings: warningsFor(body.value, ctx),
  });
}

const TEXTS = [
  'entity',
  'relation',
  'value_type',
  'source',
  'scope',
  'valid_until',
  'garden_id',
  'interpret_as',
] as const;

/** A lone surrogate has no UTF-8 form: no hash of such a text exists. */
function checkTexts(request: AssertRequest): AssertRefusal | null {
  for (const field of TEXTS) {
    const text = request[field];
    if (text === null) continue;
    if (!text.isWellFormed()) return refusal('text_not_utf8', field, `${field} holds a lone surrogate`);
    const limit = field === 'valid_until' ? MAX_ID_BYTES : MAX_NAME_BYTES;
    if (Buffer.byteLength(text, 'utf8') > limit)
      return refusal('name_too_long', field, `${field} is longer than ${limit} bytes`);
  }
  return null;
}

function checkTerms(request: AssertRequest): AssertRefusal | null {
  const { relation, value_type, confidence, scope, interpret_as } = request;
  if (relation.trim() === '') return refusal('relation_empty', 'relation', 'relation is empty');
  if (!isValueType(value_type))
    return refusal('value_type_unknown', 'value_type', `unknown value type ${quoted(value_type)}`);
  if (!isScope(scope))
    return refusal('scope_unknown', 'scope', `scope is local, team, company or public, not ${quoted(scope)}`);
  if (!(confidence >= 0 && confidence <= 1))
    return refusal('confidence_out_of_range', 'confidence', `confidence is a number from 0 to 1, not ${confidence}`);
  if (interpret_as !== 'content' && interpret_as !== 'instruction')
    return refusal(
      'interpretation_invalid',
      'interpret_as',
      `interpret_as is content or instruction, not ${quoted(interpret_as)}`,
    );
  return null;
}

/** Judged as it will be stored: what peers would hide as an instruction is one here, whatever it calls itself. */
function checkInstruction(
  { entity, relation }: FactBody,
  { interpret_as }: AssertRequest,
  ctx: AssertContext,
): AssertRefusal | null {
  if (ctx.mayWriteInstructions || !isInstruction({ entity, relation, interpret_as })) return null;
  const field =
    interpret_as === 'instruction' ? 'interpret_as' : relation.startsWith('instruction:') ? 'relation' : 'entity';
  return refusal('instruction_write_required', field, 'instruction:write permission required');
}

function checkReferences(request: AssertRequest): AssertRefusal | null {
  const { valid_until, garden_id, derived_from, attestation } = request;
  if (valid_until !== null && !parseIsoInstant(valid_until).ok)
    return refusal(
      'valid_until_malformed',
      'valid_until',
      `valid_until is not an ISO 8601 date and time: ${quoted(valid_until)}`,
    );
  if (garden_id !== null && !GARDEN.test(garden_id))
    return refusal(
      'garden_malformed',
      'garden_id',
      'a garden id is 1 to 64 of a-z 0-9 . _ -, and starts with a letter or digit',
    );
  if (derived_from.length > MAX_DERIVED_FROM || !derived_from.every(isId))
    return refusal(
      'derived_from_malformed',
      'derived_from',
      `derived_from is at most ${MAX_DERIVED_FROM} fact ids or CIDs`,
    );
  if (attestation !== null && !(isId(attestation.key_id) && isSignature(attestation.signature)))
    return refusal('attestation_malformed', 'attestation', 'attestation needs a key_id and a signature');
  return null;
}

function isId(text: string): boolean {
  return text.length > 0 && text.isWellFormed() && Buffer.byteLength(text, 'utf8') <= MAX_ID_BYTES;
}

function isSignature(text: string): boolean {
  return text.length > 0 && text.isWellFormed() && Buffer.byteLength(text, 'utf8') <= MAX_NAME_BYTES;
}

/** Most bytes of an entry that are not texts of the request: hashes, times, ids and the names of its members. */
const FIXED_BYTES = 2_048;
/** A control character of one byte is escaped as six. */
const MAX_BYTES_PER_UNIT = 6;

/** At least as many bytes as the entry of a fact will have; 0 where they cannot be too many. */
function entryBytes(body: FactBody, { derived_from, attestation, valid_until }: AssertRequest): number {
  const texts = [body.value_v, body.entity, body.relation, body.source, valid_until ?? '', ...derived_from];
  if (attestation !== null) texts.push(attestation.key_id, attestation.signature);
  const units = texts.reduce((sum, text) => sum + text.length, FIXED_BYTES);
  if (units * MAX_BYTES_PER_UNIT <= MAX_ENTRY_BYTES) return 0;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(JSON.stringify(text), 'utf8'), FIXED_BYTES);
}

function bodyOf(request: AssertRequest, ctx: AssertContext): Result<FactBody, AssertRefusal> {
  const entity = normalizeEntity(request.entity);
  if (!entity.ok) return refuse('invalid_entity_uri', 'entity', `invalid_entity_uri: ${entity.error}`);
  if (isReserved(entity.value))
    return refuse('namespace_reserved', 'entity', 'entities under stigmem: are the node’s own');
  const source = normalizeEntity(request.source);
  if (!source.ok) return refuse('invalid_source_uri', 'source', `invalid_entity_uri: ${source.error}`);

  // The type decides alone for these two, whatever the value is.
  const isValueUsed = request.value_type !== 'null' && request.value_type !== 'boolean';
  if (isValueUsed && !isFiniteValue(request.value))
    return refuse('value_not_finite', 'value', 'NaN and infinite numbers cannot be asserted');
  const value = encodeValue(request.value_type, request.value);
  if (!value.ok) return refuse('text_not_utf8', 'value', 'value holds a lone surrogate');
  if (Buffer.byteLength(value.value, 'utf8') > ctx.maxValueBytes)
    return refuse('value_too_large', 'value', `value is longer than ${ctx.maxValueBytes} bytes`);

  const { relation, scope, value_type } = request;
  // Storage returns -0.0 as 0.0, and the CID of the one is not that of the other.
  const confidence = request.confidence === 0 ? 0 : request.confidence;
  return ok({
    confidence,
    entity: entity.value,
    relation,
    scope,
    source: source.value,
    value_type,
    value_v: value.value,
  });
}

/** Recursion is as deep as the value, which the JSON reader bounds. */
function isFiniteValue(value: JsonValue): boolean {
  if (isJsonNumber(value)) return isInteger(value.lexeme) || Number.isFinite(Number(value.lexeme));
  if (Array.isArray(value)) return value.every(isFiniteValue);
  return isJsonObject(value) ? [...value.values()].every(isFiniteValue) : true;
}

/** Integers keep their digits, so that none is too large to be finite. */
function isInteger(lexeme: string): boolean {
  return /^-?[0-9]+$/.test(lexeme);
}

function warningsFor({ relation, scope, source }: FactBody, ctx: AssertContext): string[] {
  const warnings: string[] = [];
  if (!relation.includes(':'))
    warnings.push(
      `bare relation '${relation}' has no namespace prefix; rename to 'your-prefix:${relation}' to prevent silent collisions`,
    );
  if (isReserved(relation))
    warnings.push(`relation '${relation}' uses reserved system prefix 'stigmem:'; peers refuse it`);
  if (scope !== 'local' && authorityOf(source) !== ctx.nodeAuthority)
    warnings.push(
      `source '${source}' does not belong to ${ctx.nodeAuthority}; peers refuse it unless they grant its namespace`,
    );
  return warnings;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

function refusal(code: AssertCode, field: keyof AssertRequest, message: string): AssertRefusal {
  return { code, message, field };
}

function refuse(
  code: AssertCode,
  field: keyof AssertRequest,
  message: string,
): { readonly ok: false; readonly error: AssertRefusal } {
  return err(refusal(code, field, message));
}
