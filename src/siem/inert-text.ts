/**
 * Text that does nothing wherever it is shown or parsed: what a peer sent reaches terminals, spreadsheets, pages and parsers of
 * log lines of people who never heard of this node. Pure.
 */

// No markup, and of ASCII what can be printed: with that no escape sequence, direction mark or invisible letter is left.
const UNSAFE_IN_JSON = /[^\u0020-\u007e]|[<>&]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** One line of JSON in printable ASCII without markup. It parses to the value that was given. */
export function inertJson(value: unknown): string {
  // Control characters are escaped already; what is left are single UTF-16 units, which JSON can name.
  return JSON.stringify(value).replace(UNSAFE_IN_JSON, escaped);
}

/** Text without control characters, line breaks and invisible letters: they are written as `\u001b`. */
export function inertText(text: string): string {
  return text.toWellFormed().replace(CONTROL, (found) => [...unitsOf(found)].map(escaped).join(''));
}

function* unitsOf(text: string): Iterable<string> {
  for (let i = 0; i < text.length; i++) yield text[i] ?? '';
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
