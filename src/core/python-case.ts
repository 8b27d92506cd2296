/** White space of Python's `str`: unlike JavaScript's it has U+001C–001F and U+0085 and lacks U+FEFF. */
const SPACE = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING_SPACE = new RegExp(`^[${SPACE}]+`);
const SPACE_RUN = new RegExp(`[${SPACE}]+`, 'g');
const SPACE_CHAR = new RegExp(`[${SPACE}]`);

/**
 * Characters that got letter case, or became transparent to it, after Unicode 14.0: CPython 3.11 leaves them alone
 * and lets them end a word. Found by comparing CPython 3.11.7 with an engine of Unicode 17.0.
 */
const CASED_SINCE_UNICODE_14 = new RegExp(
  '([\\u0897\\u0ece\\u1acf-\\u1add\\u1ae0-\\u1aeb\\u1c89\\u1c8a\\ua7cb-\\ua7cf\\ua7d2\\ua7d4\\ua7da-\\ua7dc\\ua7f1' +
    '\\u{10d4e}\\u{10d50}-\\u{10d65}\\u{10d69}-\\u{10d6d}\\u{10d6f}-\\u{10d85}\\u{10ec5}\\u{10efa}-\\u{10eff}\\u{11241}' +
    '\\u{113bb}-\\u{113c0}\\u{113ce}\\u{113d0}\\u{113d2}\\u{113e1}\\u{113e2}\\u{11b60}\\u{11b62}-\\u{11b64}\\u{11b66}' +
    '\\u{11dd9}\\u{11f00}\\u{11f01}\\u{11f36}-\\u{11f3a}\\u{11f40}\\u{11f42}\\u{11f5a}\\u{13439}-\\u{13440}' +
    '\\u{13447}-\\u{13455}\\u{1611e}-\\u{16129}\\u{1612d}-\\u{1612f}\\u{16d40}-\\u{16d42}\\u{16d6b}\\u{16d6c}' +
    '\\u{16ea0}-\\u{16eb8}\\u{16ebb}-\\u{16ed3}\\u{16ff2}\\u{16ff3}\\u{1df25}-\\u{1df2a}\\u{1e030}-\\u{1e06d}\\u{1e08f}' +
    '\\u{1e4eb}-\\u{1e4ef}\\u{1e5ee}\\u{1e5ef}\\u{1e6e3}\\u{1e6e6}\\u{1e6ee}\\u{1e6ef}\\u{1e6f5}\\u{1e6ff}])',
  'u',
);

/** Python's `str.lower()`, Unicode 14.0, final sigma included. */
export function pythonLower(text: string): string {
  if (!CASED_SINCE_UNICODE_14.test(text)) return text.toLowerCase();
  // Splitting with a capture keeps the separators at odd places: those stay as they are.
  const parts = text.split(CASED_SINCE_UNICODE_14);
  return parts.map((part, place) => (place % 2 === 0 ? part.toLowerCase() : part)).join('');
}

/** Python's `str.strip()`. */
export function pythonStrip(text: string): string {
  const from = LEADING_SPACE.exec(text)?.[0].length ?? 0;
  // From the end by hand: a pattern anchored there would try every run of white space, in square time.
  let end = text.length;
  while (end > from && SPACE_CHAR.test(text.charAt(end - 1))) end -= 1;
  return text.slice(from, end);
}

/** Python's `re.sub(r'\s+', replacement, text)`; the replacement must not contain `$`. */
export function replaceWhitespaceRuns(text: string, replacement: string): string {
  return text.replace(SPACE_RUN, replacement);
}
