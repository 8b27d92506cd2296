/** A case as it follows from its audit records, one after the other. Pure: filled again from the log it comes out the same. */

import type { Sighting } from './case-sighting.ts';
import { CASE_MOVES, type CaseMove, type CaseState, type CaseVerdict } from './case-state.ts';
import { SEVERITIES, type Severity } from './severity.ts';

/** A case as it is kept. Times are texts of the audit log. */
export interface Case {
  /** Sequence of the audit record that opened it. */
  readonly id: number;
  /** The first half of that record's hash, hex: the same everywhere, for ever. */
  readonly uid: string;
  readonly topic: string;
  readonly peer: string;
  readonly reason: string;
  readonly feed: string;
  readonly key_id: string;
  readonly state: CaseState;
  /** Since when it is in that state. */
  readonly state_at: string;
  readonly severity: Severity;
  /** Refusals, or events. */
  readonly seen: number;
  /** Of these, those since it was suppressed last. */
  readonly absorbed: number;
  readonly first_at: string;
  readonly last_at: string;
  /** Record of the newest of them. */
  readonly last_seen_seq: number;
  /** Records of some of them, drawn by their hashes, which nobody can choose; with the draw. */
  readonly samples: readonly (readonly [draw: string, seq: number])[];
  readonly verdict: CaseVerdict | null;
  readonly assignee: string | null;
  readonly ticket: string | null;
  /** Who answers for the suppression, why, and until when; null when it is not suppressed. */
  readonly owner: string | null;
  readonly suppressed_for: string | null;
  readonly until: string | null;
  /** Record of the newest change of what people decide: a change names the version it saw. */
  readonly version: number;
  /** Newest record of any kind. */
  readonly last_seq: number;
  /** All that it stands for was a drill of this node. */
  readonly is_drill: boolean;
}

/** What both kinds of records tell. */
interface Told {
  readonly seq: number;
  readonly at: string;
  /** `sha256:…` of the record. */
  readonly hash: string;
}

/** Records beside the first and the last that show what a case is about. */
const SAMPLES = 3;
const NOT_SUPPRESSED = { owner: null, suppressed_for: null, until: null } as const;

export function opened({ count, severity, isDrill, ...group }: Sighting, { seq, at, hash }: Told): Case {
  const { topic, peer, reason, feed, keyId } = group;
  return {
    id: seq,
    uid: hash.replace('sha256:', '').slice(0, 32),
    topic,
    peer,
    reason,
    feed,
    key_id: keyId,
    state: 'new',
    state_at: at,
    severity,
    seen: count,
    absorbed: 0,
    first_at: at,
    last_at: at,
    last_seen_seq: seq,
    samples: [],
    verdict: null,
    assignee: null,
    ticket: null,
    ...NOT_SUPPRESSED,
    version: seq,
    last_seq: seq,
    is_drill: isDrill,
  };
}

/** Once more of the same. What was resolved is open again; what is suppressed stays so until its time is over. */
export function seenAgain(held: Case, { count, severity, keyId, isDrill }: Sighting, told: Told): Case {
  const { seq, at } = told;
  const isOver = held.state === 'suppressed' && (held.until ?? '') <= at;
  const isBack = held.state === 'resolved' || isOver;
  const state = isBack
    ? { state: 'reopened' as const, state_at: at, verdict: null, version: seq, ...NOT_SUPPRESSED }
    : {};
  return {
    ...held,
    key_id: held.key_id === '' ? keyId : held.key_id,
    severity: weightier(held.severity, severity),
    seen: held.seen + count,
    absorbed: held.absorbed + (held.state === 'suppressed' && !isOver ? count : 0),
    last_at: at,
    last_seen_seq: seq,
    samples: sampled(held, told),
    last_seq: seq,
    // One that is real makes the case real.
    is_drill: held.is_drill && isDrill,
    ...state,
  };
}

/** What a person did. A record that this program would not have written changes nothing but the version. */
export function changed(held: Case, detail: Readonly<Record<string, unknown>>, { seq, at }: Told): Case {
  const next = { ...held, version: seq, last_seq: seq };
  const { move } = detail;
  if (typeof move !== 'string' || !Object.hasOwn(CASE_MOVES, move)) return next;
  if (move === 'assign') return { ...next, assignee: textIn(detail, 'assignee') };
  if (move === 'ticket') return { ...next, ticket: textIn(detail, 'ticket') };
  const { to } = CASE_MOVES[move as CaseMove];
  if (to === null) return next;
  const moved = { ...next, state: to, state_at: at, verdict: null, ...NOT_SUPPRESSED };
  if (to === 'resolved') return { ...moved, verdict: textIn(detail, 'verdict') as CaseVerdict | null };
  if (to !== 'suppressed') return moved;
  const [owner, until, suppressed_for] = ['owner', 'until', 'why'].map((name) => textIn(detail, name));
  return { ...moved, absorbed: 0, owner: owner ?? null, until: until ?? null, suppressed_for: suppressed_for ?? null };
}

function textIn(detail: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = detail[name];
  return typeof value === 'string' ? value : null;
}

function weightier(a: Severity, b: Severity): Severity {
  return SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;
}

/** The smallest hashes win: each record has the same chance, and a peer cannot know it before. */
function sampled({ samples }: Case, { hash, seq }: Told): Case['samples'] {
  const drawn = [...samples, [hash.slice(-12), seq] as const];
  return drawn.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, SAMPLES);
}
