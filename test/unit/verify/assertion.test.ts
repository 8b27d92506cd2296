import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeCid } from '../../../src/core/cid.ts';
import { type JsonValue, parseJson } from '../../../src/core/json.ts';
import {
  type AssertCode,
  type AssertContext,
  type AssertRequest,
  type VerifiedAssertion,
  verifyAssertion,
} from '../../../src/verify/assertion.ts';

const CTX: AssertContext = {
  nodeAuthority: 'acme.example',
  nowMs: 1_767_225_600_000,
  maxValueBytes: 65_536,
  mayWriteInstructions: false,
};

const PLAIN: AssertRequest = {
  entity: 'stigmem://acme.example/service/pay',
  relation: 'memory:status',
  value_type: 'text',
  value: 'up',
  source: 'stigmem://acme.example/agent/a1',
  confidence: 1,
  scope: 'public',
  valid_until: null,
  garden_id: null,
  derived_from: [],
  attestation: null,
  interpret_as: 'content',
};

function json(text: string): JsonValue {
  const parsed = parseJson(text);
  assert.ok(parsed.ok);
  return parsed.value;
}

function verified(change: Partial<AssertRequest> = {}, ctx: Partial<AssertContext> = {}): VerifiedAssertion {
  const result = verifyAssertion({ ...PLAIN, ...change }, { ...CTX, ...ctx });
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error));
  return result.value;
}

test('a plain fact', () => {
  const { kind, body, cid, feed, warnings, interpret_as } = verified();
  assert.deepEqual(body, {
    confidence: 1,
    entity: PLAIN.entity,
    relation: PLAIN.relation,
    scope: 'public',
    source: PLAIN.source,
    value_type: 'text',
    value_v: 'up',
  });
  assert.deepEqual([kind, cid, feed, warnings, interpret_as], ['own', computeCid(body), 'public', [], 'content']);
});

test('entity and source are normalized, the relation is not', () => {
  const { body } = verified({
    entity: '  stigmem://ACME.example/Service/Pay Roll ',
    source: 'STIGMEM Agent',
    relation: 'Memory:Status',
    scope: 'local',
  });
  assert.equal(body.entity, 'stigmem://acme.example/service/pay-roll');
  assert.equal(body.source, 'stigmem-agent');
  assert.equal(body.relation, 'Memory:Status');
});

const VALUES: readonly (readonly [string, string, string])[] = [
  ['number', '3', '3'],
  ['number', '3.0', '3.0'],
  ['number', '9007199254740993', '9007199254740993'],
  ['number', '-0', '0'],
  ['number', '"NaN"', 'NaN'],
  ['boolean', '"false"', 'true'],
  ['boolean', '0', 'false'],
  ['boolean', 'NaN', 'true'],
  ['null', '"x"', 'null'],
  ['text', 'null', 'None'],
  ['text', '[1,"a",null,true]', "[1, 'a', None, True]"],
];
for (const [type, value, text] of VALUES) {
  test(`${type} ${value} is ${text}`, () => {
    assert.equal(verified({ value_type: type, value: json(value) }).body.value_v, text);
  });
}

test('an integer of any length is finite', () => {
  const digits = '9'.repeat(400);
  assert.equal(verified({ value_type: 'number', value: json(digits) }).body.value_v, digits);
});

test('confidence -0.0 becomes 0.0', () => {
  const { body, cid } = verified({ confidence: -0 });
  assert.ok(Object.is(body.confidence, 0));
  assert.equal(cid, verified({ confidence: 0 }).cid);
});

const REFUSED: readonly (readonly [string, Partial<AssertRequest>, AssertCode, keyof AssertRequest])[] = [
  ['an empty entity', { entity: '  ' }, 'invalid_entity_uri', 'entity'],
  ['an entity with an empty part', { entity: 'stigmem://acme.example/ /x' }, 'invalid_entity_uri', 'entity'],
  ['an empty source', { source: '' }, 'invalid_source_uri', 'source'],
  ['an empty relation', { relation: ' ' }, 'relation_empty', 'relation'],
  ['a reserved entity', { entity: 'stigmem:node:1' }, 'namespace_reserved', 'entity'],
  ['a reserved entity in capitals', { entity: 'Stigmem:node:1' }, 'namespace_reserved', 'entity'],
  ['a lone surrogate in the entity', { entity: 'x\ud800' }, 'text_not_utf8', 'entity'],
  ['a lone surrogate in the relation', { relation: 'x\udc00' }, 'text_not_utf8', 'relation'],
  ['a lone surrogate in the value', { value: 'x\ud800' }, 'text_not_utf8', 'value'],
  ['an entity of 2049 bytes', { entity: 'e'.repeat(2049) }, 'name_too_long', 'entity'],
  ['an entity that grows when it is normalized', { entity: 'İ'.repeat(1000) }, 'name_too_long', 'entity'],
  ['a relation of 2049 bytes', { relation: 'é'.repeat(1024).concat('x') }, 'name_too_long', 'relation'],
  ['a value too large', { value: 'é'.repeat(32_768).concat('x') }, 'value_too_large', 'value'],
  ['an unknown type', { value_type: 'blob' }, 'value_type_unknown', 'value_type'],
  ['NaN', { value_type: 'number', value: json('NaN') }, 'value_not_finite', 'value'],
  ['-Infinity', { value_type: 'number', value: json('-Infinity') }, 'value_not_finite', 'value'],
  ['a number beyond doubles', { value_type: 'number', value: json('1e400') }, 'value_not_finite', 'value'],
  ['Infinity deep inside', { value_type: 'text', value: json('[{"a":[Infinity]}]') }, 'value_not_finite', 'value'],
  ['confidence above 1', { confidence: 1.000001 }, 'confidence_out_of_range', 'confidence'],
  ['confidence below 0', { confidence: -1e-9 }, 'confidence_out_of_range', 'confidence'],
  ['confidence NaN', { confidence: Number.NaN }, 'confidence_out_of_range', 'confidence'],
  ['an unknown scope', { scope: 'galaxy' }, 'scope_unknown', 'scope'],
  ['a garden in capitals', { garden_id: 'Incident' }, 'garden_malformed', 'garden_id'],
  ['a garden with a slash', { garden_id: 'a/b' }, 'garden_malformed', 'garden_id'],
  ['a garden of 65 characters', { garden_id: 'g'.repeat(65) }, 'garden_malformed', 'garden_id'],
  ['a life that is no date', { valid_until: 'tomorrow' }, 'valid_until_malformed', 'valid_until'],
  [
    'a life as long as a novel',
    { valid_until: `2027-01-01T00:00:00.${'0'.repeat(300)}` },
    'name_too_long',
    'valid_until',
  ],
  ['65 sources', { derived_from: Array.from({ length: 65 }, () => 'f') }, 'derived_from_malformed', 'derived_from'],
  ['an empty source id', { derived_from: [''] }, 'derived_from_malformed', 'derived_from'],
  ['a source id with a lone surrogate', { derived_from: ['\ud800'] }, 'derived_from_malformed', 'derived_from'],
  [
    'an attestation without key',
    { attestation: { key_id: '', signature: 's' } },
    'attestation_malformed',
    'attestation',
  ],
  [
    'an attestation too long',
    { attestation: { key_id: 'k', signature: 's'.repeat(2049) } },
    'attestation_malformed',
    'attestation',
  ],
  ['another interpretation', { interpret_as: 'command' }, 'interpretation_invalid', 'interpret_as'],
  ['an instruction without permission', { interpret_as: 'instruction' }, 'instruction_write_required', 'interpret_as'],
  ['one that its relation makes', { relation: 'instruction:deploy' }, 'instruction_write_required', 'relation'],
  ['one that its entity makes', { entity: ' instruction:deploy' }, 'instruction_write_required', 'entity'],
];
for (const [name, change, code, field] of REFUSED) {
  test(`${name}: ${code}`, () => {
    const result = verifyAssertion({ ...PLAIN, ...change }, CTX);
    assert.ok(!result.ok, 'taken');
    assert.deepEqual([result.error.code, result.error.field], [code, field]);
    assert.ok(result.error.message.length > 0 && result.error.message.length < 300);
  });
}

test('the limits themselves are taken', () => {
  verified({ value: 'é'.repeat(32_768), relation: 'r'.repeat(2048), garden_id: 'g'.repeat(64) });
  verified({ derived_from: Array.from({ length: 64 }, () => 'f'.repeat(256)), valid_until: '2027-01-01' });
});

test('a fact that would not fit into an entry', () => {
  const escaped = {
    value: '\u0001'.repeat(65_536),
    derived_from: Array.from({ length: 64 }, () => '\u0001'.repeat(256)),
  };
  const long = {
    entity: `e${'\u0001'.repeat(2047)}`,
    relation: '\u0001'.repeat(2048),
    source: `s${'\u0001'.repeat(2047)}`,
  };
  const result = verifyAssertion({ ...PLAIN, ...escaped, ...long }, CTX);
  assert.deepEqual([result.ok, !result.ok && result.error.code], [false, 'value_too_large']);
  verified({ value: escaped.value });
});

test('gardens name a feed of their own', () => {
  assert.equal(verified({ scope: 'company', garden_id: 'incident-42' }).feed, 'company/incident-42');
});

test('what peers would hide as an instruction needs the permission, whatever it calls itself', () => {
  for (const more of [
    { relation: 'instruction:deploy' },
    { entity: 'instruction:deploy' },
    { entity: ' instruction:x' },
  ])
    for (const mayWriteInstructions of [false, true]) {
      const result = verifyAssertion({ ...PLAIN, ...more }, { ...CTX, mayWriteInstructions });
      assert.equal(
        result.ok ? 'taken' : result.error.code,
        mayWriteInstructions ? 'taken' : 'instruction_write_required',
      );
    }
});

test('an instruction with permission', () => {
  assert.equal(verified({ interpret_as: 'instruction' }, { mayWriteInstructions: true }).interpret_as, 'instruction');
});

test('warnings: what is taken here and surprises elsewhere', () => {
  assert.match(verified({ relation: 'status' }).warnings.join(), /^bare relation 'status' has no namespace prefix/);
  assert.match(
    verified({ relation: 'stigmem:x' }).warnings.join(),
    /^relation 'stigmem:x' uses reserved system prefix/,
  );
  assert.match(
    verified({ source: 'user:alice' }).warnings.join(),
    /^source 'user:alice' does not belong to acme\.example/,
  );
  assert.match(verified({ source: 'stigmem://b.example/a/b' }).warnings.join(), /peers refuse it/);
  assert.deepEqual(verified({ source: 'user:alice', scope: 'local' }).warnings, []);
});
