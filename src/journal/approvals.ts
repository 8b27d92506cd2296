/**
 * Four eyes: what is proposed, approved, rejected and withdrawn stands in the audit log and nowhere else, so that it is
 * chained, guarded and checked like every record. The caller holds the transaction: a proposal is approved and done at once,
 * or neither.
 */
import {
  type ActBy,
  type ActionRequest,
  type ActOutcome,
  type DoneBy,
  fitsRecord,
  isReason,
  type Proposal,
  type ProposalEnd,
  type ProposalRefusal,
} from '../core/approval.ts';
import { canonicalJson, type PlainJson } from '../core/canonical-json.ts';
import { namesPerson, tellApart } from '../core/person.ts';
import { HOUR_MS, isoMicros } from '../core/time.ts';
import type { AuditLog } from './audit-log.ts';
import type { Db } from './database.ts';
import { Proposals } from './proposals.ts';

/** How two persons are asked for. */
export interface FourEyes {
  /** Actions that one person proposes and another approves; others are done at once. */
  readonly actions: readonly string[];
  /** A proposal that nobody has decided by then has expired. */
  readonly proposalMs: number;
  /** Only who is known as a person counts as one of the two: who signed in at the identity provider, or has a key that names who. */
  readonly namedPersons: boolean;
}

export const NO_FOUR_EYES: FourEyes = { actions: [], proposalMs: 72 * HOUR_MS, namedPersons: false };

export class Approvals {
  readonly #audit: AuditLog;
  readonly #proposals: Proposals;
  readonly #fourEyes: FourEyes;

  constructor(db: Db, audit: AuditLog, fourEyes: FourEyes) {
    this.#audit = audit;
    this.#proposals = new Proposals(db);
    this.#fourEyes = fourEyes;
  }

  /**
   * Does what is asked for, if one person is enough or another has proposed exactly this; else proposes it.
   *
   * @param apply does it, with a record of its own. Whether it can be done is the caller's to know before
   */
  act<T>(request: ActionRequest, by: ActBy, nowUs: number, apply: (by: DoneBy) => T): ActOutcome<T> {
    const { actor, reason, approves } = by;
    if (!fitsRecord(request)) return refused('request_too_large');
    const isAlone = approves === null && !this.#fourEyes.actions.includes(request.action);
    if (!isReason(reason) && !(isAlone && reason === '')) return refused('reason_invalid');
    if (isAlone)
      return { kind: 'done', value: apply({ actor, detail: reason === '' ? {} : { why: reason } }), proposal: null };
    if (this.#isUnnamed(actor)) return refused('actor_unnamed');
    if (approves !== null) return this.#approve(request, { actor, reason, approves }, nowUs, apply);
    const open = this.#openTwin(request, nowUs);
    if (open !== undefined) return refused('already_proposed', open);
    return { kind: 'proposed', proposal: this.#propose(request, by, nowUs) };
  }

  /** Ends a proposal without doing anything: another rejects it, or who proposed it withdraws it. */
  end(
    id: number,
    by: { readonly end: Exclude<ProposalEnd, 'approved'>; readonly actor: string; readonly reason: string },
    nowUs: number,
  ): ActOutcome<null> {
    if (!isReason(by.reason)) return refused('reason_invalid');
    const proposal = this.#proposals.find(id, isoMicros(nowUs));
    const why = whyNotOpen(proposal);
    if (proposal === null || why !== null) return refused(why ?? 'proposal_unknown', proposal);
    // A no is anybody's to say of whom it is not known that it is their own proposal.
    const isOwn = tellApart(proposal.proposed_by, by.actor) === 'same';
    if (by.end === 'withdrawn' && !isOwn) return refused('other_actor', proposal);
    if (by.end === 'rejected' && isOwn) return refused('same_actor', proposal);
    this.#decide(proposal, by.end, by.actor, by.reason, nowUs);
    return { kind: 'done', value: null, proposal: this.#proposals.find(id, isoMicros(nowUs)) };
  }

  #approve<T>(
    request: ActionRequest,
    { approves: id, actor, reason }: ActBy & { readonly approves: number },
    nowUs: number,
    apply: (by: DoneBy) => T,
  ): ActOutcome<T> {
    const proposal = this.#proposals.find(id, isoMicros(nowUs));
    const why = whyNotOpen(proposal);
    if (proposal === null || why !== null) return refused(why ?? 'proposal_unknown', proposal);
    if (contentOf(proposal) !== contentOf(request)) return refused('proposal_differs', proposal);
    const apart = tellApart(proposal.proposed_by, actor);
    if (apart === 'same') return refused('same_actor', proposal);
    if (apart === 'unknown') return refused('actor_unnamed', proposal);
    this.#decide(proposal, 'approved', actor, reason, nowUs);
    const detail = { why: proposal.reason, proposal: id, proposed_by: proposal.proposed_by };
    const value = apply({ actor, detail });
    return { kind: 'done', value, proposal: this.#proposals.find(id, isoMicros(nowUs)) };
  }

  #isUnnamed(actor: string): boolean {
    return this.#fourEyes.namedPersons && !namesPerson(actor);
  }

  #openTwin(request: ActionRequest, nowUs: number): Proposal | undefined {
    const content = contentOf(request);
    return this.#proposals
      .openOf(request.subject, isoMicros(nowUs))
      .find((proposal) => contentOf(proposal) === content);
  }

  #propose({ action, subject, params }: ActionRequest, { actor, reason }: ActBy, nowUs: number): Proposal {
    const expires_at = isoMicros(nowUs + this.#fourEyes.proposalMs * 1000);
    const detail = { action, expires_at, params, subject, why: reason };
    const id = this.#audit.append({ event: 'approval_proposed', actor, detail }, null, nowUs);
    const proposed = { id, action, subject, params, reason, proposed_by: actor, proposed_at: isoMicros(nowUs) };
    return { ...proposed, expires_at, state: 'open', decision: null };
  }

  #decide({ id, action, subject }: Proposal, end: ProposalEnd, actor: string, why: string, nowUs: number): void {
    const detail = { action, proposal: id, subject, why };
    this.#audit.append({ event: 'approval_decided', reason: end, actor, detail }, null, nowUs);
  }
}

function refused(code: ProposalRefusal, proposal: Proposal | null = null): ActOutcome<never> {
  return { kind: 'refused', code, proposal };
}

function whyNotOpen(proposal: Proposal | null): ProposalRefusal | null {
  if (proposal === null) return 'proposal_unknown';
  if (proposal.state === 'expired') return 'proposal_expired';
  return proposal.state === 'open' ? null : 'proposal_closed';
}

function contentOf({ action, subject, params }: Pick<ActionRequest, 'action' | 'subject' | 'params'>): string {
  return canonicalJson({ action, params: params as PlainJson, subject });
}
