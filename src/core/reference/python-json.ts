import { isJsonNumber, type JsonValue } from '../json.ts';
import { asciiJsonString, pythonJsonFloatText, pythonJsonString, pythonNumberText } from '../python-text.ts';

export interface PythonJsonStyle {
  /** Members in code point order; otherwise as they came. */
  readonly sortKeys: boolean;
  /** Escape everything outside of printable ASCII. */
  readonly ascii: boolean;
}

/** The style of CIDs, chain hashes, checkpoint payloads and leaf hashes. */
export const HASHED_STYLE: PythonJsonStyle = { sortKeys: true, ascii: false };

/** What `json.dumps(value, separators=(",", ":"))` prints for a value that `json.loads` has read. */
export function pythonJson(value: JsonValue, style: PythonJsonStyle): string {
  if (typeof value === 'string') return style.ascii ? asciiJsonString(value) : pythonJsonString(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isJsonNumber(value)) return numberText(value.lexeme);
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item, style)).join(',')}]`;
  const members = [...value];
  if (style.sortKeys) members.sort(([a], [b]) => compareByCodePoint(a, b));
  return `{${members.map(([key, member]) => `${pythonJson(key, style)}:${pythonJson(member, style)}`).join(',')}}`;
}

function numberText(lexeme: string): string {
  const x = Number(lexeme);
  return Number.isFinite(x) || /^-?[0-9]+$/.test(lexeme) ? pythonNumberText(lexeme) : pythonJsonFloatText(x);
}

/** Python sorts text by code point, JavaScript by UTF-16 unit: they differ where surrogate pairs meet U+E000–FFFF. */
function compareByCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
