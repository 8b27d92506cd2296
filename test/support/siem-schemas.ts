/** What the schemas of OCSF and ECS have against a document: test/vectors/ocsf-1.8.0.json and ecs.json are taken from them. */
import { readFileSync } from 'node:fs';

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
export type Json = Readonly<Record<string, unknown>>;

const OCSF = JSON.parse(readFileSync('test/vectors/ocsf-1.8.0.json', 'utf8')) as Ocsf;
const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  integer_t: Number.isSafeInteger,
  long_t: Number.isSafeInteger,
  timestamp_t: (value) => Number.isSafeInteger(value) && Number(value) > 1_000_000_000_000,
  boolean_t: (value) => typeof value === 'boolean',
  string_t: (value) => typeof value === 'string',
  url_t: (value) => typeof value === 'string' && URL.canParse(value),
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

export function ocsfFaults(document: object): string[] {
  const whole = document as Json;
  const shape = OCSF.classes[String(whole['class_uid'])];
  if (shape === undefined) return [`class ${String(whole['class_uid'])}`];
  const { profiles = [] } = whole['metadata'] as { profiles?: string[] };
  const own = faults(whole, shape, profiles);
  if (whole['category_uid'] !== shape.category_uid) own.push('category_uid');
  if (whole['type_uid'] !== Number(whole['class_uid']) * 100 + Number(whole['activity_id'])) own.push('type_uid');
  return own;
}

interface EcsField {
  readonly type: string;
  readonly is_array: boolean;
  readonly allowed?: readonly string[];
}
const ECS = JSON.parse(readFileSync('test/vectors/ecs.json', 'utf8')) as { fields: Readonly<Record<string, EcsField>> };

export function ecsFaults(document: object, at = ''): string[] {
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
