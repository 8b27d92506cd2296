/**
 * What people do with cases, carried out by the journal's thread: looked at, decided and recorded in one transaction. The
 * audit record is the change; the row of the case follows from it.
 */
import { hash } from 'node:crypto';
import type { ActBy, ActionParams, ActOutcome, DoneBy, ReviewedAction } from '../core/approval.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { findingOf } from '../core/case-finding.ts';
import { type Case, changed } from '../core/case-fold.ts';
import {
  type BulkOutcome,
  type BulkPreview,
  type CaseOrder,
  type CaseOutcome,
  type CaseSelection,
  caseSubject,
} from '../core/case-report.ts';
import { CASE_CHANGED, REFUSAL_TOPIC } from '../core/case-sighting.ts';
import {
  CASE_MOVES,
  type CaseChange,
  type CaseRefusal,
  type CaseState,
  MAX_SUPPRESSION_DAYS,
  NO_CHANGE,
  nextState,
  OPEN_STATES,
} from '../core/case-state.ts';
import type { Result } from '../core/result.ts';
import { DAY_MS, isoMicros } from '../core/time.ts';
import { CaseBook } from '../journal/case-book.ts';
import { CaseReader } from '../journal/case-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditInput } from '../journal/read-model.ts';

/** Cases that one change of many may change. */
export const MAX_BULK_CASES = 1_000;

export interface BulkOrder {
  readonly selection: CaseSelection;
  readonly change: CaseChange;
  /** What was looked at is done; null: looks only. */
  readonly token: string | null;
}

export interface CaseMethods {
  changeCase(order: CaseOrder, by: ActBy, nowMs: number): CaseOutcome;
  changeCases(order: BulkOrder, by: ActBy, nowMs: number): BulkOutcome;
  /** Resolves what is open of a drill's peer, and of nobody else. @returns the cases */
  resolveDrillCases(peer: string, why: string, nowMs: number): readonly number[];
}

export function caseMethods(journal: Journal): CaseMethods {
  const desk = new CaseDesk(journal);
  return {
    changeCase: (order, by, nowMs) => journal.durably((record) => desk.change(order, by, nowMs, record)),
    changeCases: (order, by, nowMs) => journal.durably((record) => desk.changeMany(order, by, nowMs, record)),
    resolveDrillCases: (peer, why, nowMs) => journal.durably((record) => desk.resolveDrill(peer, why, nowMs, record)),
  };
}

interface ReviewedStep {
  readonly action: ReviewedAction;
  readonly said: ActionParams;
}

type RecordAudit = (input: AuditInput, nowMs: number) => number;

class CaseDesk {
  readonly #journal: Journal;
  readonly #book: CaseBook;
  readonly #reader: CaseReader;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#book = new CaseBook(journal.db);
    this.#reader = new CaseReader(journal.db);
  }

  change({ id, version, change }: CaseOrder, by: ActBy, nowMs: number, record: RecordAudit): CaseOutcome {
    const held = this.#book.find(id);
    if (held === null) return { kind: 'unknown' };
    if (version !== null && version !== held.version)
      return { kind: 'stale', held, since: this.#reader.changesSince(id, version) };
    const to = judged(held, change, nowMs);
    if (!to.ok) return { kind: 'impossible', held, code: to.error };
    return this.#act(held, change, by, nowMs, record);
  }

  changeMany({ selection, change, token }: BulkOrder, by: ActBy, nowMs: number, record: RecordAudit): BulkOutcome {
    const named = this.#select(selection);
    if (named.length > MAX_BULK_CASES) return { kind: 'too_many', most: MAX_BULK_CASES };
    const preview = previewOf(named, change, nowMs);
    if (token === null) return { kind: 'previewed', preview };
    if (token !== preview.token) return { kind: 'set_changed', preview };
    const done: number[] = [];
    const proposed: { id: number; proposal: number }[] = [];
    const refused: { id: number; code: string }[] = [...preview.would_refuse];
    for (const { id } of preview.would_change) {
      const outcome = this.change({ id, version: null, change }, by, nowMs, record);
      if (outcome.kind === 'done') done.push(id);
      else if (outcome.kind === 'proposed') proposed.push({ id, proposal: outcome.proposal.id });
      else refused.push({ id, code: 'code' in outcome ? outcome.code : outcome.kind });
    }
    return { kind: 'applied', changed: done, proposed, refused };
  }

  /** The node knows what its own drills were: nobody has to decide, four eyes or not. */
  resolveDrill(peer: string, why: string, nowMs: number, record: RecordAudit): readonly number[] {
    const filter = { peer, states: OPEN_STATES, drill: true };
    const { cases } = this.#reader.list({ ...filter, order: 'oldest', cursor: null, limit: MAX_BULK_CASES });
    const change: CaseChange = { ...NO_CHANGE, move: 'resolve', why, verdict: 'drill' };
    for (const held of cases) this.#apply(held, change, { actor: 'system', detail: {} }, nowMs, record);
    return cases.map(({ id }) => id);
  }

  #select(selection: CaseSelection): readonly (readonly [id: number, held: Case | null])[] {
    if ('ids' in selection) return [...new Set(selection.ids)].map((id) => [id, this.#book.find(id)] as const);
    const query = { ...selection.filter, order: 'oldest', cursor: null, limit: MAX_BULK_CASES + 1 } as const;
    return this.#reader.list(query).cases.map((held) => [held.id, held] as const);
  }

  #act(held: Case, change: CaseChange, by: ActBy, nowMs: number, record: RecordAudit): ActOutcome<Case> {
    const apply = (done: DoneBy): Case => this.#apply(held, change, done, nowMs, record);
    const asked = reviewed(change);
    if (asked === null) return { kind: 'done', value: apply({ actor: by.actor, detail: {} }), proposal: null };
    // What is approved is the case as it was looked at: the version is a part of it.
    const { action, said: params } = asked;
    const request = { action, subject: caseSubject(held.id), params: { ...params, version: held.version } };
    return this.#journal.approvals.act(
      request,
      { ...by, reason: by.approves === null ? change.why : by.reason },
      nowMs * 1000,
      apply,
    );
  }

  #apply(held: Case, change: CaseChange, { actor, detail: how }: DoneBy, nowMs: number, record: RecordAudit): Case {
    const { id, topic, peer, reason, feed, key_id } = held;
    if (change.move === 'resolve' && topic === REFUSAL_TOPIC)
      this.#journal.refusals.endKind({ peer, reason, feed, keyId: key_id }, nowMs * 1000);
    const about = { peer: peer === '' ? null : peer, feed: feed === '' ? null : feed };
    const told = { case: id, move: change.move, from: held.state, ...said(change), ...how };
    // A summary that was made just now is in it.
    const now = this.#book.find(id) ?? held;
    const next = changed(now, told, { seq: now.version, at: isoMicros(nowMs * 1000), hash: '' });
    const detail = { ...told, finding: findingOf(next) };
    record({ event: CASE_CHANGED, reason: CASE_MOVES[change.move].done, ...about, actor, detail }, nowMs);
    return this.#book.find(id) ?? next;
  }
}

function judged(held: Case, change: CaseChange, nowMs: number): Result<CaseState, CaseRefusal> {
  const latest = isoMicros((nowMs + MAX_SUPPRESSION_DAYS * DAY_MS) * 1000);
  return nextState(held, change, { now: isoMicros(nowMs * 1000), latest });
}

/** Steps that may need two persons: they end that anybody looks at it. */
function reviewed({ move, verdict, owner, until }: CaseChange): ReviewedStep | null {
  if (move === 'resolve') return { action: 'case.resolve', said: { verdict } };
  return move === 'suppress' ? { action: 'case.suppress', said: { owner, until } } : null;
}

/** What the record says of a change: what its kind has no use for is left out. */
function said({ move, why, verdict, assignee, ticket, owner, until }: CaseChange): Readonly<Record<string, unknown>> {
  return {
    ...(why === '' ? {} : { why }),
    ...(move === 'resolve' ? { verdict } : {}),
    ...(move === 'assign' ? { assignee } : {}),
    ...(move === 'ticket' ? { ticket } : {}),
    ...(move === 'suppress' ? { owner, until } : {}),
  };
}

function previewOf(
  named: readonly (readonly [id: number, held: Case | null])[],
  change: CaseChange,
  nowMs: number,
): BulkPreview {
  const would_change: BulkPreview['would_change'][number][] = [];
  const would_refuse: BulkPreview['would_refuse'][number][] = [];
  for (const [id, held] of named) {
    const to = held === null ? null : judged(held, change, nowMs);
    if (held === null || to === null) would_refuse.push({ id, code: 'case_unknown' });
    else if (to.ok) would_change.push({ id, version: held.version, from: held.state, to: to.value });
    else would_refuse.push({ id, code: to.error });
  }
  const text = canonicalJson({ change: { ...change }, set: would_change.map(({ id, version }) => [id, version]) });
  return { token: hash('sha256', text, 'hex'), would_change, would_refuse };
}
