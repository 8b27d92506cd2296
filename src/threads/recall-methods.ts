/** What recall asks of the journal's thread. */
import type { CatchUp } from './catch-up.ts';

export interface RecallMethods {
  /** Takes the newest facts into the index, unless there are very many. @returns entries that cannot be found yet */
  settleRecall(): number;
}

export function recallMethods(catchUp: CatchUp): RecallMethods {
  return { settleRecall: () => catchUp.settleWords() };
}
