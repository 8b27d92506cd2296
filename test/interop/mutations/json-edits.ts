/** Changes to a JSON text by its structure: members, types, spellings, parts of another valid text. Seeded. */
import type { Random } from '../../adversarial/fuzz/random.ts';

export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };

/** Where a value stands, and how to put another one there. */
interface Place {
  readonly path: readonly (string | number)[];
  readonly value: Json;
}

type Edit = readonly [name: string, edit: (text: string, random: Random) => string];
/** Edits of a text inside of the JSON: a note, or JSON again. */
export type TextEdit = (text: string, random: Random) => string;

const HEX = /^[0-9a-f]{8,}$/;

/** All values, with their places; the whole first. */
export function placesIn(value: Json, path: readonly (string | number)[] = []): Place[] {
  const inner = Array.isArray(value)
    ? value.flatMap((item, i) => placesIn(item, [...path, i]))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, member]) => placesIn(member, [...path, name]))
      : [];
  return [{ path, value }, ...inner];
}

/** A copy with another value at a place; undefined removes it. */
function withAt(value: Json, path: readonly (string | number)[], to: Json | undefined): Json {
  const [step, ...rest] = path;
  if (step === undefined) return to ?? null;
  if (Array.isArray(value)) {
    const at = Number(step);
    if (rest.length === 0 && to === undefined) return value.filter((_, i) => i !== at);
    return value.map((item, i) => (i === at ? withAt(item, rest, to) : item));
  }
  const entries = Object.entries(value as { [member: string]: Json }).flatMap(([name, member]): [string, Json][] => {
    if (name !== step) return [[name, member]];
    return rest.length === 0 && to === undefined ? [] : [[name, withAt(member, rest, to)]];
  });
  return Object.fromEntries(entries);
}

/** Members sorted, as they are when nothing is to be seen of the change but the change. */
export function sortedText(value: Json): string {
  const sorted = (one: Json): Json => {
    if (Array.isArray(one)) return one.map(sorted);
    if (typeof one !== 'object' || one === null) return one;
    const entries = Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
  };
  return JSON.stringify(sorted(value));
}

function otherType(value: Json, random: Random): Json {
  if (typeof value === 'number')
    return random.pick<Json>([String(value), [value], true, null, value + 0.5, -value - 1]);
  const number = Number(value);
  const others: Json[] = [null, [value], { '': value }, 0, '', true];
  if (typeof value === 'string' && Number.isSafeInteger(number) && value !== '') others.push(number, number, number);
  if (value === null) others.push(1_790_000_000, 'null', {}, []);
  return random.pick(others);
}

function otherText(text: string, random: Random, nested: TextEdit): string {
  if (text.length > 100 && !random.chance(4)) return nested(text, random);
  const at = random.below(text.length);
  const turned = HEX.test(text)
    ? ((Number.parseInt(text[at] ?? '0', 16) + 1) % 16).toString(16)
    : random.pick(['A', 'z', '0']);
  return random.pick([
    `${text.slice(0, at)}${turned}${text.slice(at + 1)}`,
    text.slice(0, -1),
    `${text}\n`,
    ` ${text}`,
    text.toUpperCase(),
    text.replace(/=+$/, ''),
    text.replaceAll('+', '-').replaceAll('/', '_'),
    `${text}\ud800`,
    `0${text}`,
    `${text.slice(0, at)}\u00e9${text.slice(at)}`,
  ]);
}

function other(value: Json, random: Random, nested: TextEdit): Json {
  if (random.chance(4)) return otherType(value, random);
  if (typeof value === 'string') return otherText(value, random, nested);
  if (typeof value === 'number')
    return random.pick([value + 1, value - 1, value * 2, 2 ** 53, 2 ** 53 - 1, -1, 0, value + 2 ** 32]);
  if (typeof value === 'boolean') return !value;
  if (value === null) return otherType(value, random);
  if (Array.isArray(value)) {
    const at = random.below(value.length);
    const item = value[at] ?? null;
    return random.pick<Json>([
      [...value, item],
      [item, ...value],
      value.filter((_, i) => i !== at),
      [...value].reverse(),
      [],
      Array.from({ length: 70 }, () => item),
    ]);
  }
  const names = Object.keys(value);
  const name = names[random.below(names.length)] ?? '';
  return random.pick<Json>([
    { ...value, extra: 1 },
    { ...value, [`${name}2`]: value[name] ?? null },
    { ...value, extra: { b: [1, { c: 'x' }], ä: null, '\ue000': 1, '\u{1f600}': 2 } },
    { ...value, extra: '\ud800' },
    { ...value, '\udc00': 1 },
    { ...value, extra: 0.5 },
    { ...value, extra: 2 ** 60 },
    {
      ...value,
      extra: JSON.parse(
        `${'['.repeat(random.pick([8, 13, 14, 15, 16, 2000]))}${']'.repeat(0)}0`.replace(
          /^(\[+)0$/,
          (_, open: string) => `${open}0${']'.repeat(open.length)}`,
        ),
      ) as Json,
    },
  ]);
}

/** One value changed, removed, or wherever it stands. */
function valueEdit(text: string, random: Random, nested: TextEdit): string {
  const whole = JSON.parse(text) as Json;
  const places = placesIn(whole);
  const { path, value } = random.pick(places);
  const what = random.below(8);
  if (what === 0 && path.length > 0) return sortedText(withAt(whole, path, undefined));
  if (what < 3 && (typeof value === 'string' || typeof value === 'number')) {
    const to = other(value, random, nested);
    const same = places.filter((one) => String(one.value) === String(value));
    return sortedText(
      same.reduce<Json>(
        (done, one) => withAt(done, one.path, typeof one.value === typeof to ? to : (String(to) as Json)),
        whole,
      ),
    );
  }
  return sortedText(withAt(whole, path, other(value, random, nested)));
}

/** A part of one text in the place of that part of another, or of another part of the same one. */
export function swapped(text: string, donor: string, random: Random): string {
  const whole = JSON.parse(text) as Json;
  const there = placesIn(JSON.parse(donor) as Json).filter(({ path }) => path.length > 0);
  const from = random.pick(there);
  const places = placesIn(whole).filter(({ path }) => path.length > 0);
  const same = places.find(({ path }) => path.join('/') === from.path.join('/'));
  const to = random.chance(6) ? random.pick(places) : (same ?? random.pick(places));
  return sortedText(withAt(whole, to.path, from.value));
}

/** Other spellings of the same value, or of nearly the same. */
const SPELLINGS: readonly Edit[] = [
  [
    'white space',
    (text, random) => atOneOf(text, random, /[,:{}[\]]/g, (m) => random.pick([`${m} `, ` ${m}`, `\n${m}`])),
  ],
  [
    'members reordered',
    (text, random) =>
      atOneOf(text, random, /("[a-z_]+":(?:null|[0-9]+|"[^"\\]*")),("[a-z_]+":(?:null|[0-9]+|"[^"\\]*"))/g, (m) =>
        m.replace(/^(.*?),("[a-z_]+":.*)$/, '$2,$1'),
      ),
  ],
  [
    'member doubled',
    (text, random) => atOneOf(text, random, /"[A-Za-z_]+":(?:null|[0-9]+|"[^"\\]*")/g, (m) => `${m},${m}`),
  ],
  [
    '1.0',
    (text, random) =>
      atOneOf(text, random, /[:[,][0-9]+(?=[,}\]])/g, (m) => m + random.pick(['.0', 'e0', '.5', '0e-1'])),
  ],
  [
    '+ or 0 in front',
    (text, random) =>
      atOneOf(
        text,
        random,
        /[:[,][0-9]+(?=[,}\]])/g,
        (m) => m.charAt(0) + random.pick(['+', '0', '-', '00']) + m.slice(1),
      ),
  ],
  [
    'number as text',
    (text, random) => atOneOf(text, random, /[:[,][0-9]+(?=[,}\]])/g, (m) => `${m.charAt(0)}"${m.slice(1)}"`),
  ],
  ['text as number', (text, random) => atOneOf(text, random, /"[0-9]+"/g, (m) => m.slice(1, -1))],
  [
    'needless escape',
    (text, random) => atOneOf(text, random, /[a-z/]/g, (m) => `\\u${m.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ],
  ['escaped slash', (text, random) => atOneOf(text, random, /\//g, () => '\\/')],
  ['newline as \\u000a', (text, random) => atOneOf(text, random, /\\n/g, () => '\\u000a')],
  ['comma behind the end', (text, random) => atOneOf(text, random, /[}\]]/g, (m) => `,${m}`)],
  [
    'deep nesting',
    (text, random) => atOneOf(text, random, /:(null|[0-9]+)/g, () => `:${'['.repeat(5_000)}${']'.repeat(5_000)}`),
  ],
  [
    'NaN',
    (text, random) =>
      atOneOf(text, random, /:(null|[0-9]+)/g, () => random.pick([':NaN', ':Infinity', ':-0', ':undefined', ':1e400'])),
  ],
  [
    'bare surrogate',
    (text, random) =>
      atOneOf(text, random, /"[a-z_]+":"/g, (m) => m + random.pick(['\\ud800', '\\udfff', '\\ud83d\\ude00'])),
  ],
  ['member __proto__', (text, random) => atOneOf(text, random, /\{/g, () => '{"__proto__":{},')],
];

function spelled(text: string, random: Random): string {
  return random.pick(SPELLINGS)[1](text, random);
}

/** A change by structure; the text itself if it did not take. */
export function jsonEdit(text: string, donor: string, random: Random, nested: TextEdit): string {
  const what = random.below(10);
  if (what < 2) return spelled(text, random);
  return what < 4 ? swapped(text, donor, random) : valueEdit(text, random, nested);
}

function atOneOf(text: string, random: Random, pattern: RegExp, to: (match: string) => string): string {
  const found = [...text.matchAll(pattern)];
  const one = found[random.below(Math.max(1, found.length))];
  return one === undefined ? text : text.slice(0, one.index) + to(one[0]) + text.slice(one.index + one[0].length);
}
