/** Which audit records belong to a case, to which, and for how many refusals they stand. Pure and total. */
import { type Severity, severityOf } from './severity.ts';
import { FACT_EVENT } from './verdict.ts';

/** What is common to all that one case stands for; empty where there is none. */
export interface CaseGroup {
  /** `refusal`, or the event. */
  readonly topic: string;
  /** Node id. */
  readonly peer: string;
  readonly reason: string;
  readonly feed: string;
  /** Of the peer's log key, 8 hex digits. */
  readonly keyId: string;
}

export interface Sighting extends CaseGroup {
  /** Refusals, or events, that the record stands for. A summary does not count those that have a record of their own. */
  readonly count: number;
  readonly severity: Severity;
  /** Of a drill. */
  readonly isDrill: boolean;
}

export const CASE_CHANGED = 'case_changed';
export const REFUSAL_TOPIC = 'refusal';
const SUMMARY = 'refusals_summarized';

/** Events of records that stand for one refusal each. */
export const REFUSAL_EVENTS: readonly string[] = [...new Set(Object.values(FACT_EVENT))];
const REFUSALS: ReadonlySet<string> = new Set(REFUSAL_EVENTS);
/**
 * Events without a refusal that somebody has to look at. One that is added when journals have cases needs a migration that sets
 * `cases_made_to` to 0 and empties their tables: else fsck finds cases missing of records of before. Not one that is new itself.
 */
const EVENTS = [
  'anchor_refused',
  'anchor_waits',
  'audit_tail_lost',
  'checkpoint_unreconciled',
  'drill_failed',
  'fact_mutation_attempted',
  'invite_refused',
  'journal_check_failed',
  'journal_corrupt',
  'journal_verification_failed',
  'key_expired',
  'mass_deletion',
  'own_history_forked',
  'peer_declaration_refused',
  'peer_key_succession',
  'peer_log_key_waits',
  'peer_words_differ',
  'refusal_budget_reached',
  'restored',
  'tombstone_refused',
] as const;
const WANTING_REVIEW: ReadonlySet<string> = new Set(EVENTS);

/** Events of all records that cases are made of. */
export const CASE_EVENTS: readonly string[] = [...REFUSALS, SUMMARY, ...EVENTS, CASE_CHANGED];

interface Recorded {
  readonly event: string;
  readonly reason: string | null;
  readonly peer: string | null;
  readonly feed: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly is_drill?: boolean;
}

/** @returns null: the record is of no case, or changes one */
export function sightingOf({ event, reason, peer, feed, detail, is_drill }: Recorded): Sighting | null {
  const severity = severityOf(event, reason);
  const isDrill = is_drill === true;
  const group = { peer: peer ?? '', reason: reason ?? '', feed: feed ?? '', keyId: '' };
  if (WANTING_REVIEW.has(event)) return { ...group, topic: event, count: 1, severity, isDrill };
  const isSummary = event === SUMMARY;
  if (reason === null || !(isSummary || REFUSALS.has(event))) return null;
  const refusal = { ...group, topic: REFUSAL_TOPIC, count: isSummary ? countedIn(detail) : 1, severity, isDrill };
  // Feeds beyond those that a peer is counted by are put together by reason, in records as in summaries.
  if (detail['feeds_together'] === true) return { ...refusal, feed: '' };
  const { key_id } = detail;
  return typeof key_id === 'string' ? { ...refusal, keyId: key_id } : refusal;
}

/** A summary stands for those that have no record of their own. */
function countedIn({ count, exemplars }: Readonly<Record<string, unknown>>): number {
  return typeof count === 'number' && Array.isArray(exemplars) ? Math.max(0, count - exemplars.length) : 0;
}
