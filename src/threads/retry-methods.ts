/** Refused facts of a peer, judged again by the journal's thread: a page at a time, so that other calls come between. */
import type { RetryReport } from '../core/retry-report.ts';
import type { Journal } from '../journal/journal.ts';
import { type RetriedPage, type RetryInput, retryNext } from '../pull/retry-pages.ts';

export interface RetryMethods {
  /** @returns null: nothing of the peer stands refused behind that page */
  retryPage(input: RetryInput): RetriedPage | null;
  /** Records what became of a run. @returns the sequence of its audit record */
  recordRetry(peer: string, report: RetryReport, by: RetryInput['by'], nowMs: number): number;
}

export function retryMethods(journal: Journal): RetryMethods {
  return {
    retryPage: (input) => retryNext(journal, input),
    recordRetry: (peer, { pages, judged, resolved, standing, unreadable }, { actor, why }, nowMs) => {
      const detail = { judged, pages, resolved, standing, unreadable, why };
      return journal.audit({ event: 'refusals_retried', peer, actor, detail }, nowMs);
    },
  };
}
