/** What recall asks of the journal's thread. */
import type { Journal } from '../journal/journal.ts';
import type { RecallIndex } from '../projections/recall-index.ts';

/** Some 20 ms: what was asserted a moment ago is found, and a long way behind is not caught up with while somebody waits. */
const MAX_SETTLED = 2_000;

export interface RecallMethods {
  /** Takes the newest facts into the index, unless there are very many. @returns entries that cannot be found yet */
  settleRecall(): number;
}

export function recallMethods(journal: Journal, words: RecallIndex): RecallMethods {
  return {
    settleRecall: () => {
      if (words.lag(journal.size) <= MAX_SETTLED) words.advance();
      return words.lag(journal.size);
    },
  };
}
