/** Mutants of what was signed, signed again: what a verifier makes of a text does not hang on a signature that breaks first. */
import { createHash } from 'node:crypto';
import { decodeBase32, encodeBase32 } from '../../../src/core/base32.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import type { LogSigner } from '../../../src/merkle/ed25519.ts';
import { formatSignatureLine, signEd25519 } from '../../../src/merkle/note.ts';
import type { KeyUse } from '../../../src/wire/succession.ts';
import type { Random } from '../../adversarial/fuzz/random.ts';
import { jsonEdit } from '../mutations/json-edits.ts';
import type { Case } from './cases.ts';
import { IDENTITY, LOG, linesOf } from './originals.ts';

/** Spellings of numbers, times, names and lines that two readers might see differently. */
const ODD = [
  '',
  '0',
  '00',
  '-0',
  '+1',
  '01',
  '1e1',
  '1.0',
  '0x1',
  ' 1',
  '1 ',
  '１',
  '9007199254740991',
  '9007199254740992',
  '99999999999999999',
  '2026-02-30T00:00:00.000Z',
  '2026-02-01T24:00:00.000Z',
  '2026-02-01T23:59:60.000Z',
  '2026-02-01t00:00:00.000z',
  '2026-02-01T00:00:00Z',
  '2026-02-01T00:00:00.000+00:00',
  '0000-02-29T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '2024-02-29T00:00:00.000Z',
  '-',
  '--',
  'grant_expired',
  'stigmem://acme.example',
  'stigmem://ACME.example',
  'stigmem://acme.example/',
  'stigmem://acme.example:0',
  'stigmem://acme.example:99999',
  'stigmem://acme.example:123456',
  'stigmem://-a.example',
  'stigmem://a..b',
  'stigmem://é.example',
  `stigmem://${'a.'.repeat(126)}example`,
  'public',
  'PUBLIC',
  'local',
  'company/incident-42',
  'company/',
  'company/.x',
  'company/é',
  'from/acme.example/public',
  'from/acme.example',
  'a/b/c/d',
  'x y',
  'x+y',
  'acme.example/journal/00000000000000aa',
  'a\u00a0b',
  'a\u2028b',
  'a\u0085b',
  'a\u007fb',
  'a\rb',
  'a\tb',
  '\ufeffpublic',
  'e\u0301',
  'é',
  '\u{1f4a9}'.repeat(200),
  `sha256:${'AB'.repeat(32)}`,
  `sha256:${'ab'.repeat(31)}`,
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=',
] as const;
const CHARS = [...'0123456789-+:.,TZW ae/"\\{}[]=\r\t\u0085\u2028\ufeffé', '\u{1f4a9}'];

type Edit = (text: string, random: Random) => string;

const LINE_EDITS: readonly Edit[] = [
  (text, random) => withLine(text, random, () => [random.pick(ODD)]),
  (text, random) => withLine(text, random, () => [random.pick(ODD)]),
  (text, random) => withLine(text, random, (line) => [edited(line, random)]),
  (text, random) => withLine(text, random, (line) => [edited(line, random)]),
  (text, random) => withLine(text, random, () => []),
  (text, random) => withLine(text, random, (line) => [line, line]),
  (text, random) => withLine(text, random, (line) => ['', line]),
  (text, random) => withLine(text, random, (line) => [line.toUpperCase()]),
  (text, random) =>
    withLine(text, random, (line) => [line.replace(/[0-9]+/, (n) => String(Number(n) + random.pick([-1, 1, 2])))]),
  (text) => `${text}\n`,
];

function withLine(text: string, random: Random, edit: (line: string) => readonly string[]): string {
  const lines = text.split('\n');
  lines.pop();
  const at = random.below(lines.length);
  lines.splice(at, 1, ...edit(lines[at] ?? ''));
  return `${lines.join('\n')}\n`;
}

export function edited(text: string, random: Random): string {
  const chars = [...text];
  const at = random.below(chars.length + 1);
  const char = random.pick(CHARS);
  const what = random.below(3);
  if (what === 0) chars.splice(at, 1);
  else chars.splice(at, what === 1 ? 0 : 1, char);
  return chars.join('');
}

/** A line of JSON changed by its structure, or by its characters. */
function jsonLine(text: string, random: Random): string {
  return (random.chance(4) ? edited(text, random) : inner(text, random, nested)).replaceAll('\n', '');
}

function nested(text: string, random: Random): string {
  const bytes = /^[A-Za-z0-9+/]{40,}=*$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : null;
  if (bytes?.startsWith('{') === true) return Buffer.from(inner(bytes, random)).toString('base64');
  return text.startsWith('{') ? inner(text, random) : edited(text, random);
}

/** What cannot be edited by its structure is edited by its characters. */
function inner(text: string, random: Random, deeper: Edit = edited): string {
  try {
    return jsonEdit(text, text, random, deeper);
  } catch {
    return edited(text, random);
  }
}

export function mutantOf(one: Case, random: Random): Case {
  const bytes = Buffer.from(one.note, 'base64');
  const note = bytes.toString('utf8');
  return { ...one, note: Buffer.from(changed(one, note, bytes, random)).toString('base64') };
}

function changed(one: Case, note: string, bytes: Buffer, random: Random): string | Uint8Array {
  switch (one.kind) {
    case 'packet':
      return flipped(bytes, random);
    case 'entry':
    case 'evidence':
      return jsonLine(note, random);
    case 'tombstone':
      return random.chance(2) ? jsonLine(note, random) : edited(note, random);
    case 'time':
      return edited(random.chance(2) ? edited(note, random) : note, random);
    case 'invite':
      return random.chance(2) ? edited(note, random) : summedAgain(note, random);
    case 'succession':
      return signed(jsonText(note, random), useIn(note));
    case 'declaration':
    case 'peer_note':
      return signed(jsonText(note, random), IDENTITY);
    case 'document':
    case 'drill_report':
      return signed(jsonText(note, random), LOG);
    default:
      return random.chance(6) ? edited(note, random) : signed(random.pick(LINE_EDITS)(textOf(note), random), LOG);
  }
}

function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

/** Mostly the third line; the two before it as any line. */
function jsonText(note: string, random: Random): string {
  const text = textOf(note);
  if (random.chance(5)) return random.pick(LINE_EDITS)(text, random);
  const lines = text.split('\n');
  lines[2] = jsonLine(lines[2] ?? '', random);
  return lines.join('\n');
}

function useIn(note: string): KeyUse {
  return (/"use":"(log|witness|anchor|node)"/.exec(note)?.[1] ?? 'log') as KeyUse;
}

/** Not by the product's writer, which refuses to write what is none. */
function signed(text: string, by: LogSigner | KeyUse): string {
  const lines = typeof by === 'string' ? [linesOf(by).old(text), linesOf(by).new(text)] : [signEd25519(text, by)];
  return `${text}\n${lines.map(formatSignatureLine).join('')}`;
}

function flipped(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return random.chance(8) ? copy.subarray(0, random.below(copy.length)) : copy;
}

/** A code with other bytes and a sum that fits them. */
function summedAgain(code: string, random: Random): string {
  const bytes = decodeBase32(code.slice('stigmem1'.length)) ?? Buffer.alloc(8);
  const body = Buffer.from(bytes.subarray(0, -4));
  const at = random.below(body.length);
  body[at] = random.pick([0, 1, 0xff, (body[at] ?? 0) + 1, (body[at] ?? 0) - 1]) & 0xff;
  const whole = random.chance(5) ? Buffer.concat([body, random.bytes(1)]) : body;
  const sum = createHash('sha256').update('stigmem-invite/v1\0').update(whole).digest().subarray(0, 4);
  return `stigmem1${encodeBase32(Buffer.concat([whole, sum]))}`;
}

/** For messages of a failed test. */
export function shownCase(one: Case): string {
  const bytes = Buffer.from(one.note, 'base64');
  return `${one.kind}\n${bytes.length < 4_000 ? JSON.stringify(bytes.toString('utf8')) : encodeBase64(bytes).slice(0, 400)}`;
}
