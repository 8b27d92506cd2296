import { type CidText, type FactBody, tryComputeCid } from '../cid.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { pythonStr } from '../python-text.ts';
import { err, ok, type Result } from '../result.ts';
import { encodeValue } from '../value.ts';
import { pythonFloatOf } from './python-number.ts';

export interface InboundFact {
  readonly body: FactBody;
  readonly cid: CidText;
}

export type InboundError = 'value_malformed' | 'confidence_malformed' | 'not_encodable_as_utf8';

/**
 * Derives from a fact as it arrived what the reference hashes on ingest: every member through `str()`, missing ones
 * empty, confidence through `float()`, nothing normalized.
 * @param fact as {@link import('../json.ts').parseJson} read it: the number literals matter
 */
export function readInboundFact(fact: JsonObject): Result<InboundFact, InboundError> {
  const value = fact.get('value');
  const type = isJsonObject(value) ? value.get('type') : undefined;
  if (!isJsonObject(value) || type === undefined) return err('value_malformed');
  const value_v = encodeValue(typeof type === 'string' ? type : '', value.get('v'));
  if (!value_v.ok) return value_v;
  const confidence = fact.has('confidence') ? pythonFloatOf(fact.get('confidence') ?? null) : ok(1);
  if (!confidence.ok) return err('confidence_malformed');
  const body: FactBody = {
    confidence: confidence.value,
    entity: strOrEmpty(fact.get('entity')),
    relation: strOrEmpty(fact.get('relation')),
    scope: strOrEmpty(fact.get('scope')),
    source: strOrEmpty(fact.get('source')),
    value_type: pythonStr(type),
    value_v: value_v.value,
  };
  const cid = tryComputeCid(body);
  return cid.ok ? ok({ body, cid: cid.value }) : cid;
}

function strOrEmpty(value: JsonValue | undefined): string {
  return value === undefined ? '' : pythonStr(value);
}
