/** Actions that may need two persons: one proposes, another approves. What they do is not known here. */

/** Every action that the configuration may ask two persons for. A public contract: names are added, not changed. */
export const REVIEWED_ACTIONS = [
  'case.resolve',
  'case.suppress',
  'peer.resume',
  'peer.retry',
  'peer.trust_key',
  'quarantine.promote',
  'quarantine.reject',
  'tombstone.create',
] as const;
export type ReviewedAction = (typeof REVIEWED_ACTIONS)[number];

/** Who may not do the one alone may not do the other alone either: it leads to nearly the same. */
const COVERS: Partial<Readonly<Record<ReviewedAction, ReviewedAction>>> = { 'case.resolve': 'case.suppress' };

/** What needs two persons where these do. */
export function withCovered(named: readonly ReviewedAction[]): readonly ReviewedAction[] {
  const covered = named.flatMap((action) => COVERS[action] ?? []);
  return REVIEWED_ACTIONS.filter((action) => named.includes(action) || covered.includes(action));
}

/** Characters of a reason: an audit record holds it whole. */
export const MAX_REASON_CHARS = 500;
/** Characters of a subject, and of each text in the parameters. */
export const MAX_SUBJECT_CHARS = 500;
/** Members of the parameters, and items of each list in them. */
const MAX_PARAMS = 16;
const MAX_LIST = 64;

export type ActionParams = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Who wants it, and why. */
export interface ActBy {
  /** As `keyActor` or `personActor` makes it. */
  readonly actor: string;
  /** May be empty where one person is enough and the action asks for none. */
  readonly reason: string;
  /** The proposal that is approved by this; null: it is asked for. */
  readonly approves: number | null;
}

/** What is to be done. */
export interface ActionRequest {
  readonly action: ReviewedAction;
  /** What it is done to: a peer's node id, a fact id. */
  readonly subject: string;
  /** What else it needs. Whoever approves has to approve exactly this. */
  readonly params: ActionParams;
}

export type ProposalState = 'open' | 'approved' | 'rejected' | 'withdrawn' | 'expired';
/** What ends a proposal by somebody's word. */
export type ProposalEnd = 'approved' | 'rejected' | 'withdrawn';

export interface Proposal {
  /** Sequence of its audit record. */
  readonly id: number;
  readonly action: ReviewedAction;
  readonly subject: string;
  readonly params: ActionParams;
  readonly reason: string;
  readonly proposed_by: string;
  readonly proposed_at: string;
  readonly expires_at: string;
  readonly state: ProposalState;
  /** Null while it is open, and when it expired. */
  readonly decision: {
    /** Sequence of its audit record. */
    readonly audit_seq: number;
    readonly by: string;
    readonly at: string;
    readonly reason: string;
  } | null;
}

export type ProposalRefusal =
  | 'proposal_unknown'
  | 'proposal_closed'
  | 'proposal_expired'
  /** What is to be done is not what was proposed. */
  | 'proposal_differs'
  /** Another proposal of the same is open. */
  | 'already_proposed'
  /** Whoever proposed it cannot approve it. */
  | 'same_actor'
  /** A key that names no person, or one of another issuer: whose it is cannot be told apart from the other of the two. */
  | 'actor_unnamed'
  /** Only who proposed it can withdraw it. */
  | 'other_actor'
  | 'reason_invalid'
  | 'request_too_large';

export type ActOutcome<T> =
  | { readonly kind: 'done'; readonly value: T; readonly proposal: Proposal | null }
  | { readonly kind: 'proposed'; readonly proposal: Proposal }
  | { readonly kind: 'refused'; readonly code: ProposalRefusal; readonly proposal: Proposal | null };

/** Who did it, for the record of what was done. */
export interface DoneBy {
  readonly actor: string;
  /** For the record's detail: why, and by which proposal of whom. */
  readonly detail: { readonly why?: string; readonly proposal?: number; readonly proposed_by?: string };
}

export function isReason(text: string): boolean {
  return text.trim() !== '' && text.length <= MAX_REASON_CHARS && text.isWellFormed();
}

/** Whether an audit record holds it whole: what was cut could not be compared with what is approved. */
export function fitsRecord({ subject, params }: Pick<ActionRequest, 'subject' | 'params'>): boolean {
  const values = Object.entries(params);
  return (
    isShort(subject) && values.length <= MAX_PARAMS && values.every(([name, value]) => isShort(name) && fits(value))
  );
}

function fits(value: ActionParams[string]): boolean {
  if (typeof value === 'string') return isShort(value);
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (value === null || typeof value === 'boolean') return true;
  return value.length <= MAX_LIST && value.every(isShort);
}

function isShort(text: string): boolean {
  return text.length <= MAX_SUBJECT_CHARS && text.isWellFormed();
}

/** The parameters in words, for whoever approves: exactly these are approved. */
export function paramWords(params: ActionParams): readonly (readonly [name: string, value: string])[] {
  return Object.entries(params).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
}

/** Whether a text names an action. */
export function isReviewedAction(text: string): text is ReviewedAction {
  return (REVIEWED_ACTIONS as readonly string[]).includes(text);
}
