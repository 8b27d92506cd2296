/** Takes entries of stored pages that were refused when they came, and pass now. Page and cursor stay as they are. */
import { draftReceived } from '../core/draft.ts';
import type { Entry } from '../core/entry.ts';
import type { AcceptedFact, VerifiedBatch } from '../verify/judge.ts';
import { decodePageHeader } from '../wire/page-header.ts';
import type { AuditLog } from './audit-log.ts';
import type { Db } from './database.ts';
import type { EntryLog } from './entry-log.ts';
import { PageRefusals, type RefusedInPage } from './page-refusals.ts';
import type { Refusals } from './refusals.ts';
import { ResolvedRefusals } from './resolved-refusals.ts';

export interface RetriedPagesParts {
  readonly entries: EntryLog;
  readonly audit: AuditLog;
  readonly refusals: Refusals;
  /** All or nothing. */
  readonly transact: <T>(work: () => T) => T;
  readonly onReceived: (entries: readonly Entry[], nowMs: number) => void;
}

export class RetriedPages {
  readonly pages: PageRefusals;
  readonly #resolved: ResolvedRefusals;
  readonly #parts: RetriedPagesParts;

  constructor(db: Db, parts: RetriedPagesParts) {
    this.pages = new PageRefusals(db);
    this.#resolved = new ResolvedRefusals(db, parts.audit);
    this.#parts = parts;
  }

  /**
   * @param batch the page, judged again: what is held already is not among its accepted facts
   * @param by who asked for it, and why
   * @returns how many passed, by the reason that they were refused for
   */
  take(
    page: RefusedInPage,
    batch: VerifiedBatch,
    by: { readonly actor: string; readonly why: string },
    nowMs: number,
  ): ReadonlyMap<string, number> {
    const passed = passing(page, batch);
    if (passed.length === 0) return new Map();
    const { entries: log, refusals, transact, onReceived } = this.#parts;
    const { pageId, feed } = page;
    const { nodeId: peer } = batch.peer;
    return transact(() => {
      const firstSeq = log.size + 1;
      const drafts = passed.map(({ fact }) => draftReceived(fact.entry, fact.leafHash, peer));
      const entries = log.append(drafts, nowMs * 1000);
      for (const [i, { fact }] of passed.entries())
        if (fact.quarantine !== null) refusals.quarantined(entries[i] as Entry, fact.quarantine, batch, nowMs * 1000);
      this.pages.saveRetry({ pageId, peer, feed, places: passed.map(({ place }) => place), firstSeq });
      onReceived(entries, nowMs);
      return this.#resolved.record({ peer, feed, pageId }, passed, by, nowMs * 1000);
    });
  }
}

interface Passing {
  readonly fact: AcceptedFact;
  readonly place: number;
  readonly reason: string;
}

/** Facts of a page that pass now and were refused, in the order of the feed. */
function passing({ after, standing }: RefusedInPage, { accepted, page }: VerifiedBatch): readonly Passing[] {
  const header = decodePageHeader(page.header);
  const placeOf = new Map(header.ok ? header.value.indexes.map((index, i) => [index, after + 1 + i]) : []);
  return accepted.flatMap((fact) => {
    const place = placeOf.get(fact.index) ?? 0;
    const reason = standing.get(place);
    return reason === undefined ? [] : [{ fact, place, reason }];
  });
}
