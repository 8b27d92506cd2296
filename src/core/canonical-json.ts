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

function isList(value: object): value is readonly PlainJson[] {
  return Array.isArray(value);
}
