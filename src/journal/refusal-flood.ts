/**
 * Which refusals get an audit record with evidence, and which are counted: a peer must not fill the disk with them. Runs
 * inside the journal's transactions. One sitting is one peer at one moment, usually a page.
 *
 * The first of a kind (peer, reason, feed, log key) always has its record, whatever came before. So have the next few;
 * then a summary covers as many as were told before it, or an hour, with a Merkle root over each of them. The first, the
 * last and some between that nobody can foresee keep their records and are proved to be under the root.
 */
import { randomInt } from 'node:crypto';
import { MAX_REFUSAL_GROUPS, REFUSAL_BUDGET_BYTES } from '../core/limits.ts';
import { isoMicros } from '../core/time.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import type { AuditLog } from './audit-log.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type {
  HeldRefusal,
  OpenSummary,
  RefusalBudget,
  RefusalGroup,
  RefusalGroups,
  RefusalKind,
} from './refusal-groups.ts';
import { SUMMARY_EVENT } from './refusal-summary.ts';

/** Budgets and kinds begin anew after a day. */
const WINDOW_US = 86_400_000_000;
/** What is counted is in a summary after an hour at the latest. */
const SUMMARY_US = 3_600_000_000;
/** Records of a kind before summaries begin. */
const SINGLES = 16;
/** Records inside of a summary, beside its first and last refusal. */
const SAMPLES = 3;
/** Evidence that the first of a kind brings along when the budget is spent: an entry of a usual size. */
const MAX_LATE_EVIDENCE_CHARS = 16_384;

/** One refusal, with what a record and a summary say of it. */
export interface Refusal extends HeldRefusal {
  readonly kind: RefusalKind;
  /** In the feed; null for a page. */
  readonly feedSeq: number | null;
  /** Leaf hash in the tree of a summary: see refusal-leaf.ts. */
  readonly leaf: () => Uint8Array;
}

/** A summary that was written. */
export interface RecordedSummary {
  readonly reason: string;
  readonly auditSeq: number;
  readonly count: number;
}

interface Logs {
  readonly audit: AuditLog;
  readonly evidence: EvidenceStore;
  readonly groups: RefusalGroups;
}

/** Peers of which refusals have waited long enough. */
export function overduePeers(groups: RefusalGroups, nowUs: number): readonly string[] {
  return groups.peersWaiting(nowUs - SUMMARY_US, nowUs);
}

/** Writes the summaries that are due by time, of all peers. @returns how many */
export function writeOverdue(logs: Logs, nowUs: number): number {
  return overduePeers(logs.groups, nowUs).reduce((written, peer) => {
    const sitting = new RefusalSitting(logs, peer, nowUs);
    sitting.closeOverdue();
    return written + sitting.finish().length;
  }, 0);
}

export class RefusalSitting {
  readonly #logs: Logs;
  readonly #peer: string;
  readonly #nowUs: number;
  /** By kind; several kinds may share one group. */
  readonly #groups = new Map<string, RefusalGroup>();
  #groupCount: number;
  readonly #summaries: RecordedSummary[] = [];
  readonly #budget: RefusalBudget;

  constructor(logs: Logs, peer: string, nowUs: number) {
    this.#logs = logs;
    this.#peer = peer;
    this.#nowUs = nowUs;
    const stored = logs.groups.budget(peer);
    const isOver = stored === undefined || nowUs >= stored.sinceUs + WINDOW_US || nowUs < stored.sinceUs;
    this.#budget = isOver ? { sinceUs: nowUs, spentBytes: 0, isOver: false } : stored;
    if (stored !== undefined && isOver) this.#beginWindow();
    this.#groupCount = logs.groups.count(peer);
  }

  /** @returns the sequence of its audit record; null if it was counted */
  refuse(refusal: Refusal): number | null {
    const group = this.#groupOf(refusal.kind);
    group.seen++;
    const isSingle = group.open === null && group.seen <= SINGLES && !this.#budget.isOver;
    if (group.seen === 1 || isSingle) return this.#record(group, refusal);
    return this.#count(group, refusal);
  }

  /** The newest record of its kind. */
  lastRecord(kind: RefusalKind): number {
    return this.#groupOf(kind).lastRecord;
  }

  /** Writes what has waited for an hour. */
  closeOverdue(): void {
    for (const group of this.#logs.groups.open(this.#peer)) {
      const { open } = group;
      const isDue = open !== null && (open.firstUs <= this.#nowUs - SUMMARY_US || open.firstUs > this.#nowUs);
      if (!isDue) continue;
      this.#groups.set(keyOf(group.kind), group);
      this.#close(group, open);
    }
  }

  /** Writes what waits of one kind. */
  close(kind: RefusalKind): void {
    const group = this.#groupOf(kind);
    if (group.open !== null) this.#close(group, group.open);
  }

  /** Stores what changed. @returns the summaries that were written */
  finish(): readonly RecordedSummary[] {
    for (const group of new Set(this.#groups.values())) this.#logs.groups.save(group);
    if (this.#groups.size > 0) this.#logs.groups.saveBudget(this.#peer, this.#budget);
    return this.#summaries;
  }

  #beginWindow(): void {
    for (const group of this.#logs.groups.open(this.#peer)) if (group.open !== null) this.#close(group, group.open);
    this.#logs.groups.clear(this.#peer);
    this.#logs.groups.saveBudget(this.#peer, this.#budget);
  }

  #groupOf(kind: RefusalKind): RefusalGroup {
    const key = keyOf(kind);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = this.#logs.groups.find(kind) ?? this.#newGroup(kind);
    this.#groups.set(key, group);
    return group;
  }

  #newGroup(kind: RefusalKind): RefusalGroup {
    const isShared = kind.feed === '';
    if (!isShared && this.#groupCount >= MAX_REFUSAL_GROUPS) return this.#groupOf({ ...kind, feed: '', keyId: '' });
    this.#groupCount++;
    return { kind, seen: 0, lastRecord: 0, open: null };
  }

  #count(group: RefusalGroup, refusal: Refusal): number | null {
    const open = group.open ?? this.#open(group, refusal);
    group.open = open;
    const index = open.range.size;
    const isKept = !this.#budget.isOver && (index === 0 || open.samples.includes(index));
    const seq = isKept ? this.#record(group, refusal) : null;
    if (index > 0 && open.exemplars.at(-1)?.index !== index - 1) open.range.forget(index - 1);
    open.range.append(refusal.leaf());
    open.lastUs = this.#nowUs;
    if (open.toSeq !== null) open.toSeq = refusal.feedSeq;
    open.last = seq === null && !this.#budget.isOver ? refusal : null;
    if (seq !== null) open.exemplars.push({ index, auditSeq: seq });
    if (open.range.size >= open.due) this.#close(group, open);
    return seq;
  }

  #open({ seen, kind }: RefusalGroup, { feedSeq }: Refusal): OpenSummary {
    const due = Math.max(SINGLES, seen - 1);
    const from = kind.feed === '' ? null : feedSeq;
    return {
      range: new CompactRange(),
      due,
      // A peer that knew them could let the records show what is harmless.
      samples: Array.from({ length: SAMPLES }, () => randomInt(1, due)),
      firstUs: this.#nowUs,
      lastUs: this.#nowUs,
      fromSeq: from,
      toSeq: from,
      exemplars: [],
      last: null,
    };
  }

  #close(group: RefusalGroup, open: OpenSummary): void {
    const { range, last, exemplars } = open;
    if (last !== null && !this.#budget.isOver) {
      const refusedAt = { ...last.input, detail: { ...last.input.detail, refused_at: isoMicros(open.lastUs) } };
      exemplars.push({ index: range.size - 1, auditSeq: this.#record(group, { ...last, input: refusedAt }) });
    }
    const { peer, reason, feed } = group.kind;
    const input = { event: SUMMARY_EVENT, reason, peer, feed: feed === '' ? null : feed };
    const auditSeq = this.#spending(() =>
      this.#logs.audit.append({ ...input, detail: detailOf(group, open) }, null, this.#nowUs),
    );
    this.#summaries.push({ reason, auditSeq, count: range.size - exemplars.length });
    group.lastRecord = auditSeq;
    group.open = null;
  }

  #record(group: RefusalGroup, { input, evidence }: HeldRefusal): number {
    const { isOver } = this.#budget;
    const seq = this.#spending(() => {
      const text = evidence();
      const isLeftOut = text === null || (isOver && text.length > MAX_LATE_EVIDENCE_CHARS);
      const left = isLeftOut ? { evidence_left_out: true } : {};
      const told = { ...input, detail: { ...input.detail, ...left, ...grouping(group.kind) } };
      const id = isLeftOut ? null : this.#logs.evidence.save(text);
      return this.#logs.audit.append(told, id, this.#nowUs);
    });
    group.lastRecord = seq;
    return seq;
  }

  /** Runs what writes to the audit log, counts what it cost, and says so when that was too much. */
  #spending(write: () => number): number {
    const { audit, evidence } = this.#logs;
    const before = audit.written + evidence.written;
    const seq = write();
    const budget = this.#budget;
    budget.spentBytes += audit.written + evidence.written - before;
    if (budget.isOver || budget.spentBytes < REFUSAL_BUDGET_BYTES) return seq;
    budget.isOver = true;
    const until = isoMicros(budget.sinceUs + WINDOW_US);
    const detail = { budget_bytes: REFUSAL_BUDGET_BYTES, since: isoMicros(budget.sinceUs), until };
    audit.append({ event: 'refusal_budget_reached', peer: this.#peer, detail }, null, this.#nowUs);
    return seq;
  }
}

/** What a record of a refusal says of its group: a case is found by it. */
function grouping({ feed, keyId }: RefusalKind): Readonly<Record<string, unknown>> {
  return feed === '' ? { feeds_together: true } : { key_id: keyId };
}

function keyOf({ reason, feed, keyId }: RefusalKind): string {
  return JSON.stringify([reason, feed, keyId]);
}

function detailOf({ kind }: RefusalGroup, open: OpenSummary): Readonly<Record<string, unknown>> {
  const { range, exemplars } = open;
  return {
    count: range.size,
    exemplars: exemplars.map(({ index, auditSeq }) => ({
      audit_seq: auditSeq,
      index,
      path: (range.path(index) ?? []).map(encodeBase64),
    })),
    first_at: isoMicros(open.firstUs),
    from_seq: open.fromSeq,
    key_id: kind.keyId === '' ? null : kind.keyId,
    last_at: isoMicros(open.lastUs),
    root: encodeBase64(range.root()),
    to_seq: open.toSeq,
  };
}
