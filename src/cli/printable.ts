/**
 * Text of others on a terminal: facts and audit records carry what a hostile peer wrote. Control characters could move
 * the cursor, set the title or type commands; direction marks could make a name read as another one.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
// Letters, marks and tags that nothing is drawn for.
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
// Lone surrogates have no UTF-8 form.
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text with everything invisible or dangerous written as `\u{…}`, cut after `maxChars`. */
export function printable(text: string, maxChars = 10_000): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return cut.replace(LONE, escaped).replace(DANGEROUS, escaped).replace(UNSEEN, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
