/** Words of texts, as the recall index sees them. Nothing of a query but letters and digits ever reaches FTS5. */

/**
 * Runs that FTS5's `unicode61` takes as one token each. Left out: letters that its tables do not know as such, which
 * would cut a run into two tokens.
 */
const RUN = /(?:(?![\u19b0-\u19c9\u1cf2\u1cf3])[\p{L}\p{N}])+/gu;
const MARKS = /\p{M}/gu;
/** Terms of one query: each costs a look into the index. */
const MAX_TERMS = 24;
/** A longer one is found by nothing that a person types. */
const MAX_TERM_CHARS = 64;
/** Of a longer text only this much counts for its rank; all of it can be found. */
const MAX_RANKED_CHARS = 16_384;

/** One word of a query. */
export interface Term {
  /** Lower case, without diacritics: what two spellings of a word have in common. */
  readonly folded: string;
  /** FTS5 expression that means this word and nothing else. */
  readonly match: string;
}

/** The words of a query, each once, in their order. */
export function termsOf(query: string): Term[] {
  const terms = new Map<string, Term>();
  for (const [word] of query.normalize('NFC').matchAll(RUN)) {
    const folded = fold(word);
    if (folded === '' || word.length > MAX_TERM_CHARS || terms.has(folded)) continue;
    terms.set(folded, { folded, match: `"${word}"` });
    if (terms.size === MAX_TERMS) break;
  }
  return [...terms.values()];
}

/** Every word of a text with the number of times it occurs, and how many words there are. */
export function countWords(text: string): { readonly counts: ReadonlyMap<string, number>; readonly words: number } {
  const counts = new Map<string, number>();
  let words = 0;
  for (const [word] of text.slice(0, MAX_RANKED_CHARS).normalize('NFC').matchAll(RUN)) {
    const folded = fold(word);
    counts.set(folded, (counts.get(folded) ?? 0) + 1);
    words++;
  }
  return { counts, words };
}

function fold(word: string): string {
  return word.normalize('NFD').replace(MARKS, '').toLowerCase();
}
