import { decodeBase64 } from '../merkle/base64.ts';

/** Where a message is not what it has to be. Texts are bounded, but come from a peer: escape them when shown. */
export interface Malformed {
  /** Path of the member, e.g. `feeds[3].after`; empty for the message as a whole. */
  readonly at: string;
  readonly expected: string;
  readonly got: string;
}

/** The one form that a value of a message may have. Pure and total: null, or the first thing that is wrong. */
export interface Shape<T> {
  readonly check: (value: unknown, at: string) => Malformed | null;
  /** Never present; ties the shape to the type that its values have. */
  readonly of?: T;
}

/** Longest text of a peer that is repeated in a refusal. */
const MAX_QUOTED_CHARS = 64;

/** A bounded description of a parsed JSON value. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (typeof value === 'object') return 'object';
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_QUOTED_CHARS)) : String(value);
  return text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text;
}

function wrong(at: string, expected: string, value: unknown): Malformed {
  return { at, expected, got: describe(value) };
}

/** Exactly this value. */
export function literal<T extends string | boolean | number | null>(only: T): Shape<T> {
  const expected = JSON.stringify(only);
  return { check: (value, at) => (value === only ? null : wrong(at, expected, value)) };
}

/** One of these texts. */
export function oneOf<T extends string>(...allowed: readonly T[]): Shape<T> {
  const expected = `one of ${allowed.join(', ')}`;
  const known: readonly string[] = allowed;
  return {
    check: (value, at) => (typeof value === 'string' && known.includes(value) ? null : wrong(at, expected, value)),
  };
}

export const boolean: Shape<boolean> = {
  check: (value, at) => (typeof value === 'boolean' ? null : wrong(at, 'boolean', value)),
};

/** A whole number from `min` to `max`; -0 is another encoding of 0 and refused. */
export function integer(max: number = Number.MAX_SAFE_INTEGER, min = 0): Shape<number> {
  const expected = `integer ${min}..${max}`;
  return {
    check: (value, at) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max && !Object.is(value, -0)
        ? null
        : wrong(at, expected, value),
  };
}

/** Text of 1 to `maxChars` UTF-16 units without lone surrogates. */
export function text(maxChars: number): Shape<string> {
  const expected = `text of 1..${maxChars} characters`;
  return {
    check: (value, at) =>
      typeof value === 'string' && value.length > 0 && value.length <= maxChars && value.isWellFormed()
        ? null
        : wrong(at, expected, value),
  };
}

/** Standard padded base64 that re-encodes to itself, of `minBytes` to `maxBytes`. */
export function base64(maxBytes: number, minBytes: number = maxBytes): Shape<string> {
  const expected = minBytes === maxBytes ? `base64 of ${maxBytes} bytes` : `base64 of ${minBytes}..${maxBytes} bytes`;
  return {
    check: (value, at) => {
      if (typeof value !== 'string' || value.length > Math.ceil(maxBytes / 3) * 4) return wrong(at, expected, value);
      const bytes = decodeBase64(value);
      return bytes !== undefined && bytes.length >= minBytes && bytes.length <= maxBytes
        ? null
        : wrong(at, expected, value);
    },
  };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return { check: (value, at) => (value === null ? null : shape.check(value, at)) };
}

/** An array of at most `maxItems`. */
export function list<T>(item: Shape<T>, maxItems: number): Shape<readonly T[]> {
  const expected = `array of at most ${maxItems}`;
  return {
    check: (value, at) => {
      if (!Array.isArray(value) || value.length > maxItems) return wrong(at, expected, value);
      for (let i = 0; i < value.length; i++) {
        const bad = item.check(value[i], '');
        if (bad !== null)
          return { ...bad, at: `${at}[${i}]${bad.at === '' || bad.at.startsWith('[') ? '' : '.'}${bad.at}` };
      }
      return null;
    },
  };
}

/** An object with exactly these members, in this order, which has to be the sorted one. */
export function object<T extends object>(members: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const shapes = Object.entries<Shape<unknown>>(members);
  const keys = shapes.map(([key]) => key);
  if (keys.some((key, i) => i > 0 && key <= (keys[i - 1] ?? '')))
    throw new TypeError(`members not sorted: ${keys.join(', ')}`);
  const expected = `members ${keys.join(', ')}`;
  return {
    check: (value, at) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(at, 'object', value);
      const got = Object.keys(value);
      if (got.length !== keys.length || got.some((key, i) => key !== keys[i]))
        return { at, expected, got: `members ${describe(got.join(', '))}` };
      const record = value as Readonly<Record<string, unknown>>;
      for (const [key, shape] of shapes) {
        const bad = shape.check(record[key], at === '' ? key : `${at}.${key}`);
        if (bad !== null) return bad;
      }
      return null;
    },
  };
}
