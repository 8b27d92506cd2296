import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derivedText, factRecordText } from '../../../src/admin/api/fact-record.ts';
import type { Entry } from '../../../src/core/entry.ts';
import { isJsonObject, parseJson } from '../../../src/core/json.ts';
import { encodeValue } from '../../../src/core/value.ts';

const HASH = `sha256:${'a'.repeat(64)}`;
const ENTRY: Entry = {
  attestation: null,
  chain_hash: HASH,
  chain_seq: 1,
  cid: HASH,
  confidence: '1.0',
  created_at: '2026-01-01T00:00:00.000000+00:00',
  derived_from: [],
  entity: 'stigmem://a/b/c',
  event_hash: HASH,
  fact_id: 'f1',
  feed_seq: 1,
  garden_id: null,
  hlc: '1767225600000.000',
  interpret_as: 'content',
  origin: null,
  previous_hash: null,
  received_from: null,
  relation: 'x:y',
  scope: 'public',
  source: 'stigmem://a/agent/z',
  tenant_id: 'default',
  timestamp: '2026-01-01T00:00:00.000000+00:00',
  v: 1,
  valid_until: null,
  value_type: 'number',
  value_v: '5',
};

function record(entry: Partial<Entry>): string {
  return factRecordText({ entry: { ...ENTRY, ...entry }, contradicted: false, retracted: false, quarantine: null });
}

const MEMBERS =
  'id entity relation value source timestamp hlc received_from valid_until confidence scope attested_key_id origin_node_id origin_allowed_scopes garden_id attested contradicted warnings source_trust quarantine_status quarantine_garden_id effective_confidence sanitizer_warnings sanitizer_redacted cid derived_from';

test('the 26 members of the reference, in its order', () => {
  assert.deepEqual(Object.keys(JSON.parse(record({}))), MEMBERS.split(' '));
});

const NUMBERS: readonly [string, string][] = [
  ['5', '5'],
  ['5.0', '5.0'],
  ['-3', '-3'],
  ['9007199254740993', '9007199254740993'],
  ['1e+16', '1e+16'],
  ['1e-05', '1e-05'],
  ['nan', '"nan"'],
  ['inf', '"inf"'],
  ['1_000', '"1_000"'],
  [' 7 ', '" 7 "'],
  ['-0', '"-0"'],
  ['-0.0', '-0.0'],
  ['1.10', '"1.10"'],
  ['abc', '"abc"'],
];
for (const [stored, sent] of NUMBERS) {
  test(`number ${JSON.stringify(stored)} goes out as ${sent} and is the same fact when it is asserted again`, () => {
    const text = record({ value_v: stored });
    assert.ok(text.includes(`"v":${sent},`), text);
    const parsed = parseJson(text);
    assert.ok(parsed.ok && isJsonObject(parsed.value));
    const value = parsed.value.get('value');
    assert.ok(isJsonObject(value));
    assert.deepEqual(encodeValue('number', value.get('v')), { ok: true, value: stored });
  });
}

test('confidence keeps its text, null and booleans are themselves, other text stays text', () => {
  assert.ok(record({ confidence: '1e-05' }).includes('"confidence":1e-05,'));
  assert.ok(record({ value_type: 'null', value_v: 'null' }).includes('"v":null,'));
  assert.ok(record({ value_type: 'boolean', value_v: 'true' }).includes('"v":true,'));
  assert.ok(record({ value_type: 'boolean', value_v: 'True' }).includes('"v":"True",'));
  assert.ok(record({ value_type: 'string', value_v: '5' }).includes('"v":"5",'));
});

test('quarantine, origin and attestation are shown', () => {
  const entry = {
    ...ENTRY,
    attestation: { key_id: 'k', signature: 's' },
    origin: { chain_seq: 1, leaf_hash: 'x', node_id: 'stigmem://b' },
  };
  const text = factRecordText(
    { entry, contradicted: true, retracted: false, quarantine: { status: 'pending', reason: 'r' } },
    ['w'],
  );
  const shown = JSON.parse(text);
  assert.equal(shown.attested_key_id, 'k');
  assert.equal(shown.attested, null);
  assert.equal(shown.origin_node_id, 'stigmem://b');
  assert.equal(shown.quarantine_status, 'pending');
  assert.equal(shown.contradicted, true);
  assert.deepEqual(shown.warnings, ['w']);
});

test('references: a CID as hash, anything else as fact id', () => {
  assert.equal(derivedText([HASH, 'f2']), `[{"hash":"${HASH}"},{"fact_id":"f2"}]`);
});
