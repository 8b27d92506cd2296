/** Tells metrics, log and audit what the federation's stations report. */
import type { FactReason, RefusalEvent } from '../core/verdict.ts';
import type { CorruptFact } from '../journal/read-model.ts';
import type { IngestOutcome } from '../pull/ingest.ts';
import type { Base } from './base.ts';

/** @param peer name of the peer's file */
export function observePage({ events }: Base, peer: string, outcome: IngestOutcome): void {
  if (outcome.kind === 'refused') events.pageRefused(peer, outcome.reason, outcome.auditSeq);
  if (outcome.kind !== 'appended') return;
  events.pageVerified(peer, outcome.feed, outcome.accepted);
  const { refused, counted, summaries } = outcome;
  for (const { event, reason, auditSeq } of refused) {
    events.factRefused(peer, event as RefusalEvent, reason as FactReason, auditSeq);
  }
  for (const { event, reason, count } of counted) {
    events.factsCounted(peer, event as RefusalEvent, reason as FactReason, count);
  }
  for (const { reason, auditSeq, count } of summaries) events.refusalsSummarized(peer, reason, auditSeq, count);
}

/** A row of our own journal failed its check while a peer was being answered. */
export function observeCorrupt(base: Base, corrupt: CorruptFact): void {
  const { code, factId, chainSeq, difference, storedCid } = corrupt;
  base.events.corruptRead(code, factId, chainSeq, difference.field);
  if (base.health.corrupt?.chainSeq === chainSeq) return;
  base.health.corrupt = corrupt;
  base.writer
    .audit({ event: 'journal_corrupt', reason: code, factId, cid: storedCid, chainSeq, detail: { difference } })
    .catch((error: unknown) => base.logger.error({ error }, 'audit failed'));
}
