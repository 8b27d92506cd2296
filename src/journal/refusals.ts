/** What was refused or put into quarantine, with its audit record and evidence. Runs inside the journal's transactions. */
import type { Entry } from '../core/entry.ts';
import type { RefusedFact, VerifiedBatch } from '../verify/judge.ts';
import type { PageRefusal } from '../verify/page.ts';
import type { AuditLog } from './audit-log.ts';
import { type Db, prepareInsert, type Statement } from './database.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { AuditInput } from './read-model.ts';

/** Two heads of a peer's log that contradict each other. */
export interface FoundContradiction {
  readonly reason: string;
  readonly peer: string;
  /** Canonical text, `pairEvidence`. */
  readonly evidence: string;
  readonly seenFrom: string;
}

export interface RecordedRefusal {
  readonly event: string;
  readonly reason: string;
  readonly auditSeq: number;
}

export class Refusals {
  readonly #audit: AuditLog;
  readonly #evidence: EvidenceStore;
  readonly #quarantine: Statement<unknown[]>;

  constructor(db: Db, audit: AuditLog, evidence: EvidenceStore) {
    this.#audit = audit;
    this.#evidence = evidence;
    this.#quarantine = prepareInsert(db, 'quarantine', ['chain_seq', 'reason', 'status']);
  }

  /** A page as a whole. @returns the sequence of its audit record */
  page(
    refusal: PageRefusal,
    { peer, feed, suspended }: { readonly peer: string; readonly feed: string; readonly suspended: boolean },
    nowUs: number,
  ): number {
    const evidence = this.#evidence.save(refusal.evidence.text());
    const { event, reason, difference } = refusal;
    const detail = { class: refusal.evidence.class, difference, effect: suspended ? 'suspended' : 'backoff' };
    const seq = this.#audit.append({ event, reason, peer, feed, detail }, evidence, nowUs);
    if (suspended) this.#suspend(peer, reason, seq, evidence, nowUs);
    return seq;
  }

  /** @returns the sequence of its audit record */
  contradiction({ reason, peer, seenFrom, evidence: text }: FoundContradiction, nowUs: number): number {
    const evidence = this.#evidence.save(text);
    const detail = { class: 'contradiction', effect: 'suspended', kind: 'checkpoints', seen_from: seenFrom };
    const input = { event: 'federation_integrity_rejected', reason, peer, detail };
    const seq = this.#audit.append(input, evidence, nowUs);
    this.#suspend(peer, reason, seq, evidence, nowUs);
    return seq;
  }

  fact(fact: RefusedFact, batch: VerifiedBatch, nowUs: number): RecordedRefusal {
    const evidence = this.#evidence.save(fact.evidence.text());
    const { event, reason } = fact;
    const input: AuditInput = {
      event,
      reason,
      peer: batch.peer.nodeId,
      feed: batch.feed,
      factId: fact.factId,
      cid: fact.cid,
      chainSeq: fact.index + 1,
      detail: { class: fact.evidence.class, difference: fact.difference, feed_seq: fact.feedSeq },
    };
    return { event, reason, auditSeq: this.#audit.append(input, evidence, nowUs) };
  }

  /** A fact that was taken, and is hidden from reads until an operator decides. */
  quarantined(
    entry: Entry,
    reason: string,
    from: { readonly peer: { readonly nodeId: string }; readonly feed: string },
    nowUs: number,
  ): void {
    this.#quarantine.run([entry.chain_seq, reason, 'pending']);
    const input: AuditInput = {
      event: 'quarantine_ingest',
      reason,
      peer: from.peer.nodeId,
      feed: from.feed,
      factId: entry.fact_id,
      cid: entry.cid,
      chainSeq: entry.origin?.chain_seq ?? null,
      detail: { journal_seq: entry.chain_seq, interpret_as: entry.interpret_as },
    };
    this.#audit.append(input, null, nowUs);
  }

  #suspend(peer: string, reason: string, seq: number, evidence: string, nowUs: number): void {
    this.#audit.append({ event: 'peer_suspended', reason, peer, detail: { audit_seq: seq } }, evidence, nowUs);
  }
}
