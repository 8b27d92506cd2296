/**
 * The life of a case: what one may be in, what leads from one state to another, what each step has to say. A case stands for
 * all that was refused of one peer for one reason, or for one kind of event that wants review. Pure: what happened is on record.
 */
import { isReason, MAX_REASON_CHARS } from './approval.ts';
import { err, ok, type Result } from './result.ts';

export const CASE_STATES = [
  'new',
  'acknowledged',
  'investigating',
  'waiting',
  'resolved',
  'suppressed',
  'reopened',
] as const;
export type CaseState = (typeof CASE_STATES)[number];
/** Those that somebody has still to do something about. */
export const OPEN_STATES: readonly CaseState[] = ['new', 'acknowledged', 'investigating', 'waiting', 'reopened'];
/** Those that nobody has looked at. */
export const UNSEEN_STATES: readonly CaseState[] = ['new', 'reopened'];

/** What a case turned out to be; it is closed with one of these. */
export const CASE_VERDICTS = [
  'peer_bug',
  'our_bug',
  'key_rotation',
  'clock',
  'operator_error',
  'malicious',
  'drill',
  'duplicate',
  'insufficient_data',
] as const;
export type CaseVerdict = (typeof CASE_VERDICTS)[number];

export interface Move {
  readonly from: readonly CaseState[];
  /** Null: the state stays. */
  readonly to: CaseState | null;
  /** How its audit record names it. */
  readonly done: string;
  readonly needsWhy: boolean;
}

/** A step that a person takes. */
export type CaseMove =
  | 'acknowledge'
  | 'investigate'
  | 'wait'
  | 'resolve'
  | 'suppress'
  | 'reopen'
  | 'assign'
  | 'note'
  | 'ticket';

/** Which states each step may be taken in, and where it leads. */
export const CASE_MOVES: Readonly<Record<CaseMove, Move>> = {
  acknowledge: { from: UNSEEN_STATES, to: 'acknowledged', done: 'acknowledged', needsWhy: false },
  investigate: {
    from: ['new', 'reopened', 'acknowledged', 'waiting'],
    to: 'investigating',
    done: 'investigating',
    needsWhy: false,
  },
  wait: {
    from: ['new', 'reopened', 'acknowledged', 'investigating'],
    to: 'waiting',
    done: 'waiting',
    needsWhy: true,
  },
  resolve: { from: [...OPEN_STATES, 'suppressed'], to: 'resolved', done: 'resolved', needsWhy: true },
  suppress: { from: [...OPEN_STATES, 'suppressed'], to: 'suppressed', done: 'suppressed', needsWhy: true },
  reopen: { from: ['resolved', 'suppressed'], to: 'reopened', done: 'reopened', needsWhy: true },
  assign: { from: CASE_STATES, to: null, done: 'assigned', needsWhy: false },
  note: { from: CASE_STATES, to: null, done: 'noted', needsWhy: true },
  ticket: { from: CASE_STATES, to: null, done: 'ticketed', needsWhy: false },
};
export const CASE_MOVE_NAMES: readonly CaseMove[] = Object.keys(CASE_MOVES) as readonly CaseMove[];

/** A step, with all that it may say. What its kind has no use for is null. */
export interface CaseChange {
  readonly move: CaseMove;
  /** A note, or the reason; empty: none. */
  readonly why: string;
  /** To resolve. */
  readonly verdict: CaseVerdict | null;
  /** Who works on it; null: nobody. To assign. */
  readonly assignee: string | null;
  /** Address or number in another system; null: none. */
  readonly ticket: string | null;
  /** Who answers for a suppression, and when it ends, as the audit log writes times. */
  readonly owner: string | null;
  readonly until: string | null;
}

export const NO_CHANGE: Omit<CaseChange, 'move'> = {
  why: '',
  verdict: null,
  assignee: null,
  ticket: null,
  owner: null,
  until: null,
};

/** Characters of a name or a ticket. */
export const MAX_CASE_NAME_CHARS = 200;
/** A suppression that nobody looks at again is blindness: a quarter of a year at most. */
export const MAX_SUPPRESSION_DAYS = 92;

export type CaseRefusal =
  | 'state_forbids'
  | 'why_needed'
  | 'verdict_needed'
  | 'owner_needed'
  | 'until_invalid'
  | 'name_invalid'
  | 'nothing_changes';

/**
 * What a step leads to.
 *
 * @param now    as the audit log writes times
 * @param latest the last moment at which a suppression may end
 */
export function nextState(
  held: { readonly state: CaseState; readonly assignee: string | null; readonly ticket: string | null },
  change: CaseChange,
  { now, latest }: { readonly now: string; readonly latest: string },
): Result<CaseState, CaseRefusal> {
  const move = CASE_MOVES[change.move];
  if (!move.from.includes(held.state)) return err('state_forbids');
  if (change.why === '' ? move.needsWhy : !isReason(change.why)) return err('why_needed');
  const refusal = faultOf(held, change, now, latest);
  return refusal === null ? ok(move.to ?? held.state) : err(refusal);
}

function faultOf(
  held: { readonly assignee: string | null; readonly ticket: string | null },
  { move, verdict, assignee, ticket, owner, until }: CaseChange,
  now: string,
  latest: string,
): CaseRefusal | null {
  if (move === 'resolve' && verdict === null) return 'verdict_needed';
  if (move === 'suppress') {
    if (owner === null || !isName(owner)) return 'owner_needed';
    return until === null || until <= now || until > latest ? 'until_invalid' : null;
  }
  if (move === 'assign') return nameFault(held.assignee, assignee);
  return move === 'ticket' ? nameFault(held.ticket, ticket) : null;
}

function nameFault(held: string | null, given: string | null): CaseRefusal | null {
  if (given === held) return 'nothing_changes';
  return given === null || isName(given) ? null : 'name_invalid';
}

function isName(text: string): boolean {
  return text.trim() !== '' && text.length <= MAX_CASE_NAME_CHARS && text.isWellFormed();
}

/** A refusal in words. */
export function caseRefusalText(code: CaseRefusal, { move }: Pick<CaseChange, 'move'>, state: CaseState): string {
  switch (code) {
    case 'state_forbids':
      return `a case that is ${state} cannot be changed by ${move}: expected one that is ${CASE_MOVES[move].from.join(', ')}`;
    case 'why_needed':
      return `expected a text of 1 to ${MAX_REASON_CHARS} characters`;
    case 'verdict_needed':
      return `expected a verdict: ${CASE_VERDICTS.join(', ')}`;
    case 'owner_needed':
      return `expected who answers for the suppression, in 1 to ${MAX_CASE_NAME_CHARS} characters`;
    case 'until_invalid':
      return `expected when the suppression ends, a moment to come and within ${MAX_SUPPRESSION_DAYS} days`;
    case 'name_invalid':
      return `expected 1 to ${MAX_CASE_NAME_CHARS} characters, or null for none`;
    case 'nothing_changes':
      return 'it is so already';
  }
}
