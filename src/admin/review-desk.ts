/** What people decide: facts that are held back, proposals of two persons, cases. */
import type { ActBy, ActOutcome, Proposal, ReviewedAction } from '../core/approval.ts';
import type { Case } from '../core/case-fold.ts';
import type {
  BulkOutcome,
  CaseCount,
  CaseOrder,
  CaseOutcome,
  CasePage,
  CaseQuery,
  CaseSelection,
} from '../core/case-report.ts';
import type { CaseChange } from '../core/case-state.ts';
import type { ReviewDecision, ReviewOutcome } from '../core/review.ts';
import type { CaseEventPage, CaseEventQuery, CaseNews } from '../journal/case-reader.ts';
import type { ProposalPage, ProposalQuery } from '../journal/proposals.ts';
import type { AuditRecord } from '../journal/read-model.ts';
import type { ToldGroup } from '../journal/told-refusals.ts';
import type { QuarantinePage, QuarantineQuery } from '../projections/quarantine-reader.ts';

/** Facts that are hidden from readers. */
export interface QuarantineDesk {
  list(query: QuarantineQuery): Promise<QuarantinePage>;
  history(factId: string): Promise<readonly AuditRecord[]>;
  review(factId: string, decision: ReviewDecision, by: ActBy): Promise<ReviewOutcome>;
}

/** Proposals of actions that need two persons. What the actions do, their own parts know. */
export interface ApprovalDesk {
  /** Actions that the configuration asks two persons for. */
  readonly fourEyes: readonly ReviewedAction[];
  list(query: Omit<ProposalQuery, 'nowIso'>): Promise<ProposalPage>;
  find(id: number): Promise<Proposal | null>;
  /** Ends a proposal without doing anything. */
  end(
    id: number,
    by: { readonly end: 'rejected' | 'withdrawn'; readonly actor: string; readonly reason: string },
  ): Promise<ActOutcome<null>>;
}

/** Cases: what was refused, and what else wants review, with what people do about it. */
export interface CaseDesk {
  list(query: CaseQuery): Promise<CasePage>;
  counts(): Promise<readonly CaseCount[]>;
  /** @param name number or uid */
  file(name: number | string): Promise<CaseFile | null>;
  events(query: CaseEventQuery): Promise<CaseEventPage>;
  news(after: number, limit: number): Promise<readonly CaseNews[]>;
  change(order: CaseOrder, by: ActBy): Promise<CaseOutcome>;
  /** @param token of the preview that is to be done; null: looks only */
  changeMany(
    order: { readonly selection: CaseSelection; readonly change: CaseChange; readonly token: string | null },
    by: ActBy,
  ): Promise<BulkOutcome>;
}

/** One case with what is known around it. */
export interface CaseFile {
  readonly held: Case;
  /** Proposals about it, and about its peer, the newest first. */
  readonly proposals: readonly Proposal[];
  /** How far the peer was told of it; null: of this it is not told. */
  readonly told: ToldGroup | null;
}
