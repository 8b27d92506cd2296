import { isJsonNumber, isJsonObject, JsonNumber, type JsonValue } from './json.ts';
import { isWellFormed, pythonFloatText, pythonStr } from './python-text.ts';
import { err, ok, type Result } from './result.ts';

/** The value types that a fact may be asserted with. Facts from peers may carry others; they are kept as text. */
export const VALUE_TYPES = ['string', 'text', 'number', 'boolean', 'datetime', 'ref', 'null'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

const PLAIN_INTEGER = /^(?:0|-?[1-9][0-9]*)$/;

/** Tells whether a text names one of {@link VALUE_TYPES}. */
export function isValueType(type: string): type is ValueType {
  return (VALUE_TYPES as readonly string[]).includes(type);
}

/**
 * Turns a fact's value into the text that is stored and hashed, as the Stigmem reference's `_encode_v` does: `null`
 * and booleans by declared type, everything else Python's `str()`. `undefined` stands for a missing `v`.
 * Refuses text that has no UTF-8 form.
 */
export function encodeValue(type: string, v: JsonValue | undefined): Result<string, 'not_encodable_as_utf8'> {
  if (type === 'null') return ok('null');
  if (type === 'boolean') return ok(isTruthy(v) ? 'true' : 'false');
  const text = pythonStr(v ?? null);
  return isWellFormed(text) ? ok(text) : err('not_encodable_as_utf8');
}

function isTruthy(v: JsonValue | undefined): boolean {
  if (v === undefined || v === null || v === false || v === '') return false;
  if (isJsonNumber(v)) return Number(v.lexeme) !== 0;
  if (isJsonObject(v)) return v.size > 0;
  return !Array.isArray(v) || v.length > 0;
}

/**
 * The JSON value to put on a wire for a stored text, such that a receiver who encodes it again gets the same text:
 * an integer or float literal where Python prints that literal back, otherwise a string. The reference itself always
 * sends a float here, which loses `5` (→ `5.0`) and breaks the fact's own CID; we never do.
 */
export function decodeValue(type: string, valueV: string): JsonValue {
  if (type === 'null') return null;
  if (type === 'boolean' && (valueV === 'true' || valueV === 'false')) return valueV === 'true';
  if (type !== 'number' || !survivesAsNumber(valueV)) return valueV;
  return new JsonNumber(valueV);
}

function survivesAsNumber(text: string): boolean {
  // Non-finite literals are not JSON; as a string they re-encode to themselves.
  if (PLAIN_INTEGER.test(text)) return text.length <= 4300;
  const x = Number(text);
  return Number.isFinite(x) && pythonFloatText(x) === text;
}
