import { MAX_JSON_DEPTH } from './limits.ts';

/** A JSON value whose only numbers are safe integers: what this program writes and signs. */
export type PlainJson =
  | null
  | boolean
  | number
  | string
  | readonly PlainJson[]
  | { readonly [member: string]: PlainJson | undefined };

/**
 * JSON per RFC 8785 (JCS): members sorted by UTF-16 code units, no white space, minimal escapes. Members that are
 * undefined are left out.
 *
 * @throws RangeError on a number that is no safe integer: no two implementations would have to print a float alike
 */
export function canonicalJson(value: PlainJson): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} has no canonical form here: not a safe integer`);
    return String(value);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .flatMap((name) => {
      const member = value[name];
      return member === undefined ? [] : [`${JSON.stringify(name)}:${canonicalJson(member)}`];
    });
  return `{${members.join(',')}}`;
}

/** A canonical text escapes control characters and, as U+D800 to U+DFFF, what has no UTF-8 form; nothing else. */
const LONE_SURROGATE = /(?:^|[^\\])(?:\\\\)*\\ud/;

/**
 * Tells whether a text is the canonical one of the value parsed from it: excludes white space, duplicates, other orders and
 * spellings, numbers that are no safe integers, lone surrogates, and what nests deeper than `MAX_JSON_DEPTH`. Total.
 */
export function isCanonicalJson(value: unknown, text: string): boolean {
  if (isDeeper(value, MAX_JSON_DEPTH) || LONE_SURROGATE.test(text)) return false;
  try {
    return canonicalJson(value as PlainJson) === text;
  } catch {
    return false;
  }
}

/** Not by spreading members: an array of a million would end the stack. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

function isList(value: object): value is readonly PlainJson[] {
  return Array.isArray(value);
}
