/**
 * What the record of a step with a case says of the case: who is sent records alone, and holds no table of cases, knows which
 * one it is, how it stands and how much it weighs. Pure.
 */
import type { Case } from './case-fold.ts';
import { CASE_STATES, CASE_VERDICTS, type CaseState, type CaseVerdict } from './case-state.ts';
import { SEVERITIES, type Severity } from './severity.ts';

/** The machine has opened a case, or a resolved one again; what a person does is `case_changed`. */
export const CASE_OPENED = 'case_opened';

export interface CaseFinding {
  readonly uid: string;
  readonly topic: string;
  readonly reason: string;
  readonly key_id: string;
  readonly state: CaseState;
  readonly severity: Severity;
  readonly seen: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly verdict: CaseVerdict | null;
  readonly assignee: string | null;
  readonly ticket: string | null;
}

export function findingOf({ uid, topic, reason, key_id, state, severity, ...rest }: Case): CaseFinding {
  const { seen, first_at, last_at, verdict, assignee, ticket } = rest;
  return { uid, topic, reason, key_id, state, severity, seen, first_at, last_at, verdict, assignee, ticket };
}

/** @returns null: records of older versions, and what is none of ours, say nothing of it */
export function findingIn({ finding }: Readonly<Record<string, unknown>>): CaseFinding | null {
  if (typeof finding !== 'object' || finding === null) return null;
  const found = finding as Readonly<Record<keyof CaseFinding, unknown>>;
  const { state, severity, seen, verdict } = found;
  if (!isOneOf(CASE_STATES, state) || !isOneOf(SEVERITIES, severity) || !Number.isSafeInteger(seen)) return null;
  return {
    uid: textOf(found.uid),
    topic: textOf(found.topic),
    reason: textOf(found.reason),
    key_id: textOf(found.key_id),
    state,
    severity,
    seen: Number(seen),
    first_at: textOf(found.first_at),
    last_at: textOf(found.last_at),
    verdict: isOneOf(CASE_VERDICTS, verdict) ? verdict : null,
    assignee: typeof found.assignee === 'string' ? found.assignee : null,
    ticket: typeof found.ticket === 'string' ? found.ticket : null,
  };
}

function isOneOf<T extends string>(names: readonly T[], value: unknown): value is T {
  return names.some((name) => name === value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
