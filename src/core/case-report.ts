/** What is asked and told about cases. */
import type { ActOutcome } from './approval.ts';
import type { Case } from './case-fold.ts';
import type { CaseChange, CaseRefusal, CaseState } from './case-state.ts';
import type { Severity } from './severity.ts';

/** Conditions that combine. */
export interface CaseFilter {
  readonly states?: readonly CaseState[];
  readonly severities?: readonly Severity[];
  readonly topic?: string;
  /** Node id. */
  readonly peer?: string;
  readonly reason?: string;
  readonly feed?: string;
  /** Null: those that are nobody's. */
  readonly assignee?: string | null;
  /** Seen or changed at this moment or later. */
  readonly since?: string;
  /** In a note or reason that somebody gave, in a ticket. */
  readonly text?: string;
  /** Those of drills, or all others; absent: both. */
  readonly drill?: boolean;
}

export interface CaseQuery extends CaseFilter {
  /** By when they were opened; or by their newest record, the oldest first: for whoever follows. */
  readonly order: 'newest' | 'oldest' | 'changed';
  /** The last one of the page before: its `id`, in the order of changes its `last_seq`. */
  readonly cursor: number | null;
  readonly limit: number;
}

export interface CasePage {
  readonly cases: readonly Case[];
  readonly cursor: number | null;
  readonly more: boolean;
}

/** How many there are of a state and a severity, and since when the longest of them is in it. */
export interface CaseCount {
  readonly state: CaseState;
  readonly severity: Severity;
  readonly is_drill: boolean;
  readonly count: number;
  readonly oldest_at: string;
}

/** A change that was made to a case, as its record says. */
export interface MadeChange {
  readonly audit_seq: number;
  readonly at: string;
  readonly by: string | null;
  readonly move: string;
}

export interface CaseOrder {
  readonly id: number;
  /** The version that was looked at; null: any. */
  readonly version: number | null;
  readonly change: CaseChange;
}

export type CaseOutcome =
  | ActOutcome<Case>
  | { readonly kind: 'unknown' }
  /** Somebody, or the next refusal, was there before. */
  | { readonly kind: 'stale'; readonly held: Case; readonly since: readonly MadeChange[] }
  | { readonly kind: 'impossible'; readonly held: Case; readonly code: CaseRefusal };

/** Which cases are meant: by name, or all that a filter finds. */
export type CaseSelection = { readonly ids: readonly number[] } | { readonly filter: CaseFilter };

/** What a change of many would do. */
export interface BulkPreview {
  /** Names exactly these cases at these versions, and the change. */
  readonly token: string;
  readonly would_change: readonly {
    readonly id: number;
    readonly version: number;
    readonly from: CaseState;
    readonly to: CaseState;
  }[];
  readonly would_refuse: readonly { readonly id: number; readonly code: CaseRefusal | 'case_unknown' }[];
}

export type BulkOutcome =
  | { readonly kind: 'previewed'; readonly preview: BulkPreview }
  | {
      readonly kind: 'applied';
      readonly changed: readonly number[];
      /** Proposals that wait for a second person, by case. */
      readonly proposed: readonly { readonly id: number; readonly proposal: number }[];
      readonly refused: readonly { readonly id: number; readonly code: string }[];
    }
  /** What would change now is not what was looked at. */
  | { readonly kind: 'set_changed'; readonly preview: BulkPreview }
  | { readonly kind: 'too_many'; readonly most: number };

/** How the API names the subject of a proposal about a case. */
export function caseSubject(id: number): string {
  return `case:${id}`;
}

/** @returns null: it is none */
export function caseOfSubject(subject: string): number | null {
  const id = /^case:([1-9][0-9]{0,14})$/.exec(subject)?.[1];
  return id === undefined ? null : Number(id);
}
