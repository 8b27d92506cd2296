/** What operators decide about hidden facts, carried out by the journal's thread. */
import type { ActBy } from '../core/approval.ts';
import type { ReviewDecision, ReviewOutcome } from '../core/review.ts';
import { feedOf } from '../core/scope.ts';
import type { Journal } from '../journal/journal.ts';
import { DECIDED_EVENT, QuarantineTable } from '../journal/quarantine.ts';
import type { AuditInput, StoredFact } from '../journal/read-model.ts';
import type { FactReader } from '../projections/fact-reader.ts';

export interface QuarantineMethods {
  /** Lets readers see a fact, or keeps it from them. @param fact its id */
  reviewFact(fact: string, decision: ReviewDecision, by: ActBy, nowMs: number): ReviewOutcome;
}

const ACTION = { promoted: 'quarantine.promote', rejected: 'quarantine.reject' } as const;

export function quarantineMethods(journal: Journal, facts: FactReader): QuarantineMethods {
  const table = new QuarantineTable(journal.db);
  return {
    reviewFact(id, decision, by, nowMs) {
      const found = facts.byId(id);
      if (found.kind !== 'found')
        return { kind: 'impossible', code: found.kind === 'corrupt' ? 'fact_damaged' : 'fact_unknown' };
      const { entry, quarantine } = found.fact;
      if (quarantine === null) return { kind: 'impossible', code: 'not_quarantined' };
      if (quarantine.status === decision) return { kind: 'impossible', code: 'already_decided' };
      // A decision that somebody has taken meanwhile is not undone by a word that was given before it.
      const params = { cid: entry.cid, was: quarantine.status };
      const request = { action: ACTION[decision], subject: entry.fact_id, params };
      return journal.durably((record) =>
        journal.approvals.act(request, by, nowMs * 1000, ({ actor, detail }) => {
          table.put({ chain_seq: entry.chain_seq, reason: quarantine.reason, status: decision });
          return record({ ...decided(found.fact, quarantine, decision, detail), actor }, nowMs);
        }),
      );
    },
  };
}

function decided(
  { entry }: StoredFact,
  { reason: held_for, status: was }: NonNullable<StoredFact['quarantine']>,
  reason: ReviewDecision,
  detail: object,
): AuditInput {
  const feed = feedOf(entry);
  return {
    event: DECIDED_EVENT,
    reason,
    peer: entry.origin?.node_id ?? null,
    feed: feed.ok ? feed.value : null,
    factId: entry.fact_id,
    cid: entry.cid,
    chainSeq: entry.origin?.chain_seq ?? null,
    detail: { held_for, journal_seq: entry.chain_seq, was, ...detail },
  };
}
