/** Mutants of valid cases: bytes, lines, spellings, numbers and lists changed as a liar or a bug would. Seeded. */
import { Random } from '../../adversarial/fuzz/random.ts';
import { mutateReader } from './reader-mutants.ts';
import { type Case, raw } from './verdicts.ts';

export interface Original {
  readonly case: Case;
}

export interface Mutant {
  readonly case: Case;
  readonly mutation: string;
}

type Edit = readonly [name: string, edit: (text: string, random: Random) => string];

/** On the text of a note or proof, as latin1: every byte is one character. */
const TEXT_EDITS: readonly Edit[] = [
  ['bit flipped', (text, random) => flipped(text, random)],
  ['byte removed', (text, random) => spliced(text, random, 1, '')],
  ['byte doubled', (text, random) => doubled(text, random)],
  ['byte inserted', (text, random) => spliced(text, random, 0, String.fromCharCode(random.below(256)))],
  ['cut short', (text, random) => text.slice(0, random.below(text.length))],
  ['bytes behind the end', (text, random) => text + ['\n', ' ', '\0', 'x\n', '\n\n'][random.below(5)]],
  ['lines swapped', (text, random) => lines(text, random, (all, at) => [all[at + 1] ?? '', all[at] ?? ''], 2)],
  ['line removed', (text, random) => lines(text, random, () => [], 1)],
  ['line doubled', (text, random) => lines(text, random, (all, at) => [all[at] ?? '', all[at] ?? ''], 1)],
  ['CRLF', (text, random) => lines(text, random, (all, at) => [`${all[at]}\r`], 1)],
  ['leading zero', (text) => text.replace(/\n([0-9]+)\n/, '\n0$1\n').replace(/index ([0-9])/, 'index 0$1')],
  ['number one up', (text) => text.replace(/\n([0-9]+)\n/, (_, n) => `\n${Number(n) + 1}\n`)],
  ['number in hex', (text) => text.replace(/\n([0-9]+)\n/, (_, n) => `\n0x${Number(n).toString(16)}\n`)],
  ['plus sign', (text) => text.replace(/\n([0-9]+)\n/, '\n+$1\n')],
  ['padding dropped', (text, random) => atOneOf(text, random, /=+\n/g, () => '\n')],
  [
    'bits behind the end of base64',
    (text, random) => atOneOf(text, random, /[A-Za-z0-9+/]=\n/g, (m) => nextSpelling(m)),
  ],
  ['URL alphabet', (text, random) => atOneOf(text, random, /[+/]/g, (m) => (m === '+' ? '-' : '_'))],
  ['dash instead of em dash', (text) => text.replace('\xe2\x80\x94', '-')],
  ['two spaces', (text, random) => atOneOf(text, random, / /g, () => '  ')],
  ['no-break space', (text, random) => atOneOf(text, random, / /g, () => '\xc2\xa0')],
  ['letter case', (text, random) => atOneOf(text, random, /[a-z]/g, (m) => m.toUpperCase())],
  ['byte order mark', (text) => `\xef\xbb\xbf${text}`],
  [
    'control character',
    (text, random) => spliced(text, random, 0, ['\x00', '\x07', '\x7f', '\t', '\x1b'][random.below(5)] ?? ''),
  ],
  ['lone surrogate', (text, random) => spliced(text, random, 0, '\xed\xa0\x80')],
  ['overlong UTF-8', (text, random) => spliced(text, random, 0, '\xc0\xaf')],
];

export function mutantsOf(originals: readonly Original[], count: number, seed: number): Mutant[] {
  const random = new Random(String(seed));
  const mutants: Mutant[] = [];
  while (mutants.length < count) {
    const mutant = mutate(random.pick(originals).case, random);
    if (mutant !== null) mutants.push(mutant);
  }
  return mutants;
}

function mutate(one: Case, random: Random): Mutant | null {
  switch (one.kind) {
    case 'parse':
    case 'note':
    case 'checkpoint':
    case 'feed_head':
      return ofText(one, 'note', random);
    case 'tlog_proof':
      return random.below(8) === 0 ? ofHash(one, 'leaf', random) : ofText(one, 'proof', random);
    case 'inclusion':
      return ofProof(one, ['index', 'size'], ['leaf', 'root'], random);
    case 'consistency':
      return ofProof(one, ['old', 'new'], ['old_root', 'new_root'], random);
    case 'page':
      return ofPage(one, random);
    default:
      return mutateReader(one, random, (text) => random.pick(TEXT_EDITS)[1](text, random));
  }
}

function ofText(one: Case, member: 'note' | 'proof', random: Random): Mutant | null {
  const [name, edit] = TEXT_EDITS[random.below(TEXT_EDITS.length)] ?? TEXT_EDITS[0] ?? [];
  if (name === undefined || edit === undefined) return null;
  const before = raw((one as unknown as Record<string, string>)[member] ?? '').toString('latin1');
  const after = edit(before, random);
  if (after === before) return null;
  const changed = { ...one, [member]: Buffer.from(after, 'latin1').toString('base64') } as Case;
  return { case: changed, mutation: effectOf(one, before, after) ?? name };
}

/**
 * Mutants that may stay valid get the name of their reason. Behind the text, a line may become one of a key that the reader
 * does not know, which counts for nothing; that a known key's bad line refuses the note, the unit tests see to.
 */
function effectOf(one: Case, before: string, after: string): string | null {
  if (one.kind === 'parse') return 'parse only';
  const textOf = (whole: string): string => whole.slice(0, whole.lastIndexOf('\n\n'));
  return textOf(before) === textOf(after) ? 'signature lines' : null;
}

function ofHash(one: Case, member: string, random: Random): Mutant {
  const bytes = raw((one as unknown as Record<string, string>)[member] ?? '');
  const changed =
    random.below(4) === 0
      ? bytes.subarray(0, random.below(32))
      : Buffer.from(flipped(bytes.toString('latin1'), random), 'latin1');
  return { case: { ...one, [member]: changed.toString('base64') } as Case, mutation: `${member} changed` };
}

function ofProof(
  one: Extract<Case, { path: readonly string[] }>,
  numbers: readonly string[],
  hashes: readonly string[],
  random: Random,
): Mutant {
  const what = random.below(3);
  if (what === 0) return ofNumber(one, numbers[random.below(numbers.length)] ?? '', random);
  if (what === 1) return ofHash(one, hashes[random.below(hashes.length)] ?? '', random);
  return ofPath(one, random);
}

function ofNumber(one: Case, member: string, random: Random): Mutant {
  const before = Number((one as unknown as Record<string, number>)[member]);
  const other = [before + 1, before - 1, before * 2, 2 ** 53, 2 ** 53 - 1, 2 ** 32 + before, 0, -1, 0.5];
  const after = other.filter((number) => number !== before)[random.below(8)] ?? -1;
  return { case: { ...one, [member]: after } as Case, mutation: `${member} changed` };
}

function ofPath(one: Extract<Case, { path: readonly string[] }>, random: Random): Mutant {
  const path = [...one.path];
  const at = random.below(path.length + 1);
  const hash = path[at] ?? Buffer.alloc(32, 7).toString('base64');
  const edits: readonly (() => void)[] = [
    () => path.splice(at, 0, hash),
    () => path.splice(at, 1, Buffer.from(flipped(raw(hash).toString('latin1'), random), 'latin1').toString('base64')),
    () => path.splice(at, 1, raw(hash).subarray(0, 31).toString('base64')),
    () => path.push(Buffer.alloc(32).toString('base64')),
    () => (path.length > 0 ? path.splice(Math.min(at, path.length - 1), 1) : path.push(hash)),
  ];
  edits[random.below(edits.length)]?.();
  return { case: { ...one, path }, mutation: 'path changed' };
}

function ofPage(one: Extract<Case, { kind: 'page' }>, random: Random): Mutant | null {
  const what = random.below(5);
  if (what === 0) return ofNumber(one, 'size', random);
  if (what === 1) return ofHash(one, 'root', random);
  if (what === 2) return ofPath(one, random);
  const at = random.below(one.indexes.length);
  if (what === 3) {
    const indexes = one.indexes.map((index, i) => (i === at ? index + random.pick([1, -1, 2 ** 32, 0.5]) : index));
    return { case: { ...one, indexes }, mutation: 'indexes changed' };
  }
  const leaves = [...one.leaves];
  const drop = random.below(3) === 0;
  leaves.splice(
    at,
    1,
    ...(drop
      ? []
      : [Buffer.from(flipped(raw(leaves[at] ?? '').toString('latin1'), random), 'latin1').toString('base64')]),
  );
  return { case: { ...one, leaves }, mutation: 'leaves changed' };
}

function flipped(text: string, random: Random): string {
  const at = random.below(text.length);
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))) + text.slice(at + 1);
}

function spliced(text: string, random: Random, remove: number, insert: string): string {
  const at = random.below(text.length);
  return text.slice(0, at) + insert + text.slice(at + remove);
}

function doubled(text: string, random: Random): string {
  const at = random.below(text.length);
  return text.slice(0, at) + text.charAt(at) + text.slice(at);
}

function lines(text: string, random: Random, make: (all: string[], at: number) => string[], take: number): string {
  const all = text.split('\n');
  const at = random.below(Math.max(1, all.length - take));
  return [...all.slice(0, at), ...make(all, at), ...all.slice(at + take)].join('\n');
}

function atOneOf(text: string, random: Random, pattern: RegExp, to: (match: string) => string): string {
  const found = [...text.matchAll(pattern)];
  const one = found[random.below(Math.max(1, found.length))];
  return one === undefined ? text : text.slice(0, one.index) + to(one[0]) + text.slice(one.index + one[0].length);
}

/** Another last character that stands for the same bytes. */
function nextSpelling(end: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return `${alphabet.charAt(alphabet.indexOf(end.charAt(0)) ^ 1)}${end.slice(1)}`;
}
