import assert from 'node:assert/strict';
import { cidBody, computeCid, type FactBody, isCid, looksLikeCid, tryComputeCid } from '../../src/core/cid.ts';
import { isJsonObject, type JsonObject, jsonText, parseJson } from '../../src/core/json.ts';
import { pythonFloatText } from '../../src/core/python-text.ts';
import { candidateValueTexts, readAssertRequest, referenceWireValue } from '../../src/core/reference/assert-fact.ts';
import { readInboundFact } from '../../src/core/reference/inbound-fact.ts';
import { pythonFloatOf } from '../../src/core/reference/python-number.ts';
import { decodeValue, encodeValue } from '../../src/core/value.ts';
import { runVectors } from './run-vectors.ts';

type Text = Omit<FactBody, 'confidence'>;
interface Compute {
  input: Text;
  confidence_literal: string;
  expected: { error?: string; confidence_text: string; canonical: string; canonical_bytes: number; cid: string };
}
interface Inbound {
  fact_json: string;
  expected: { error?: string; value_v: string; confidence_text: string; canonical: string; cid: string };
}
interface Row {
  row: Text & { value_v: string | null; confidence: number };
  confidence_text: string;
  expected: { cid: string };
}
interface Assert {
  request_json: string;
  expected: {
    status: number;
    entity: string;
    source: string;
    value_v: string;
    confidence_text_after_db: string;
    cid: string;
    response_v_text: string;
    cid_matches_stored_row: boolean;
    survives_reference_federation: boolean;
    receiver_computed_cid?: string;
    python_sdk_cid?: string;
  };
}

runVectors('cid', {
  compute({ input, confidence_literal, expected }: Compute) {
    const literal = parseJson(confidence_literal);
    assert.ok(literal.ok);
    const confidence = pythonFloatOf(literal.value);
    assert.ok(confidence.ok);
    const body = { ...input, confidence: confidence.value };
    if (expected.error !== undefined) {
      assert.deepEqual(tryComputeCid(body), { ok: false, error: expected.error });
      assert.throws(() => computeCid(body), { code: 'not_encodable_as_utf8' });
      return;
    }
    assert.equal(pythonFloatText(confidence.value), expected.confidence_text);
    assert.equal(cidBody(body), expected.canonical);
    assert.equal(Buffer.byteLength(cidBody(body)), expected.canonical_bytes);
    assert.equal(computeCid(body), expected.cid);
  },

  inbound({ fact_json, expected }: Inbound) {
    const parsed = parseJson(fact_json);
    if (expected.error === 'json_parse') return assert.equal(parsed.ok, false);
    const fact = readInboundFact(objectOf(fact_json));
    if (expected.error !== undefined) return assert.equal(fact.ok, false);
    assert.ok(fact.ok);
    assert.equal(fact.value.body.value_v, expected.value_v);
    assert.equal(pythonFloatText(fact.value.body.confidence), expected.confidence_text);
    assert.equal(cidBody(fact.value.body), expected.canonical);
    assert.equal(fact.value.cid, expected.cid);
  },

  assert({ request_json, expected }: Assert) {
    const request = objectOf(request_json);
    const asserted = readAssertRequest(request);
    if (!asserted.ok) {
      const status = { invalid: 422, entity_malformed: 400, unserializable: 500 }[asserted.error];
      return assert.equal(status, expected.status);
    }
    assert.equal(expected.status, 201);
    const { body, cid, storedConfidence } = asserted.value;
    assert.equal(body.entity, expected.entity);
    assert.equal(body.source, expected.source);
    assert.equal(body.value_v, expected.value_v);
    assert.equal(cid, expected.cid);
    const stored = { ...body, confidence: storedConfidence };
    assert.equal(pythonFloatText(storedConfidence), expected.confidence_text_after_db);
    assert.equal(computeCid(stored) === cid, expected.cid_matches_stored_row);
    assertWire(stored, cid, expected);
  },

  row({ row, confidence_text, expected }: Row) {
    const body = { ...row, value_v: row.value_v ?? '' };
    assert.equal(pythonFloatText(row.confidence), confidence_text);
    assert.equal(computeCid(body), expected.cid);
  },

  syntax({ text, expected }: { text: string; expected: { is_cid: boolean; is_valid_cid: boolean } }) {
    assert.equal(looksLikeCid(text), expected.is_cid);
    // The reference takes one trailing newline for part of a CID; we do not.
    assert.equal(isCid(text), expected.is_valid_cid && !text.endsWith('\n'));
  },
});

/** What became of the value on the reference's wire, and what our own wire form does to it. */
function assertWire(stored: FactBody, cid: string, expected: Assert['expected']): void {
  const onWire = jsonText(referenceWireValue(stored.value_type, stored.value_v));
  assert.equal(onWire, expected.response_v_text);
  const sent = parseJson(expected.response_v_text);
  assert.ok(sent.ok);
  const received = encodeValue(stored.value_type, sent.value);
  assert.ok(received.ok);
  const receivedCid = computeCid({ ...stored, value_v: received.value });
  assert.equal(receivedCid === cid, expected.survives_reference_federation);
  assert.equal(receivedCid, expected.receiver_computed_cid ?? receivedCid);
  assert.equal(receivedCid, expected.python_sdk_cid ?? receivedCid);

  const ours = parseJson(jsonText(decodeValue(stored.value_type, stored.value_v)));
  assert.ok(ours.ok);
  assert.deepEqual(encodeValue(stored.value_type, ours.value), { ok: true, value: stored.value_v });
  if (stored.value_type === 'number' && /^(?:-?[0-9]{1,15}|nan|-?inf)$/.test(stored.value_v)) {
    assert.ok(candidateValueTexts('number', sent.value).includes(stored.value_v));
  }
}

function objectOf(text: string): JsonObject {
  const parsed = parseJson(text);
  assert.ok(parsed.ok && isJsonObject(parsed.value));
  return parsed.value;
}
