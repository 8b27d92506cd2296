import { type CidText, type FactBody, tryComputeCid } from '../cid.ts';
import { normalizeEntity } from '../entity.ts';
import { isJsonNumber, isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '../json.ts';
import { pythonFloatText } from '../python-text.ts';
import { err, ok, type Result } from '../result.ts';
import { isScope } from '../scope.ts';
import { encodeValue, isValueType } from '../value.ts';
import { parsePythonFloat, pythonFloatOf } from './python-number.ts';

export interface AssertedFact {
  /** What the CID covers; confidence as asserted, `-0.0` included. */
  readonly body: FactBody;
  readonly cid: CidText;
  /** Confidence as a SQLite REAL column returns it: `-0.0` has become `0.0`, and the CID no longer fits. */
  readonly storedConfidence: number;
}

/** `invalid`: the schema (HTTP 422). `entity_malformed`: 400. `unserializable`: the reference fails with a 500. */
export type AssertError = 'invalid' | 'entity_malformed' | 'unserializable';

/** What the reference makes of the body of `POST /v1/facts`, as far as the CID is concerned. */
export function readAssertRequest(request: JsonObject): Result<AssertedFact, AssertError> {
  const value = request.get('value');
  const type = isJsonObject(value) ? value.get('type') : undefined;
  const scope = request.has('scope') ? request.get('scope') : 'local';
  const [entity, relation, source] = [text(request, 'entity'), text(request, 'relation'), text(request, 'source')];
  const confidence = confidenceOf(request);
  if (!isJsonObject(value) || typeof type !== 'string' || !isValueType(type) || confidence === null)
    return err('invalid');
  if (typeof scope !== 'string' || !isScope(scope) || entity === null || relation === null || source === null)
    return err('invalid');

  const [normalEntity, normalSource] = [normalizeEntity(entity), normalizeEntity(source)];
  if (!normalEntity.ok || !normalSource.ok) return err('entity_malformed');
  const value_v = encodeValue(type, value.get('v'));
  if (!value_v.ok || !canBeSentBack(type, value_v.value)) return err('unserializable');

  const body: FactBody = {
    confidence,
    entity: normalEntity.value,
    relation,
    scope,
    source: normalSource.value,
    value_type: type,
    value_v: value_v.value,
  };
  const cid = tryComputeCid(body);
  if (!cid.ok) return err('unserializable');
  return ok({ body, cid: cid.value, storedConfidence: confidence + 0 });
}

function text(request: JsonObject, key: string): string | null {
  const value = request.get(key);
  return typeof value === 'string' && value !== '' ? value : null;
}

function confidenceOf(request: JsonObject): number | null {
  if (!request.has('confidence')) return 1;
  const x = pythonFloatOf(request.get('confidence') ?? null);
  return x.ok && x.value >= 0 && x.value <= 1 ? x.value : null;
}

function canBeSentBack(type: string, valueV: string): boolean {
  return type !== 'number' || parsePythonFloat(valueV).ok;
}

/**
 * The value that the reference itself puts on its wire: numbers have become floats, whatever they were. Not for
 * sending; see `decodeValue`. @throws nothing: text that is no number, which the reference cannot send, is null
 */
export function referenceWireValue(type: string, valueV: string): JsonValue {
  if (type === 'null') return null;
  if (type === 'boolean') return valueV === 'true';
  if (type !== 'number') return valueV;
  const x = parsePythonFloat(valueV);
  return x.ok && Number.isFinite(x.value) ? new JsonNumber(pydanticFloatText(x.value)) : null;
}

/** Pydantic prints like Python, but positionally down to 1e-05, and negative exponents without a leading zero. */
function pydanticFloatText(x: number): string {
  const size = Math.abs(x);
  if (size >= 1e-5 && size < 1e-4) return `${x}`;
  return pythonFloatText(x).replace(/e-0/, 'e-');
}

/**
 * The texts that a number may have had before a reference node sent it as a float: the literal is lost on its wire,
 * so a receiver tries these and lets the CID decide. Most likely first.
 */
export function candidateValueTexts(type: string, v: JsonValue): string[] {
  if (type === 'number' && v === null) return ['nan', 'inf', '-inf'];
  if (type !== 'number' || !isJsonNumber(v)) {
    const encoded = encodeValue(type, v);
    return encoded.ok ? [encoded.value] : [];
  }
  const encoded = encodeValue(type, v);
  const x = Number(v.lexeme);
  const texts = new Set(encoded.ok ? [encoded.value] : []);
  if (Number.isFinite(x)) {
    texts.add(pythonFloatText(x));
    if (Number.isInteger(x)) texts.add(BigInt(x).toString());
  }
  return [...texts];
}
