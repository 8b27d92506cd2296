import {
  type Attestation,
  type Entry,
  isBase64Hash,
  isConfidenceText,
  isEntryHlc,
  isHashText,
  type Origin,
} from './entry-record.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_SAFE_DIGITS = 16;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const CONTROL_ESCAPE = /^u00[01][0-9a-f]$/;
/** Control characters that have a short escape, which is then the only one allowed. */
const HAS_SHORT_ESCAPE = /[\b\f\n\r\t]/;

/**
 * Reads the canonical text of an entry, and nothing but that: keys in their order, no white space, one spelling per
 * value. Two texts never give the same entry. Null: something else; why is for a slower reader to find out.
 *
 * @param text     decoded from valid UTF-8, so without lone surrogates
 * @param escaped  whether the text holds a backslash anywhere; without one no string needs a second look
 */
export function scanEntry(text: string, escaped: boolean): Entry | null {
  const scan = new Scanner(text, escaped);
  const attestation = scan.attestation('{"attestation":');
  const chain_hash = scan.hash(',"chain_hash":"');
  const chain_seq = scan.integer(',"chain_seq":');
  const cid = scan.string(',"cid":"');
  const confidence = scan.checked(',"confidence":"', isConfidenceText);
  const created_at = scan.string(',"created_at":"');
  const derived_from = scan.strings(',"derived_from":[');
  const entity = scan.string(',"entity":"');
  const event_hash = scan.hash(',"event_hash":"');
  const fact_id = scan.string(',"fact_id":"');
  const feed_seq = scan.integer(',"feed_seq":');
  const garden_id = scan.nullable(',"garden_id":');
  const hlc = scan.checked(',"hlc":"', isEntryHlc);
  const interpret_as = scan.string(',"interpret_as":"');
  const origin = scan.origin(',"origin":');
  const previous_hash = scan.nullable(',"previous_hash":');
  const received_from = scan.nullable(',"received_from":');
  const relation = scan.string(',"relation":"');
  const scope = scan.string(',"scope":"');
  const source = scan.string(',"source":"');
  const timestamp = scan.string(',"tenant_id":"default","timestamp":"');
  const valid_until = scan.nullable(',"v":1,"valid_until":');
  const value_type = scan.string(',"value_type":"');
  const value_v = scan.string(',"value_v":"');
  scan.expect('}');
  if (!scan.finished() || (previous_hash !== null && !isHashText(previous_hash))) return null;
  return {
    attestation,
    chain_hash,
    chain_seq,
    cid,
    confidence,
    created_at,
    derived_from,
    entity,
    event_hash,
    fact_id,
    feed_seq,
    garden_id,
    hlc,
    interpret_as,
    origin,
    previous_hash,
    received_from,
    relation,
    scope,
    source,
    tenant_id: 'default',
    timestamp,
    v: 1,
    valid_until,
    value_type,
    value_v,
  };
}

/** After the first mismatch every further call is a no-op, so that the path above needs no branches. */
class Scanner {
  readonly #text: string;
  readonly #escaped: boolean;
  #at = 0;
  #failed = false;

  constructor(text: string, escaped: boolean) {
    this.#text = text;
    this.#escaped = escaped;
  }

  finished(): boolean {
    return !this.#failed && this.#at === this.#text.length;
  }

  expect(literal: string): void {
    if (this.#text.startsWith(literal, this.#at)) this.#at += literal.length;
    else this.#failed = true;
  }

  /** The literal ends with the opening quote. */
  string(literal: string): string {
    this.expect(literal);
    return this.#failed ? '' : this.#rest();
  }

  checked(literal: string, isValid: (text: string) => boolean): string {
    const text = this.string(literal);
    if (!this.#failed && !isValid(text)) this.#failed = true;
    return text;
  }

  hash(literal: string): string {
    return this.checked(literal, isHashText);
  }

  nullable(literal: string): string | null {
    this.expect(literal);
    if (this.#failed || this.#takeNull()) return null;
    return this.string('"');
  }

  integer(literal: string): number {
    this.expect(literal);
    if (this.#failed) return 0;
    const from = this.#at;
    let value = 0;
    let at = from;
    for (; at < from + MAX_SAFE_DIGITS; at += 1) {
      const digit = this.#text.charCodeAt(at) - 0x30;
      // Also ends at the end of the text, where charCodeAt gives NaN.
      if (!(digit >= 0 && digit <= 9) || (at > from && value === 0)) break;
      value = value * 10 + digit;
    }
    if (at === from || !Number.isSafeInteger(value)) this.#failed = true;
    this.#at = at;
    return value;
  }

  strings(literal: string): string[] {
    this.expect(literal);
    const items: string[] = [];
    if (this.#failed || this.#take(']')) return items;
    items.push(this.string('"'));
    while (!this.#failed && !this.#take(']')) items.push(this.string(',"'));
    return items;
  }

  attestation(literal: string): Attestation | null {
    this.expect(literal);
    if (this.#failed || this.#takeNull()) return null;
    const key_id = this.string('{"key_id":"');
    const signature = this.string(',"signature":"');
    this.expect('}');
    return { key_id, signature };
  }

  origin(literal: string): Origin | null {
    this.expect(literal);
    if (this.#failed || this.#takeNull()) return null;
    const chain_seq = this.integer('{"chain_seq":');
    const leaf_hash = this.checked(',"leaf_hash":"', isBase64Hash);
    const node_id = this.string(',"node_id":"');
    this.expect('}');
    return { chain_seq, leaf_hash, node_id };
  }

  #take(literal: string): boolean {
    if (!this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  #takeNull(): boolean {
    return this.#text.charCodeAt(this.#at) !== QUOTE && this.#take('null');
  }

  /** A string's content, from behind its opening quote to behind its closing one. */
  #rest(): string {
    const from = this.#at;
    const end = this.#escaped ? this.#closingQuote(from) : this.#text.indexOf('"', from);
    if (end < 0) {
      this.#failed = true;
      return '';
    }
    this.#at = end + 1;
    const raw = this.#text.slice(from, end);
    return this.#escaped && raw.includes('\\') ? this.#unescape(raw) : raw;
  }

  #closingQuote(from: number): number {
    for (let at = from; at < this.#text.length; at += 1) {
      const unit = this.#text.charCodeAt(at);
      if (unit === QUOTE) return at;
      if (unit === BACKSLASH) at += 1;
    }
    return -1;
  }

  #unescape(raw: string): string {
    let out = '';
    let from = 0;
    for (let at = raw.indexOf('\\'); at !== -1; at = raw.indexOf('\\', from)) {
      const decoded = decodeEscape(raw, at + 1);
      if (decoded === null) {
        this.#failed = true;
        return '';
      }
      out += raw.slice(from, at) + decoded;
      from = at + (raw[at + 1] === 'u' ? 6 : 2);
    }
    return out + raw.slice(from);
  }
}

function decodeEscape(raw: string, at: number): string | null {
  const char = raw[at] ?? '';
  if (char !== 'u') return Object.hasOwn(SHORT_ESCAPES, char) ? (SHORT_ESCAPES[char] ?? null) : null;
  const unicode = raw.slice(at, at + 5);
  if (!CONTROL_ESCAPE.test(unicode)) return null;
  const decoded = String.fromCharCode(Number.parseInt(unicode.slice(1), 16));
  return HAS_SHORT_ESCAPE.test(decoded) ? null : decoded;
}
