import { isUtf8 } from 'node:buffer';
import { MAX_JSON_DEPTH } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Malformed, Shape } from './shape.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/** Deepest nesting of a JSON text, without parsing it; stops counting above the limit. */
function nesting(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length && deepest <= MAX_JSON_DEPTH; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) deepest = Math.max(deepest, ++depth);
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return deepest;
}

function parse(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/**
 * Reads one protocol message. Pure and total. Only one byte sequence encodes a value: members as listed and sorted,
 * no white space, minimal escapes, numbers that are non-negative safe integers (RFC 8785 within these types).
 *
 * @param maxBytes checked before anything is parsed
 */
export function decodeMessage<T>(bytes: Uint8Array, shape: Shape<T>, maxBytes: number): Result<T, Malformed> {
  if (bytes.length > maxBytes)
    return err({ at: '', expected: `at most ${maxBytes} bytes`, got: `${bytes.length} bytes` });
  if (!isUtf8(bytes)) return err({ at: '', expected: 'UTF-8', got: 'other bytes' });
  if (nesting(bytes) > MAX_JSON_DEPTH)
    return err({ at: '', expected: `at most ${MAX_JSON_DEPTH} levels`, got: 'deeper nesting' });

  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const parsed = parse(text);
  if (parsed === null) return err({ at: '', expected: 'JSON', got: 'other text' });

  const bad = shape.check(parsed.value, '');
  if (bad !== null) return err(bad);
  // Members are known to be in sorted order here, so this one comparison excludes white space, duplicates, other
  // spellings of numbers and needless escapes.
  if (JSON.stringify(parsed.value) !== text)
    return err({ at: '', expected: 'canonical JSON', got: 'another encoding' });
  return ok(parsed.value as T);
}

/** Members in the order of their UTF-16 units, as RFC 8785 sorts them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map(sorted) : value;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

/**
 * Writes one protocol message, whatever the order of the members given.
 *
 * @throws TypeError when the value does not have the shape: what we send, our own decoder has to take
 */
export function encodeMessage<T>(shape: Shape<T>, value: T): Uint8Array {
  const canonical = sorted(value);
  const bad = shape.check(canonical, '');
  if (bad !== null) throw new TypeError(`own message, at "${bad.at}": expected ${bad.expected}, got ${bad.got}`);
  return Buffer.from(JSON.stringify(canonical), 'utf8');
}
