/** Documents of OCSF and ECS against the schemas themselves: test/vectors/ocsf-1.8.0.json and ecs.json are taken from them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toCef } from '../../../src/siem/cef.ts';
import { toEcs } from '../../../src/siem/ecs.ts';
import { toOcsf } from '../../../src/siem/ocsf.ts';
import { syslogFrame } from '../../../src/siem/syslog.ts';
import { SAMPLES, siemEvent } from '../../support/siem-events.ts';

interface Attribute {
  readonly type: string;
  readonly is_array?: boolean;
  readonly required?: boolean;
  readonly profile?: string;
  readonly enum?: Readonly<Record<string, string>>;
  readonly sibling?: string;
  readonly deprecated?: boolean;
}
interface Shape {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly at_least_one: readonly string[];
}
interface Ocsf {
  readonly classes: Readonly<Record<string, Shape & { readonly category_uid: number }>>;
  readonly objects: Readonly<Record<string, Shape>>;
}
type Json = Readonly<Record<string, unknown>>;

const OCSF = JSON.parse(readFileSync('test/vectors/ocsf-1.8.0.json', 'utf8')) as Ocsf;
const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  integer_t: Number.isSafeInteger,
  long_t: Number.isSafeInteger,
  timestamp_t: (value) => Number.isSafeInteger(value) && Number(value) > 1_000_000_000_000,
  boolean_t: (value) => typeof value === 'boolean',
  string_t: (value) => typeof value === 'string',
  datetime_t: (value) => typeof value === 'string',
  file_hash_t: (value) => typeof value === 'string' && /^[a-fA-F0-9]+$/.test(value),
  hostname_t: (value) => typeof value === 'string',
  resource_uid_t: (value) => typeof value === 'string',
  username_t: (value) => typeof value === 'string',
  json_t: () => true,
};

/** What the schema has against a document. */
function faults(document: Json, shape: Shape, profiles: readonly string[], at = ''): string[] {
  const found: string[] = [];
  for (const [name, { required, profile }] of Object.entries(shape.attributes))
    if (required && (profile === undefined || profiles.includes(profile)) && !(name in document))
      found.push(`${at}${name} is required`);
  if (shape.at_least_one.length > 0 && !shape.at_least_one.some((name) => name in document))
    found.push(`${at} has none of ${shape.at_least_one.join(', ')}`);
  for (const [name, value] of Object.entries(document)) {
    const attribute = shape.attributes[name];
    if (attribute === undefined) found.push(`${at}${name} is not in the schema`);
    else found.push(...valueFaults(`${at}${name}`, value, attribute, document, profiles));
  }
  return found;
}

function valueFaults(
  at: string,
  value: unknown,
  attribute: Attribute,
  beside: Json,
  profiles: readonly string[],
): string[] {
  const { type, is_array, profile, enum: names, sibling, deprecated } = attribute;
  if (deprecated) return [`${at} is deprecated`];
  if (profile !== undefined && !profiles.includes(profile)) return [`${at} needs the profile ${profile}`];
  if (is_array === true && !Array.isArray(value)) return [`${at} is a list`];
  const values = is_array === true ? (value as unknown[]) : [value];
  const object = OCSF.objects[type];
  if (object !== undefined) return values.flatMap((one) => faults(one as Json, object, profiles, `${at}.`));
  if (type === 'object') return [];
  const judge = SCALARS[type];
  if (judge === undefined) return [`${at} has type ${type}, which the fixture does not hold`];
  if (!values.every(judge)) return [`${at} is no ${type}: ${JSON.stringify(value)}`];
  if (names === undefined) return [];
  const caption = names[String(value)];
  if (caption === undefined) return [`${at} cannot be ${String(value)}`];
  const said = sibling === undefined ? undefined : beside[sibling];
  return said === undefined || value === 99 || said === caption
    ? []
    : [`${sibling} is ${String(said)}, not ${caption}`];
}

function ocsfFaults(document: object): string[] {
  const whole = document as Json;
  const shape = OCSF.classes[String(whole['class_uid'])];
  if (shape === undefined) return [`class ${String(whole['class_uid'])}`];
  const { profiles = [] } = whole['metadata'] as { profiles?: string[] };
  const own = faults(whole, shape, profiles);
  if (whole['category_uid'] !== shape.category_uid) own.push('category_uid');
  if (whole['type_uid'] !== Number(whole['class_uid']) * 100 + Number(whole['activity_id'])) own.push('type_uid');
  return own;
}

for (const event of SAMPLES)
  test(`OCSF: ${event.record.event} ${event.record.reason ?? ''}${event.record.is_drill ? ' (drill)' : ''}`, () => {
    for (const withRecord of [false, true]) assert.deepEqual(ocsfFaults(toOcsf(event, withRecord)), []);
  });

test('OCSF: what the check is for', () => {
  const whole = toOcsf(siemEvent(), false) as Json;
  const { actor: _actor, ...without } = whole;
  assert.deepEqual(ocsfFaults(without), ['actor is required']);
  assert.deepEqual(ocsfFaults({ ...whole, disposition_id: 77 }), ['disposition_id cannot be 77']);
  assert.deepEqual(ocsfFaults({ ...whole, nonsense: 1 }), ['nonsense is not in the schema']);
  assert.deepEqual(ocsfFaults({ ...whole, disposition: 'Blocked' }), ['disposition is Blocked, not Rejected']);
});

test('OCSF: one refused fact is a denied write; a summary is a finding that others join', () => {
  const [refusal, held, summary] = SAMPLES.map((event) => toOcsf(event, false) as Json);
  assert.equal(refusal?.['class_uid'], 6005);
  assert.equal(refusal?.['type_uid'], 600505);
  assert.equal(refusal?.['is_alert'], true);
  assert.equal(held?.['disposition_id'], 3);
  assert.equal(summary?.['class_uid'], 2004);
  const info = summary?.['finding_info'] as Json;
  assert.equal(info['related_events_count'], 4_711);
  const again = toOcsf(
    siemEvent({ seq: 43, event: 'refusals_summarized', cid: null, detail: { count: 1 } }),
    false,
  ) as Json;
  assert.equal((again['finding_info'] as Json)['uid'], info['uid']);
});

interface EcsField {
  readonly type: string;
  readonly is_array: boolean;
  readonly allowed?: readonly string[];
}
const ECS = JSON.parse(readFileSync('test/vectors/ecs.json', 'utf8')) as { fields: Readonly<Record<string, EcsField>> };

function ecsFaults(document: object, at = ''): string[] {
  return Object.entries(document).flatMap(([key, value]) => {
    const name = `${at}${key}`;
    if (name === 'stigmem') return [];
    const field = ECS.fields[name];
    if (field === undefined)
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? ecsFaults(value, `${name}.`)
        : [`${name} is no field of ECS`];
    if (field.is_array !== Array.isArray(value)) return [`${name} ${field.is_array ? 'is' : 'is not'} a list`];
    const values = (Array.isArray(value) ? value : [value]) as unknown[];
    const isNumber = field.type === 'long';
    const isRight = values.every((one) => (isNumber ? Number.isSafeInteger(one) : typeof one === 'string'));
    if (!isRight) return [`${name} is no ${field.type}`];
    const allowed = field.allowed;
    return allowed === undefined
      ? []
      : values.filter((one) => !allowed.includes(String(one))).map((one) => `${name}: ${String(one)}`);
  });
}

for (const event of SAMPLES)
  test(`ECS: ${event.record.event} ${event.record.reason ?? ''}${event.record.is_drill ? ' (drill)' : ''}`, () => {
    for (const withRecord of [false, true]) assert.deepEqual(ecsFaults(toEcs(event, withRecord)), []);
  });

test('ECS: what the check is for', () => {
  assert.deepEqual(ecsFaults({ event: { kind: 'rumour', made_up: 'x', category: 'network' } }), [
    'event.kind: rumour',
    'event.made_up is no field of ECS',
    'event.category is a list',
  ]);
});

test('CEF and syslog, as they are documented', () => {
  const event = siemEvent();
  assert.equal(
    toCef(event, false),
    `CEF:0|stigmem-peerd|stigmem-peerd|1.2.3|cid_mismatch|federation_integrity_rejected|5|rt=${event.atMs} externalId=${event.id} dvchost=acme.example act=rejected outcome=failure reason=cid_mismatch fileHash=sha256:${'ab'.repeat(32)} fileId=0197c1b2-0000-7000-8000-000000000001 cs1Label=peer cs1=stigmem://globex.example cs2Label=scope cs2=public cs3Label=evidence cs3=sha256:${'cd'.repeat(32)} cs4Label=recordHash cs4=${event.hash} cs5Label=field cs5=cid cn1Label=sequence cn1=42 msg=federation_integrity_rejected: cid_mismatch (stigmem://globex.example)`,
  );
  assert.match(
    syslogFrame(event, '{}'),
    /^\d+ <108>1 2026-11-30T05:00:00\.123456Z acme\.example stigmem-peerd - cid_mismatch \[stigmem@32473 id="acme\.example\/42\/[0-9a-f]{16}" seq="42" hash="sha256:[0-9a-f]{64}" event="federation_integrity_rejected" reason="cid_mismatch" peer="stigmem:\/\/globex\.example" feed="public" cid="sha256:[0-9a-f]{64}"\] \{\}$/,
  );
});
