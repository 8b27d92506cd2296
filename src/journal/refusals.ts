/** What was refused or put into quarantine, with its audit record and evidence. Runs inside the journal's transactions. */
import { hash } from 'node:crypto';
import type { Entry } from '../core/entry.ts';
import { ALG_ED25519, noteKeyId } from '../merkle/note.ts';
import type { PinnedPeer } from '../verify/context.ts';
import type { RefusedFact, VerifiedBatch } from '../verify/judge.ts';
import type { PageRefusal } from '../verify/page.ts';
import type { AuditLog } from './audit-log.ts';
import type { Db } from './database.ts';
import type { EvidenceStore } from './evidence-store.ts';
import { QUARANTINED_EVENT, QuarantineTable } from './quarantine.ts';
import type { AuditInput } from './read-model.ts';
import { overduePeers, type RecordedSummary, type Refusal, RefusalSitting, writeOverdue } from './refusal-flood.ts';
import { RefusalGroups, type RefusalKind } from './refusal-groups.ts';
import { entryRefusalLeaf, pageRefusalLeaf } from './refusal-leaf.ts';

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

/** What became of the refused facts of a page. */
export interface RefusedFacts {
  /** Those with a record of their own, in the order of the page. */
  readonly refused: readonly RecordedRefusal[];
  /** How many of each reason are left to a summary. */
  readonly counted: readonly { readonly event: string; readonly reason: string; readonly count: number }[];
  readonly summaries: readonly RecordedSummary[];
}

/** A page that was refused, and of whom. */
export interface RefusedPageInput {
  readonly refusal: PageRefusal;
  readonly peer: Pick<PinnedPeer, 'nodeId' | 'origin' | 'logKey'>;
  readonly feed: string;
  readonly suspended: boolean;
}

export class Refusals {
  readonly #audit: AuditLog;
  readonly #evidence: EvidenceStore;
  readonly #groups: RefusalGroups;
  readonly #quarantine: QuarantineTable;

  constructor(db: Db, audit: AuditLog, evidence: EvidenceStore) {
    this.#audit = audit;
    this.#evidence = evidence;
    this.#groups = new RefusalGroups(db);
    this.#quarantine = new QuarantineTable(db);
  }

  /** A page as a whole. @returns the sequence of its audit record; if it was counted, of the newest of its kind */
  page({ refusal, peer, feed, suspended }: RefusedPageInput, nowUs: number): number {
    const { event, reason, difference } = refusal;
    const { nodeId } = peer;
    const detail = { class: refusal.evidence.class, difference, effect: suspended ? 'suspended' : 'backoff' };
    const input = { event, reason, peer: nodeId, feed, detail };
    if (suspended) {
      // What suspends a peer ends the flood: it is never counted, and its evidence never left out.
      const evidence = this.#evidence.save(refusal.evidence.text());
      const named = { ...input, detail: { ...detail, key_id: keyIdOf(peer) } };
      const seq = this.#audit.append(named, evidence, nowUs);
      this.#suspend(nodeId, reason, seq, evidence, nowUs);
      return seq;
    }
    const text = refusal.evidence.text();
    const digest = `sha256:${hash('sha256', text, 'hex')}`;
    const kind = { peer: nodeId, reason, feed, keyId: keyIdOf(peer) };
    const sitting = this.#sitting(nodeId, nowUs);
    const seq = sitting.refuse({
      input,
      kind,
      feedSeq: null,
      evidence: () => text,
      leaf: () => pageRefusalLeaf({ peer: nodeId, feed, reason, evidence: digest }),
    });
    sitting.finish();
    return seq ?? sitting.lastRecord(kind);
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

  /** The refused facts of a page: each is recorded, or counted towards a summary. */
  facts(batch: VerifiedBatch, nowUs: number): RefusedFacts {
    if (batch.refused.length === 0) return { refused: [], counted: [], summaries: [] };
    const sitting = this.#sitting(batch.peer.nodeId, nowUs);
    const keyId = keyIdOf(batch.peer);
    const refused: RecordedRefusal[] = [];
    const counted = new Map<string, { event: string; reason: string; count: number }>();
    for (const fact of batch.refused) {
      const { event, reason } = fact;
      const auditSeq = sitting.refuse(factRefusal(fact, batch, keyId));
      const before = counted.get(reason)?.count ?? 0;
      if (auditSeq !== null) refused.push({ event, reason, auditSeq });
      else counted.set(reason, { event, reason, count: before + 1 });
    }
    return { refused, counted: [...counted.values()], summaries: sitting.finish() };
  }

  /** Whether there is something for {@link writeOverdue}. */
  isOverdue(nowUs: number): boolean {
    return overduePeers(this.#groups, nowUs).length > 0;
  }

  /** Writes the summaries that are due by time. @returns how many */
  writeOverdue(nowUs: number): number {
    return writeOverdue({ audit: this.#audit, evidence: this.#evidence, groups: this.#groups }, nowUs);
  }

  /**
   * Ends a kind: what waits is summarized, and the next of it is a first again, with a record of its own. A case that is
   * resolved is opened by the next refusal at once, not by a summary an hour later.
   */
  endKind({ peer, reason, feed, keyId }: RefusalKind, nowUs: number): void {
    const ended = this.#groups
      .ofReason(peer, reason, feed)
      .filter(({ kind }) => keyId === '' || kind.keyId === keyId)
      .map(({ kind }) => kind);
    if (ended.length === 0) return;
    const sitting = this.#sitting(peer, nowUs);
    for (const kind of ended) sitting.close(kind);
    sitting.finish();
    for (const kind of ended) this.#groups.remove(kind);
  }

  /** A fact that was taken, and is hidden from reads until an operator decides. */
  quarantined(
    entry: Entry,
    reason: string,
    from: { readonly peer: { readonly nodeId: string }; readonly feed: string },
    nowUs: number,
  ): void {
    this.#quarantine.put({ chain_seq: entry.chain_seq, reason, status: 'pending' });
    const input: AuditInput = {
      event: QUARANTINED_EVENT,
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

  #sitting(peer: string, nowUs: number): RefusalSitting {
    return new RefusalSitting({ audit: this.#audit, evidence: this.#evidence, groups: this.#groups }, peer, nowUs);
  }

  #suspend(peer: string, reason: string, seq: number, evidence: string, nowUs: number): void {
    this.#audit.append({ event: 'peer_suspended', reason, peer, detail: { audit_seq: seq } }, evidence, nowUs);
  }
}

function factRefusal(fact: RefusedFact, { peer, feed }: VerifiedBatch, keyId: string): Refusal {
  const { event, reason, feedSeq, leafHash: entryLeaf } = fact;
  const { nodeId } = peer;
  const chainSeq = fact.index + 1;
  const detail = { class: fact.evidence.class, difference: fact.difference, feed_seq: feedSeq };
  return {
    input: { event, reason, peer: nodeId, feed, factId: fact.factId, cid: fact.cid, chainSeq, detail },
    kind: { peer: nodeId, reason, feed, keyId },
    feedSeq,
    evidence: fact.evidence.text,
    leaf: () => entryRefusalLeaf({ peer: nodeId, feed, reason, feedSeq, chainSeq, entryLeaf }),
  };
}

function keyIdOf({ origin, logKey }: Pick<PinnedPeer, 'origin' | 'logKey'>): string {
  return noteKeyId(origin, ALG_ED25519, logKey).toString(16).padStart(8, '0');
}
