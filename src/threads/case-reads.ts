/** Cases, as the readers' thread serves them. */
import type { Proposal } from '../core/approval.ts';
import type { Case } from '../core/case-fold.ts';
import { type CaseCount, type CasePage, type CaseQuery, caseSubject } from '../core/case-report.ts';
import { type CaseEventPage, type CaseEventQuery, type CaseNews, CaseReader } from '../journal/case-reader.ts';
import type { Db } from '../journal/database.ts';
import type { Proposals } from '../journal/proposals.ts';
import { type ToldGroup, ToldRefusals } from '../journal/told-refusals.ts';

/** One case with what is known around it. */
export interface CaseFile {
  readonly held: Case;
  /** Proposals about it, and about its peer, the newest first. */
  readonly proposals: readonly Proposal[];
  /** How far the peer was told of it; null: of this it is not told. */
  readonly told: ToldGroup | null;
}

export interface CaseReads {
  cases(query: CaseQuery): CasePage;
  caseCounts(): readonly CaseCount[];
  /** @param name number or uid */
  caseFile(name: number | string, nowIso: string): CaseFile | null;
  caseEvents(query: CaseEventQuery): CaseEventPage;
  caseNews(after: number, limit: number): readonly CaseNews[];
}

export function caseReads(db: Db, proposals: Proposals): CaseReads {
  const reader = new CaseReader(db);
  const told = new ToldRefusals(db);
  return {
    cases: (query) => reader.list(query),
    caseCounts: () => reader.counts(),
    caseFile: (name, nowIso) => {
      const held = reader.find(name);
      if (held === null) return null;
      const { id, peer, feed, reason } = held;
      const subjects = [caseSubject(id), ...(peer === '' ? [] : [peer])];
      const about = subjects.flatMap((subject) => proposals.ofSubject(subject, nowIso));
      return { held, proposals: about, told: told.find(peer, feed, reason) };
    },
    caseEvents: (query) => reader.events(query),
    caseNews: (after, limit) => reader.news(after, limit),
  };
}
