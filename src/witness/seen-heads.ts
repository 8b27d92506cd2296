/**
 * Heads of others' logs, from wherever they came, in the journal's thread: which of them are known to belong to one history,
 * which contradict each other, and which still have to be asked about.
 */
import type { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { VerifiedCheckpoint } from '../journal/peer-records.ts';
import type { SeenHead } from '../journal/witness-records.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { sameHash } from '../merkle/hash.ts';
import { type ContradictionReason, type HeadPair, judgePair, pairEvidence, pairOf } from '../verify/contradiction.ts';
import { pairInEvidence } from '../verify/evidence-pair.ts';
import { ownLines } from '../verify/own-lines.ts';
import type { WitnessedLog } from './cosigner.ts';

/** Two heads that contradict each other and were not known to: others have to be told. */
export interface Contradiction {
  readonly reason: ContradictionReason;
  /** The smaller first. */
  readonly notes: readonly [string, string];
  readonly path: readonly Uint8Array[] | null;
  /** null: the log is no peer's, so there is nobody to suspend. */
  readonly auditSeq: number | null;
}

/** What became of a head that was shown. */
export interface Shown {
  readonly kind: 'ignored' | 'known' | 'pending' | 'contradiction';
  readonly news: Contradiction | null;
}

/** Two heads of one log of which nobody has shown yet that they belong to one history; the smaller first. */
export interface OpenPair {
  readonly smaller: { readonly size: number; readonly note: string };
  readonly larger: { readonly size: number; readonly note: string };
  /** The row of the head that a third node showed; null for our own two. */
  readonly seenId: number | null;
  readonly seenFrom: string;
}

export interface Resolved {
  readonly kind: 'consistent' | 'no_proof' | 'contradiction';
  readonly news: Contradiction | null;
}

/** A log that signs heads without end, none of which it can join, is asked about this many. */
const MAX_OPEN_HEADS = 64;
const CONTRADICTIONS: ReadonlySet<string> = new Set(['checkpoint_split_view', 'consistency_proof_invalid']);

export class SeenHeads {
  readonly #journal: Journal;
  readonly #audit: AuditReader;
  /** Pairs that were shown to be consistent and have to be looked at again when ours grows, by origin. */
  readonly #checked = new Map<string, Set<string>>();

  /** Out of the evidence of each suspension, by origin. */
  readonly #convictions = new Map<string, { readonly auditSeq: number; readonly pair: HeadPair | null }>();

  constructor(journal: Journal, audit: AuditReader) {
    this.#journal = journal;
    this.#audit = audit;
  }

  /** The largest head of the log that we cosigned or verified ourselves. */
  largest(log: WitnessedLog): VerifiedCheckpoint | null {
    const verified = this.#verified(log);
    const cosigned = this.#journal.witness.cosigned(log.origin);
    if (verified === null || cosigned === null) return verified ?? cosigned;
    return cosigned.size >= verified.size ? cosigned : verified;
  }

  /**
   * True if what was pulled and what was cosigned of this log are known to be one history. Both are chains of proven steps:
   * it is so if the end of one is a link of the other, or if a proof between the two ends was seen.
   */
  isJoined(log: WitnessedLog): boolean {
    const verified = this.#verified(log);
    const cosigned = this.#journal.witness.cosigned(log.origin);
    if (verified === null || cosigned === null) return true;
    const { witness } = this.#journal;
    const isLink = ({ size, root }: VerifiedCheckpoint, chain: VerifiedCheckpoint | null): boolean =>
      chain !== null && chain.size === size && sameHash(chain.root, root);
    if (isLink(verified, witness.cosignedAt(log.origin, verified.size))) return true;
    if (log.nodeId !== null && isLink(cosigned, witness.verifiedAt(log.nodeId, cosigned.size))) return true;
    return this.#checked.get(log.origin)?.has(pairKey(verified, cosigned)) === true;
  }

  /** A checkpoint was cosigned that extends both: what is verified of the log is joined with it. */
  extended(log: WitnessedLog): void {
    const verified = this.#verified(log);
    const cosigned = this.#journal.witness.cosigned(log.origin);
    if (verified !== null && cosigned !== null) this.#remember(log.origin, pairKey(verified, cosigned));
  }

  /** The largest head that may be shown to those who know the log too: our own, or one that a third node showed. */
  toShow(log: WitnessedLog): string | null {
    const own = this.largest(log);
    const seen = this.#journal.witness.largestSeen(log.origin);
    const newest = seen !== null && seen.size > (own?.size ?? -1) ? seen : own;
    return newest === null ? null : ownLines(newest.note, log);
  }

  /** Takes a head that `seenFrom` showed. It is opened with the pinned key; nothing is trusted on first use. */
  show(log: WitnessedLog, head: { readonly note: string }, seenFrom: string, nowMs: number): Shown {
    const opened = openCheckpoint(head.note, log);
    if (!opened.ok) return { kind: 'ignored', news: null };
    const { size, root } = opened.value;
    const shown = { size, root, note: ownLines(head.note, log) };
    const { witness } = this.#journal;
    const others = witness.headsAt(log.origin, log.nodeId, size);
    if (others.some((other) => sameHash(other.root, root))) return { kind: 'known', news: null };

    const [other] = others;
    if (other !== undefined) {
      const pair = { notes: [ownLines(other.note, log), shown.note] as const, path: null };
      return { kind: 'contradiction', news: this.#judge(log, pair, null, seenFrom, nowMs).news };
    }
    if (witness.unreconciled(log.origin).length >= MAX_OPEN_HEADS) return { kind: 'ignored', news: null };
    this.#journal.durably(() => witness.saveSeen(log.origin, shown, seenFrom, nowMs * 1000));
    return { kind: 'pending', news: null };
  }

  /** What a log is suspended for, if it is two of its heads: for those who have not heard of it. */
  conviction(log: WitnessedLog): HeadPair | null {
    const { nodeId, origin } = log;
    const suspended = nodeId === null ? null : this.#audit.suspension(nodeId);
    if (nodeId === null || suspended === null || !CONTRADICTIONS.has(suspended.reason)) return null;
    const { auditSeq } = suspended;
    const known = this.#convictions.get(origin);
    if (known?.auditSeq === auditSeq) return known.pair;
    const pair = pairInEvidence(this.#audit.evidenceOf(auditSeq) ?? '', { ...log, nodeId });
    this.#convictions.set(origin, { auditSeq, pair });
    return pair;
  }

  /** What the log has to be asked for now. */
  openPairs(log: WitnessedLog): readonly OpenPair[] {
    const { witness } = this.#journal;
    const verified = this.#verified(log);
    const cosigned = witness.cosigned(log.origin);
    const ours = verified ?? cosigned;
    if (ours === null) return [];
    const own = cosigned === null || this.isJoined(log) ? [] : [this.#pair(log, ours, cosigned, null, '')];
    const seen = witness.unreconciled(log.origin).filter((head) => !this.#isChecked(log, ours, head));
    return [...own, ...seen.map((head) => this.#pair(log, ours, head, head.id, head.seenFrom))];
  }

  /** Judges a pair with the path that the log gave; null: it gave none. */
  resolve(log: WitnessedLog, pair: OpenPair, path: readonly Uint8Array[] | null, nowMs: number): Resolved {
    const notes = [pair.smaller.note, pair.larger.note] as const;
    return this.#judge(log, { notes, path }, pair.seenId, pair.seenFrom, nowMs);
  }

  /** Judges what a peer says is a contradiction. */
  judge(
    log: WitnessedLog,
    notes: readonly string[],
    path: readonly Uint8Array[] | null,
    seenFrom: string,
    nowMs: number,
  ): Resolved {
    const [smaller, larger] = notes;
    if (smaller === undefined || larger === undefined) return { kind: 'no_proof', news: null };
    return this.#judge(log, { notes: [smaller, larger], path }, null, seenFrom, nowMs);
  }

  #judge(log: WitnessedLog, pair: HeadPair, seenId: number | null, seenFrom: string, nowMs: number): Resolved {
    const verdict = judgePair(pair, { ...log, nodeId: log.nodeId ?? '' });
    if (verdict.kind === 'no_proof') return { kind: 'no_proof', news: null };
    if (verdict.kind === 'consistent') {
      this.#join(log, pair.notes, seenId);
      return { kind: 'consistent', news: null };
    }
    if (this.#isJudged(log, pair.notes)) return { kind: 'contradiction', news: null };
    const auditSeq = this.#convict(log, pair, verdict.reason, seenFrom, nowMs);
    return { kind: 'contradiction', news: { reason: verdict.reason, ...pair, auditSeq } };
  }

  /** A contradiction of a log that is no peer's is kept; there is nobody to suspend. */
  #convict(
    log: WitnessedLog,
    pair: HeadPair,
    reason: ContradictionReason,
    seenFrom: string,
    nowMs: number,
  ): number | null {
    const save = (): void => this.#saveJudged(log, pair.notes, seenFrom, nowMs);
    if (log.nodeId === null) {
      this.#journal.durably(save);
      return null;
    }
    const evidence = pairEvidence(pair, { ...log, nodeId: log.nodeId }, reason, seenFrom);
    return this.#journal.recordContradiction({ reason, peer: log.nodeId, evidence, seenFrom }, save, nowMs);
  }

  #join(log: WitnessedLog, notes: readonly [string, string], seenId: number | null): void {
    const [smaller, larger] = notes.map((note) => openCheckpoint(note, log));
    if (!smaller?.ok || !larger?.ok) return;
    this.#remember(log.origin, pairKey(smaller.value, larger.value));
    const ours = this.#verified(log) ?? this.largest(log);
    // A head ahead of ours says nothing about what we are shown next: it stays until ours has grown past it.
    const head = seenId === null ? undefined : this.#journal.witness.seenById(seenId);
    if (head !== undefined && head.size <= (ours?.size ?? 0)) this.#journal.witness.reconciled(head.id);
  }

  /** Forgetting costs a question, not a mistake. */
  #remember(origin: string, key: string): void {
    const checked = this.#checked.get(origin);
    if (checked === undefined || checked.size > 4 * MAX_OPEN_HEADS) this.#checked.set(origin, new Set([key]));
    else checked.add(key);
  }

  /**
   * A contradiction that was recorded before is not recorded again: an operator may have decided about it since. Its notes
   * are held, none of them is open, and one was put among the seen heads when it was judged.
   */
  #isJudged(log: WitnessedLog, notes: readonly [string, string]): boolean {
    if (log.nodeId !== null && CONTRADICTIONS.has(this.#audit.suspension(log.nodeId)?.reason ?? '')) return true;
    const { witness } = this.#journal;
    const heads = notes.map((note) => openCheckpoint(note, log)).flatMap((head) => (head.ok ? [head.value] : []));
    const isHeld = (head: Head): boolean => includes(witness.headsAt(log.origin, log.nodeId, head.size), head);
    const open = witness.unreconciled(log.origin);
    const isSeen = (head: Head): boolean => includes(witness.seenAt(log.origin, head.size), head);
    return heads.every((head) => isHeld(head) && !includes(open, head)) && heads.some(isSeen);
  }

  /** Judged is judged: nothing of it is asked about again. */
  #saveJudged(log: WitnessedLog, notes: readonly [string, string], seenFrom: string, nowMs: number): void {
    const { witness } = this.#journal;
    for (const note of notes) {
      const head = openCheckpoint(note, log);
      if (!head.ok) continue;
      const { size, root } = head.value;
      const seen = witness.seenAt(log.origin, size).filter((one) => sameHash(one.root, root));
      const ids = seen.map(({ id }) => id);
      if (ids.length === 0) ids.push(witness.saveSeen(log.origin, { size, root, note }, seenFrom, nowMs * 1000));
      for (const id of ids) witness.reconciled(id);
    }
  }

  #isChecked(log: WitnessedLog, ours: VerifiedCheckpoint, head: SeenHead): boolean {
    return this.#checked.get(log.origin)?.has(pairKey(ours, head)) === true;
  }

  #pair(
    log: WitnessedLog,
    ours: VerifiedCheckpoint,
    head: VerifiedCheckpoint,
    seenId: number | null,
    seenFrom: string,
  ): OpenPair {
    const [smaller, larger] = ours.size <= head.size ? [ours, head] : [head, ours];
    const [smallerNote, largerNote] = pairOf(ours, head).map((note) => ownLines(note, log));
    return {
      smaller: { size: smaller.size, note: smallerNote ?? '' },
      larger: { size: larger.size, note: largerNote ?? '' },
      seenId,
      seenFrom,
    };
  }

  #verified({ nodeId, origin }: WitnessedLog): VerifiedCheckpoint | null {
    const checkpoint = nodeId === null ? null : this.#journal.peers.checkpoint(nodeId);
    // A peer that changed to another journal has checkpoints of the old one here.
    return checkpoint?.note.startsWith(`${origin}\n`) === true ? checkpoint : null;
  }
}

interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

function includes(heads: readonly Head[], { size, root }: Head): boolean {
  return heads.some((head) => head.size === size && sameHash(head.root, root));
}

function pairKey(one: Head, other: Head): string {
  const [smaller, larger] = one.size <= other.size ? [one, other] : [other, one];
  const text = ({ size, root }: Head): string => `${size} ${Buffer.from(root).toString('hex')}`;
  return `${text(smaller)} ${text(larger)}`;
}
