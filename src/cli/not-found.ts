/** What to say when what was asked for is not there: which id was given, and where ids are shown. */
import { CliError } from './exit.ts';

export type Noun = 'case' | 'fact' | 'peer' | 'proposal' | 'record';

/** Ids that a command was given, by what they are of. */
export type Asked = Readonly<Partial<Record<Noun, string>>>;

const NOUNS: Readonly<
  Record<Noun, { readonly said: readonly string[]; readonly expected: string; readonly see: string }>
> = {
  case: { said: ['case_unknown'], expected: 'the number or uid of a case', see: 'case list' },
  fact: {
    said: ['fact not found', 'fact_not_found', 'fact_unknown'],
    expected: 'the id of a fact that is here and that this key may see',
    see: 'query',
  },
  peer: { said: ['peer not found'], expected: 'the name of a partner', see: 'peer list' },
  proposal: { said: ['proposal_unknown'], expected: 'the number of a proposal', see: 'approval list' },
  record: { said: ['audit record not found'], expected: 'the sequence of an audit record', see: 'audit list' },
};
const MAX_SHOWN_CHARS = 200;

/** @param said the code or the sentence of the answer @returns null: it is of none of the ids */
export function notFound(said: readonly string[], code: string, asked: Asked): CliError | null {
  for (const [noun, { said: words, expected, see }] of Object.entries(NOUNS)) {
    const id = asked[noun as Noun];
    if (id === undefined || !said.some((word) => words.includes(word))) continue;
    const message = `expected ${expected}, got ${JSON.stringify(id.slice(0, MAX_SHOWN_CHARS))}, which none has`;
    return new CliError({ exit: 'not_found', message, fix: `See: stigmem-peerd ${see}`, code });
  }
  return null;
}
