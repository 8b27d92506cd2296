import { err, ok, type Result } from './result.ts';

/** A number literal, digits untouched: only the literal tells `1` from `1.0` and keeps big integers exact. */
export class JsonNumber {
  readonly lexeme: string;

  constructor(lexeme: string) {
    this.lexeme = lexeme;
  }
}

/** Members in order of first appearance; a later duplicate replaces the value and keeps the place, as in Python. */
export type JsonObject = Map<string, JsonValue>;
export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;

export interface JsonLimits {
  /** Longest text, UTF-16 code units. */
  readonly maxChars?: number;
  /** Deepest nesting of arrays and objects. */
  readonly maxDepth?: number;
  /** `last` (default): the last value wins. `refuse`: a repeated key is an error. */
  readonly duplicateKeys?: 'last' | 'refuse';
}

export interface JsonError {
  readonly code: 'syntax' | 'too_large' | 'too_deep' | 'number_too_long' | 'duplicate_key';
  /** UTF-16 offset into the text. */
  readonly position: number;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly got: string;
}

const DEFAULT_MAX_CHARS = 16 * 1024 * 1024;
const DEFAULT_MAX_DEPTH = 256;
/** CPython refuses longer integer literals (`sys.get_int_max_str_digits`). */
const MAX_INTEGER_DIGITS = 4300;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|-?Infinity|NaN/y;
// A run of characters that need no decoding; JSON strings must not contain raw control characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the grammar is about control characters
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Refused extends Error {
  readonly detail: Omit<JsonError, 'line' | 'column'>;

  constructor(detail: Omit<JsonError, 'line' | 'column'>) {
    super(detail.code);
    this.detail = detail;
  }
}

/** Tells a number from the other JSON values. */
export function isJsonNumber(value: JsonValue | undefined): value is JsonNumber {
  return value instanceof JsonNumber;
}

/** Tells an object from the other JSON values. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/**
 * Reads JSON as CPython's `json.loads` does: number literals are kept, `NaN`, `Infinity` and `-Infinity` are numbers
 * (the caller refuses them where they make no sense), lone surrogate escapes are let through, duplicates: see
 * {@link JsonLimits}. One value and white space, nothing else. Never throws on bad input.
 */
export function parseJson(text: string, limits: JsonLimits = {}): Result<JsonValue, JsonError> {
  try {
    const reader = new Reader(text, limits);
    return ok(reader.document(limits.maxChars ?? DEFAULT_MAX_CHARS));
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    return err({ ...thrown.detail, ...lineAndColumn(text, thrown.detail.position) });
  }
}

/** Compact JSON text of a value, number literals as they were read, strings as `ensure_ascii=False` prints them. */
export function jsonText(value: JsonValue): string {
  if (value instanceof JsonNumber) return value.lexeme;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members: string[] = [];
  for (const [key, member] of value) members.push(`${JSON.stringify(key)}:${jsonText(member)}`);
  return `{${members.join(',')}}`;
}

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #refuseDuplicates: boolean;
  #at = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#maxDepth = limits.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#refuseDuplicates = limits.duplicateKeys === 'refuse';
  }

  document(maxChars: number): JsonValue {
    if (this.#text.length > maxChars) {
      const got = `${this.#text.length} characters`;
      throw new Refused({ code: 'too_large', position: 0, expected: `at most ${maxChars} characters`, got });
    }
    this.#skipSpace();
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#syntax('end of input');
    return value;
  }

  #value(depth: number): JsonValue {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const members: JsonObject = new Map();
    if (this.#take('}')) return members;
    do {
      this.#skipSpace();
      const keyAt = this.#at;
      if (this.#text[keyAt] !== '"') throw this.#syntax('a member name in double quotes');
      const key = this.#string();
      if (this.#refuseDuplicates && members.has(key)) {
        throw new Refused({
          code: 'duplicate_key',
          position: keyAt,
          expected: 'distinct names',
          got: 'a repeated one',
        });
      }
      if (!this.#take(':')) throw this.#syntax("':'");
      this.#skipSpace();
      members.set(key, this.#value(depth));
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#syntax("',' or '}'");
    return members;
  }

  #array(depth: number): JsonValue[] {
    this.#enter(depth);
    const items: JsonValue[] = [];
    if (this.#take(']')) return items;
    do {
      this.#skipSpace();
      items.push(this.#value(depth));
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#syntax("',' or ']'");
    return items;
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) {
      const expected = `at most ${this.#maxDepth} levels`;
      throw new Refused({ code: 'too_deep', position: this.#at, expected, got: 'one more' });
    }
    this.#at += 1;
  }

  #string(): string {
    let from = this.#at + 1;
    let out = '';
    for (;;) {
      const stop = this.#match(PLAIN, from);
      out += this.#text.slice(from, stop);
      this.#at = stop;
      const char = this.#text[stop];
      if (char === '"') {
        this.#at = stop + 1;
        return out;
      }
      if (char !== '\\') throw this.#syntax(char === undefined ? "a closing '\"'" : 'no raw control character');
      out += this.#escape(stop + 1);
      from = this.#at;
    }
  }

  #escape(at: number): string {
    const char = this.#text[at] ?? '';
    this.#at = at;
    if (char === 'u') {
      const end = this.#match(HEX4, at + 1);
      if (end < 0) throw this.#syntax('four hexadecimal digits after \\u');
      this.#at = end;
      return String.fromCharCode(Number.parseInt(this.#text.slice(at + 1, end), 16));
    }
    const plain = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (plain === undefined) throw this.#syntax('an escape: one of " \\ / b f n r t u');
    this.#at = at + 1;
    return plain;
  }

  #number(): JsonNumber {
    const from = this.#at;
    const end = this.#match(NUMBER, from);
    if (end < 0) throw this.#syntax('a value');
    const lexeme = this.#text.slice(from, end);
    if (lexeme.length > MAX_INTEGER_DIGITS && isLongInteger(lexeme)) {
      const expected = `at most ${MAX_INTEGER_DIGITS} digits`;
      throw new Refused({ code: 'number_too_long', position: from, expected, got: `${lexeme.length} characters` });
    }
    this.#at = end;
    return new JsonNumber(lexeme);
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#syntax(word);
    this.#at += word.length;
    return value;
  }

  #take(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    // Compact input is the rule: look before paying for a regular expression.
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#at = this.#match(SPACE, this.#at);
  }

  #match(pattern: RegExp, from: number): number {
    pattern.lastIndex = from;
    return pattern.test(this.#text) ? pattern.lastIndex : -1;
  }

  #syntax(expected: string): Refused {
    return new Refused({ code: 'syntax', position: this.#at, expected, got: describe(this.#text, this.#at) });
  }
}

function isLongInteger(lexeme: string): boolean {
  const digits = lexeme.startsWith('-') ? lexeme.length - 1 : lexeme.length;
  return digits > MAX_INTEGER_DIGITS && !/[.eE]/.test(lexeme);
}

/** Names one character of hostile input in printable ASCII. */
function describe(text: string, at: number): string {
  const codePoint = text.codePointAt(at);
  if (codePoint === undefined) return 'end of input';
  if (codePoint > 0x20 && codePoint < 0x7f) return `'${String.fromCodePoint(codePoint)}'`;
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

function lineAndColumn(text: string, position: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: position - lineStart + 1 };
}
