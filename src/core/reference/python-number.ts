import { isJsonNumber, type JsonValue } from '../json.ts';
import { pythonStrip } from '../python-case.ts';
import { pythonDigitValue } from '../python-unicode.ts';
import { err, ok, type Result } from '../result.ts';

const INTEGER = /^[-+]?[0-9]+(?:_[0-9]+)*$/;
const DIGITS = '[0-9]+(?:_[0-9]+)*';
const FLOAT = new RegExp(`^[-+]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:[eE][-+]?${DIGITS})?$`);
const NON_FINITE = /^([-+]?)(?:(inf(?:inity)?)|nan)$/i;
/** CPython's limit on converting text to an integer. */
const MAX_DIGITS = 4300;

/** Python's `int(text)`: surrounding white space, a sign, digits of any script, single `_` between digits. */
export function parsePythonInt(text: string): Result<bigint, 'not_a_number'> {
  const plain = toAscii(text);
  if (!INTEGER.test(plain)) return err('not_a_number');
  const digits = plain.replace(/[-+_]/g, '');
  if (digits.length > MAX_DIGITS) return err('not_a_number');
  return ok(plain.startsWith('-') ? -BigInt(digits) : BigInt(digits));
}

/** Python's `float(text)`, as lenient as {@link parsePythonInt}, with `inf`, `infinity` and `nan` in any case. */
export function parsePythonFloat(text: string): Result<number, 'not_a_number'> {
  const plain = toAscii(text);
  const special = NON_FINITE.exec(plain);
  if (special !== null) {
    if (special[2] === undefined) return ok(Number.NaN);
    return ok(special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  }
  return FLOAT.test(plain) ? ok(Number(plain.replaceAll('_', ''))) : err('not_a_number');
}

/** Python's `float(value)` of a parsed JSON value; null, lists, objects and integers beyond a double are refused. */
export function pythonFloatOf(value: JsonValue): Result<number, 'not_a_number'> {
  if (typeof value === 'string') return parsePythonFloat(value);
  if (typeof value === 'boolean') return ok(value ? 1 : 0);
  if (!isJsonNumber(value)) return err('not_a_number');
  const x = Number(value.lexeme);
  if (INTEGER.test(value.lexeme)) return Number.isFinite(x) ? ok(x + 0) : err('not_a_number');
  return ok(x);
}

/** Python's `int(value)` of a parsed JSON value; floats are cut, non-finite ones refused. */
export function pythonIntOf(value: JsonValue): Result<bigint, 'not_a_number'> {
  if (typeof value === 'string') return parsePythonInt(value);
  if (typeof value === 'boolean') return ok(value ? 1n : 0n);
  if (!isJsonNumber(value)) return err('not_a_number');
  if (INTEGER.test(value.lexeme)) return ok(BigInt(value.lexeme));
  const x = Math.trunc(Number(value.lexeme));
  return Number.isFinite(x) ? ok(BigInt(x)) : err('not_a_number');
}

/**
 * What CPython does before it reads a number: digits and white space from beyond ASCII become ASCII, then ASCII white
 * space is trimmed. U+001C–001F are white space to `str.strip()`, but not here.
 */
function toAscii(text: string): string {
  const plain = text.replace(/[^\0-\x7f]/gu, (char) => {
    const value = pythonDigitValue(char.codePointAt(0) ?? 0);
    if (value >= 0) return String(value);
    return pythonStrip(char) === '' ? ' ' : char;
  });
  return plain.replace(/^[\t-\r ]+/, '').replace(/(?<![\t-\r ])[\t-\r ]+$/, '');
}
