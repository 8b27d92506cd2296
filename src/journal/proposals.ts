/** Proposals and what was decided about them, read out of the audit log. */
import { sql } from 'kysely';
import { isReviewedAction, type Proposal, type ProposalState } from '../core/approval.ts';
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import type { AuditRecord } from './read-model.ts';

export interface ProposalQuery {
  readonly state: 'open' | 'all';
  /** Only those before this one. */
  readonly before: number | null;
  readonly limit: number;
  readonly nowIso: string;
}

export interface ProposalPage {
  readonly proposals: readonly Proposal[];
  /** There may be others before this place; null: there are none. */
  readonly before: number | null;
}

interface Line {
  readonly seq: number;
  readonly body: string;
}

/** Proposals that one page looks through, so that the readers' thread is free again soon; it is gone on by `before`. */
const MAX_SCANNED = 10_000;

export class Proposals {
  readonly #byId: Statement<[number], Line>;
  readonly #decision: Statement<[number], Line>;
  readonly #ofSubject: Statement<[string], Line>;
  readonly #before: Statement<[number], Line>;
  readonly #maxScanned: number;

  constructor(db: Db, maxScanned: number = MAX_SCANNED) {
    this.#maxScanned = maxScanned;
    this.#byId = prepare(db, proposed.where('seq', '=', PARAM));
    this.#decision = prepare(db, decisionOf);
    this.#ofSubject = prepare(db, ofSubject);
    this.#before = prepare(db, proposed.where('seq', '<', PARAM).orderBy('seq', 'desc'));
  }

  /** @param nowIso the moment by which it may have expired */
  find(id: number, nowIso: string): Proposal | null {
    const line = this.#byId.get(id);
    return line === undefined ? null : this.#read(line, nowIso);
  }

  /** Those of a subject that nobody has decided yet, the newest first. */
  openOf(subject: string, nowIso: string): Proposal[] {
    return this.ofSubject(subject, nowIso).filter(({ state }) => state === 'open');
  }

  /** The newest first. */
  ofSubject(subject: string, nowIso: string): Proposal[] {
    return this.#ofSubject.all(subject).flatMap((line) => this.#read(line, nowIso) ?? []);
  }

  /** The newest first. */
  list({ state, before, limit, nowIso }: ProposalQuery): ProposalPage {
    const proposals: Proposal[] = [];
    let scanned = 0;
    let last = 0;
    for (const line of this.#before.iterate(before ?? Number.MAX_SAFE_INTEGER)) {
      if (proposals.length === limit || scanned++ === this.#maxScanned) return { proposals, before: last };
      last = line.seq;
      const proposal = this.#read(line, nowIso);
      if (proposal !== null && (state === 'all' || proposal.state === 'open')) proposals.push(proposal);
    }
    return { proposals, before: null };
  }

  #read({ seq, body }: Line, nowIso: string): Proposal | null {
    const { actor, at, detail } = JSON.parse(body) as AuditRecord;
    const { action, subject, params, why, expires_at } = detail as Readonly<Record<string, string>>;
    if (action === undefined || !isReviewedAction(action) || subject === undefined) return null;
    const line = this.#decision.get(seq);
    const decided = line === undefined ? null : (JSON.parse(line.body) as AuditRecord);
    const ends = expires_at ?? '';
    return {
      id: seq,
      action,
      subject,
      params: (params ?? {}) as Proposal['params'],
      reason: why ?? '',
      proposed_by: actor ?? '',
      proposed_at: at,
      expires_at: ends,
      state: stateOf(decided, ends <= nowIso),
      decision: decided === null ? null : decisionIn(decided),
    };
  }
}

function stateOf(decided: AuditRecord | null, isOver: boolean): ProposalState {
  if (decided !== null) return decided.reason as ProposalState;
  return isOver ? 'expired' : 'open';
}

function decisionIn({ seq, actor, at, detail }: AuditRecord): Proposal['decision'] {
  const { why } = detail as Readonly<Record<string, string>>;
  return { audit_seq: seq, by: actor ?? '', at, reason: why ?? '' };
}

// Literals, as in the indexes of migration 8: the planner has to see that they are meant.
const proposed = sqlBuilder
  .selectFrom('audit')
  .select(['seq', 'body'])
  .where('event', '=', sql.lit('approval_proposed'));

const ofSubject = proposed.where(sql`json_extract(body, '$.detail.subject')`, '=', PARAM).orderBy('seq', 'desc');

const decisionOf = sqlBuilder
  .selectFrom('audit')
  .select(['seq', 'body'])
  .where('event', '=', sql.lit('approval_decided'))
  .where(sql`json_extract(body, '$.detail.proposal')`, '=', PARAM)
  .orderBy('seq')
  .limit(ONE);
