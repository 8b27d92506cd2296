/** Makes a wrong input from right ones: bytes, numbers, texts, nesting and whole pieces are changed, a few at a time. */
import type { Random } from './random.ts';

/** Longest input, but for the few that are made long on purpose. */
const MAX_BYTES = 1 << 18;
const LONG_BYTES = 1 << 22;

const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1e309',
  '-1e400',
  '1e-400',
  '0.1',
  '00',
  '+1',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '9223372036854775808',
  '18446744073709551616',
  '1.7976931348623157e308',
  '5e-324',
  'NaN',
  'Infinity',
  '9'.repeat(400),
  '9'.repeat(5_000),
  `0.${'3'.repeat(2_000)}`,
];

const TEXTS = [
  '',
  ' ',
  '\0',
  '\n\n',
  '\r\n',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '\u0130',
  'ß',
  '\u{1f468}\u200d\u{1f469}',
  '\\ud800',
  '\\udc00\\ud800',
  '\\u0000',
  '__proto__',
  'constructor',
  'sha256:',
  'stigmem://',
  'stigmem:x',
  '—',
  '— a b',
  '"',
  '\\',
  '\\"',
  '{{{{',
  '%00',
  '%ff',
  '%2f..%2f',
  '../../x',
  'a'.repeat(300),
  'é'.repeat(2_000),
  '"""',
  "'''",
  '[[a]]',
  '\t= ',
  '0x',
  '1979-05-27T07:32:00Z',
  '9999-12-31T23:59:59.999999+23:59',
  '0000-00-00',
];

/** UTF-8 that is none: lone surrogates, overlong forms, cut sequences, a code point beyond the last. */
const BYTES = [
  'eda080',
  'edbfbf',
  'c080',
  'e08080',
  'f4908080',
  'f8888080',
  'fe',
  'ff',
  'e2',
  'f09f',
  'efbbbf',
  '00',
].map((hex) => Buffer.from(hex, 'hex'));

/** One to a handful of changes of one of the examples. */
export function mutate(corpus: readonly Buffer[], random: Random): Buffer {
  let input = random.pick(corpus);
  // Now and then an example as it is: what is right must stay so.
  if (random.chance(64)) return input;
  for (let left = 1 + random.below(random.chance(4) ? 12 : 3); left > 0; left--) {
    input = random.pick(MUTATIONS)(input, random, corpus);
    const limit = random.chance(200) ? LONG_BYTES : MAX_BYTES;
    if (input.length > limit) input = input.subarray(0, limit);
  }
  return input;
}

type Mutation = (input: Buffer, random: Random, corpus: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  flip,
  flip,
  overwrite,
  insert,
  remove,
  remove,
  repeat,
  splice,
  truncate,
  tamperNumber,
  tamperNumber,
  tamperText,
  tamperBytes,
  tamperJson,
  tamperJson,
  tamperJson,
  nest,
];

function flip(input: Buffer, random: Random): Buffer {
  const out = Buffer.from(input);
  const at = random.below(out.length);
  if (out.length > 0) out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
  return out;
}

function overwrite(input: Buffer, random: Random): Buffer {
  const out = Buffer.from(input);
  out.set(random.bytes(Math.min(1 + random.below(8), out.length)), random.below(out.length - 8));
  return out;
}

function insert(input: Buffer, random: Random): Buffer {
  return put(input, random.below(input.length + 1), 0, random.bytes(1 + random.below(16)));
}

function remove(input: Buffer, random: Random): Buffer {
  const long = random.chance(4) ? input.length : 16;
  return put(input, random.below(input.length), 1 + random.below(long), Buffer.alloc(0));
}

/** A piece many times over: long runs are what slow expressions are slow on. */
function repeat(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length);
  const piece = input.subarray(at, at + 1 + random.below(random.chance(3) ? 64 : 4));
  const times = random.chance(40) ? 20_000 : 1 + random.below(64);
  return put(input, at, 0, Buffer.alloc(piece.length * times, piece));
}

function splice(input: Buffer, random: Random, corpus: readonly Buffer[]): Buffer {
  const other = random.pick(corpus);
  const from = random.below(other.length);
  const piece = other.subarray(from, from + 1 + random.below(other.length - from));
  return put(input, random.below(input.length + 1), random.chance(2) ? piece.length : 0, piece);
}

function truncate(input: Buffer, random: Random): Buffer {
  return input.subarray(0, random.below(input.length + 1));
}

function tamperNumber(input: Buffer, random: Random): Buffer {
  const start = random.below(input.length);
  let at = start;
  while (at < input.length && !isDigit(input[at])) at++;
  let end = at;
  while (end < input.length && isDigit(input[end])) end++;
  const given = input.subarray(at, Math.min(end, at + 15)).toString('latin1');
  const near = String(Number(given) + random.pick([-1, 1, 2, 255, 65_536]));
  const fresh = given !== '' && random.chance(2) ? near : random.pick(NUMBERS);
  return put(input, at, end - at, Buffer.from(fresh));
}

function tamperText(input: Buffer, random: Random): Buffer {
  return put(input, random.below(input.length + 1), random.below(4), Buffer.from(random.pick(TEXTS)));
}

function tamperBytes(input: Buffer, random: Random): Buffer {
  return put(input, random.below(input.length + 1), random.below(3), random.pick(BYTES));
}

function nest(input: Buffer, random: Random): Buffer {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"":', '}]'],
    ['[', ''],
    ['{', ''],
    ['a.', ''],
    ['[[', ']]'],
  ] as const);
  const depth = random.chance(16) ? 100_000 : 1 + random.below(400);
  const at = random.below(input.length + 1);
  const inside = random.chance(2) ? input.subarray(at, at + random.below(64)) : Buffer.from('1');
  return put(input, at, inside.length, Buffer.concat([run(open, depth), inside, run(close, depth)]));
}

/** A change that leaves the JSON sound and canonical, so that what lies behind the first look is reached. */
function tamperJson(input: Buffer, random: Random, corpus: readonly Buffer[]): Buffer {
  const start = input.indexOf('{', random.chance(2) ? 0 : random.below(input.length));
  const end = input.lastIndexOf('}') + 1;
  if (start < 0 || end <= start) return tamperText(input, random);
  try {
    const tree: unknown = JSON.parse(input.subarray(start, end).toString('utf8'));
    const changed = changeNode(tree, random, corpus, 0);
    return put(input, start, end - start, Buffer.from(JSON.stringify(changed) ?? ''));
  } catch {
    return tamperNumber(input, random);
  }
}

function changeNode(node: unknown, random: Random, corpus: readonly Buffer[], depth: number): unknown {
  if (depth < 20 && Array.isArray(node) && node.length > 0 && !random.chance(4)) {
    const at = random.below(node.length);
    if (random.chance(6)) return random.chance(2) ? node.toSpliced(at, 1) : node.toSpliced(at, 0, node[at]);
    return node.with(at, changeNode(node[at], random, corpus, depth + 1));
  }
  if (depth < 20 && typeof node === 'object' && node !== null && !random.chance(12)) {
    const members = Object.entries(node);
    const at = random.below(members.length);
    const [name, value] = members[at] ?? ['x', null];
    if (random.chance(12)) return Object.fromEntries(members.toSpliced(at, 1));
    if (random.chance(20)) return Object.fromEntries(members.with(at, [random.pick(TEXTS), value]));
    return Object.fromEntries(members.with(at, [name, changeNode(value, random, corpus, depth + 1)]));
  }
  return changeLeaf(node, random);
}

function changeLeaf(leaf: unknown, random: Random): unknown {
  if (typeof leaf === 'number' && random.chance(2)) return leaf + random.pick([-1, 1, 2, 1_000, 2 ** 32, 2 ** 53 - 1]);
  if (typeof leaf === 'string' && leaf.length > 0 && !random.chance(3)) {
    const at = random.below(leaf.length);
    const fresh = random.chance(2) ? random.pick(TEXTS) : String.fromCharCode(random.below(0x10000));
    return leaf.slice(0, at) + fresh + leaf.slice(at + random.below(3));
  }
  return random.pick<unknown>([
    null,
    true,
    false,
    0,
    -1,
    2 ** 53,
    1e300,
    0.5,
    '',
    'x',
    '\ud800',
    [],
    {},
    [[]],
    [0, 0],
    { '': null },
  ]);
}

function run(text: string, times: number): Buffer {
  return text === '' ? Buffer.alloc(0) : Buffer.alloc(text.length * times, text);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function put(input: Buffer, at: number, removed: number, fresh: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, at), fresh, input.subarray(at + removed)]);
}
