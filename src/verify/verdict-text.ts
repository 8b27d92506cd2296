import type { EvidenceVerdict } from './evidence-verdict.ts';

const WORDS: Readonly<Record<EvidenceVerdict['verdict'], string>> = {
  contradiction: 'PROVEN',
  accusation: 'NOT PROVEN',
  invalid: 'INVALID',
};
const CLASSES: Readonly<Record<NonNullable<EvidenceVerdict['class']>, string>> = {
  a: 'two signed trees of one size',
  b: 'a signed tree that does not extend an earlier one',
  c: 'entries that cannot both be, or that a signed feed head denies',
  d: 'a signed entry that is not what its CID says',
};

/** How a verdict ends a program: proven, not proven, invalid. */
export const VERDICT_EXIT: Readonly<Record<EvidenceVerdict['verdict'], 0 | 1 | 2>> = {
  contradiction: 0,
  accusation: 1,
  invalid: 2,
};

/** A verdict in plain words, for people. ASCII: names in evidence are of the accused's or the accuser's choice. */
export function verdictText(verdict: EvidenceVerdict): string {
  const { peer, recorded } = verdict;
  const kind = verdict.class === null ? '' : ` (class ${verdict.class}: ${CLASSES[verdict.class]})`;
  const lines = [
    `${WORDS[verdict.verdict]}${kind}`,
    ...(peer === null ? [] : [`Accused: ${peer.node_id}, journal ${peer.origin}, log key ${peer.log_key}`]),
    ...(recorded === null ? [] : [`Recorded as: ${recorded.event}, ${recorded.reason}`]),
    ...section('What is proven', verdict.proven),
    ...section('What is not proven', verdict.not_proven),
  ];
  return `${lines.map(plainText).join('\n')}\n`;
}

function section(title: string, sentences: readonly string[]): string[] {
  return sentences.length === 0 ? [] : ['', title, ...sentences.map((sentence) => `- ${sentence}`)];
}

/** Whatever is not plain ASCII as its code point: nothing of others may steer a terminal. */
export function plainText(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
