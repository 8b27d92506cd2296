import { hash } from 'node:crypto';
import { CoreError } from './errors.ts';
import { isJsonNumber, type JsonValue } from './json.ts';
import { isPythonPrintable } from './python-unicode.ts';

const NEEDS_ASCII_ESCAPE = /[^\x20-\x7e]/g;
const INTEGER = /^-?[0-9]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these
const NEEDS_JSON_ESCAPE = /["\\\u0000-\u001f]/;
const JSON_ESCAPES = new RegExp(NEEDS_JSON_ESCAPE, 'g');

/**
 * The text of a double as Python's `repr` prints it: shortest digits that round-trip, always with `.0` or an
 * exponent (`1.0`, `1e-05`, `1e+16`, `-0.0`). Non-finite: `nan`, `inf`, `-inf`.
 */
export function pythonFloatText(x: number): string {
  if (x === 1) return '1.0';
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0';
  const size = Math.abs(x);
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(x) ? `${x}.0` : `${x}`;
  if (!Number.isFinite(x)) return nonFiniteText(x);
  return withTwoExponentDigits(x.toExponential());
}

/** The text of a double inside `json.dumps`: as {@link pythonFloatText}, but `NaN`, `Infinity`, `-Infinity`. */
export function pythonJsonFloatText(x: number): string {
  return Number.isFinite(x) ? pythonFloatText(x) : `${x}`;
}

function nonFiniteText(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  return x > 0 ? 'inf' : '-inf';
}

function withTwoExponentDigits(text: string): string {
  const e = text.indexOf('e');
  const digits = text.slice(e + 2);
  return `${text.slice(0, e + 2)}${digits.length < 2 ? `0${digits}` : digits}`;
}

/** Python's `str()` of a parsed JSON value: strings unchanged, `True`, `None`, lists and objects as `repr`. */
export function pythonStr(value: JsonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

/** Python's `repr()` of a parsed JSON value. Recursion is as deep as the value, which the JSON reader bounds. */
export function pythonRepr(value: JsonValue): string {
  if (typeof value === 'string') return pythonStringRepr(value);
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (isJsonNumber(value)) return pythonNumberText(value.lexeme);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  const members: string[] = [];
  for (const [key, member] of value) members.push(`${pythonStringRepr(key)}: ${pythonRepr(member)}`);
  return `{${members.join(', ')}}`;
}

/**
 * Python's `str()` of a number literal. A literal without `.` and exponent is an integer of any size and keeps
 * all its digits; every other is a double.
 */
export function pythonNumberText(lexeme: string): string {
  if (!INTEGER.test(lexeme)) return pythonFloatText(Number(lexeme));
  return lexeme === '-0' ? '0' : lexeme;
}

function pythonStringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) out += reprOfChar(char, quote);
  return out + quote;
}

function reprOfChar(char: string, quote: string): string {
  if (char === quote || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  if (char === '\r') return '\\r';
  if (char === '\t') return '\\t';
  const codePoint = char.codePointAt(0) ?? 0;
  if (isPythonPrintable(codePoint)) return char;
  if (codePoint <= 0xff) return `\\x${hex(codePoint, 2)}`;
  return codePoint <= 0xffff ? `\\u${hex(codePoint, 4)}` : `\\U${hex(codePoint, 8)}`;
}

/**
 * A JSON string as `json.dumps(ensure_ascii=False)` prints it: `"`, `\` and U+0000–U+001F escaped, all else raw.
 * For well-formed text that is also RFC 8785's form. Lone surrogates stay raw, so that one check of the finished
 * text ({@link isWellFormed}) finds them before it is hashed.
 */
export function pythonJsonString(text: string): string {
  if (!NEEDS_JSON_ESCAPE.test(text)) return `"${text}"`;
  if (text.isWellFormed()) return JSON.stringify(text);
  // JSON.stringify would escape lone surrogates too, and hide them from a later check of the whole text.
  return `"${text.replace(JSON_ESCAPES, (char) => JSON.stringify(char).slice(1, -1))}"`;
}

/**
 * A JSON string as `json.dumps(ensure_ascii=True)` prints it: everything outside U+0020–U+007E is escaped, as
 * UTF-16 code units in lower-case hex. U+007F too.
 */
export function asciiJsonString(text: string): string {
  return JSON.stringify(text).replace(NEEDS_ASCII_ESCAPE, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}

/** Tells whether text has a UTF-8 form, that is, no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/**
 * `sha256:` and the hex SHA-256 of a text's UTF-8 bytes.
 * @throws CoreError `not_encodable_as_utf8` if the text holds a lone surrogate: it has no bytes to hash
 */
export function sha256OfText(text: string): `sha256:${string}` {
  if (!text.isWellFormed()) throw new CoreError('not_encodable_as_utf8', 'a text with a lone surrogate has no hash');
  return `sha256:${hash('sha256', text, 'hex')}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
