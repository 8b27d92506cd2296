/** An audit record on its way out: the same record gives the same event, whenever and to whomever it is sent. Pure. */
import { hash } from 'node:crypto';
import { CASE_OPENED, type CaseFinding, findingIn } from '../core/case-finding.ts';
import { CASE_CHANGED, type CaseGroup, sightingOf } from '../core/case-sighting.ts';
import { type Severity, severityOf } from '../core/severity.ts';
import { type AuditRecord, UNREADABLE_RECORD } from '../journal/read-model.ts';

/** What is stored: the text whose hash the next record names. */
export interface AuditLine {
  readonly seq: number;
  readonly body: string;
}

export interface SiemNode {
  readonly nodeId: string;
  readonly authority: string;
  readonly version: string;
}

export interface SiemEvent {
  /** `<authority>/<sequence>/<16 hex of the hash>`: what receivers know duplicates by. A history that was put back has other hashes. */
  readonly id: string;
  readonly seq: number;
  /** `sha256:…` of the record's text. */
  readonly hash: string;
  readonly node: SiemNode;
  readonly severity: Severity;
  /** When it was recorded, Unix ms. */
  readonly atMs: number;
  readonly record: AuditRecord;
  /** The case that the record opens or changes, as it is then; null: it does neither. */
  readonly finding: CaseFinding | null;
  /** The record's own text. */
  readonly body: string;
}

/** Digests and gaps tell a receiver what it should have: no filter keeps them back. */
export const DIGEST_EVENT = 'export_digest';
export const GAP_EVENT = 'export_gap';
export const TEST_EVENT = 'export_test';

const HASH_CHARS = 16;

/** Total: a text that is no JSON gives an event too. */
export function siemEventOf({ seq, body }: AuditLine, node: SiemNode): SiemEvent {
  const digest = hash('sha256', body, 'hex');
  const record = recordOf(seq, body);
  const finding = caseIn(record);
  const atMs = Date.parse(record.at);
  return {
    id: eventId(node, seq, digest),
    seq,
    hash: `sha256:${digest}`,
    node,
    severity: finding?.severity ?? severityOf(record.event, record.reason),
    atMs: Number.isNaN(atMs) ? 0 : atMs,
    record,
    finding,
    body,
  };
}

/** @param digest 64 hex digits */
export function eventId({ authority }: SiemNode, seq: number, digest: string): string {
  return `${authority}/${seq}/${digest.slice(0, HASH_CHARS)}`;
}

function caseIn({ event, detail }: AuditRecord): CaseFinding | null {
  return event === CASE_OPENED || event === CASE_CHANGED ? findingIn(detail) : null;
}

function recordOf(seq: number, body: string): AuditRecord {
  try {
    return JSON.parse(body) as AuditRecord;
  } catch {
    return { ...UNREADABLE_RECORD, at: NO_TIME, seq };
  }
}

/** Receivers refuse an event without a time. */
const NO_TIME = '1970-01-01T00:00:00.000000Z';

/** Fields that several formats share. */
export interface OwnFields {
  readonly event: string;
  readonly reason: string | null;
  readonly peer: string | null;
  readonly feed: string | null;
  readonly fact_id: string | null;
  readonly evidence: string | null;
  readonly hash: string;
  readonly previous_hash: string | null;
  readonly is_drill: boolean;
  /** What all records of one case have in common, those that it is made of and those of its steps. */
  readonly finding?: string;
  /** The case as it is behind a step, and what the step says. */
  readonly case?: CaseStep;
  /** The first field that is not what it should be. */
  readonly field?: string;
  /** Refusals that a summary stands for. */
  readonly count?: number;
  /** Lines of a signed digest. */
  readonly digest?: readonly string[];
  /** Sequences that were not sent. */
  readonly gap?: { readonly sink: string; readonly first: number; readonly last: number };
}

export interface CaseStep extends Omit<CaseFinding, 'topic' | 'reason' | 'key_id'> {
  /** The number that `case show` takes. */
  readonly number: number;
  /** Reason of the refusals, or the event. */
  readonly about: string;
  readonly by: string | null;
  /** Note or reason of whoever took the step. */
  readonly why: string | null;
  /** Of a suppression. */
  readonly owner: string | null;
  readonly until: string | null;
}

/** What is said of a record without quoting what a peer sent. */
export function ownFields(of: SiemEvent): OwnFields {
  const { record, hash: digest } = of;
  const { event, reason, peer, feed, fact_id, evidence, previous_hash, is_drill, detail } = record;
  const common = { event, reason, peer, feed, fact_id, evidence, hash: digest, previous_hash, is_drill };
  const field = (detail['difference'] as { field?: unknown } | null | undefined)?.field;
  const { count, note } = detail;
  const finding = findingUidOf(of);
  return {
    ...common,
    ...(finding === null ? {} : { finding }),
    ...(of.finding === null ? {} : { case: stepOf(of.finding, record) }),
    ...(typeof field === 'string' ? { field } : {}),
    ...(typeof count === 'number' ? { count } : {}),
    ...(event === DIGEST_EVENT && isTexts(note) ? { digest: note } : {}),
    ...(event === GAP_EVENT ? { gap: gapOf(detail) } : {}),
  };
}

/** Whatever was restored: a group of refusals has the same uid on every copy of the node. */
function findingUidOf({ record, node, finding }: SiemEvent): string | null {
  const { peer, feed } = record;
  const ofCase = finding === null ? null : { ...finding, peer: peer ?? '', feed: feed ?? '', keyId: finding.key_id };
  const group: CaseGroup | null = ofCase ?? sightingOf(record);
  if (group === null) return null;
  const parts = [node.nodeId, group.topic, group.peer, group.reason, group.feed, group.keyId];
  return `group:${hash('sha256', parts.join('\n'), 'hex').slice(0, 32)}`;
}

function stepOf(finding: CaseFinding, { detail, actor }: AuditRecord): CaseStep {
  const { uid, topic, reason, state, severity, seen, first_at, last_at, verdict, assignee, ticket } = finding;
  const { case: number, why, until, owner } = detail;
  return {
    ...{ number: Number(number), uid, about: reason === '' ? topic : reason, state, severity, seen, first_at, last_at },
    by: actor,
    verdict,
    assignee,
    ticket,
    why: typeof why === 'string' ? why : null,
    owner: typeof owner === 'string' ? owner : null,
    until: typeof until === 'string' ? until : null,
  };
}

function gapOf({ sink, first, last }: AuditRecord['detail']): NonNullable<OwnFields['gap']> {
  return { sink: String(sink), first: Number(first), last: Number(last) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** One sentence for people. */
export function sentenceOf({ record, finding }: SiemEvent): string {
  const { event, reason, peer } = record;
  if (finding !== null) {
    const about = finding.reason === '' ? finding.topic : finding.reason;
    return `case ${String(record.detail['case'])} ${reason}: ${about}${peer === null ? '' : ` (${peer})`}`;
  }
  return `${event}${reason === null ? '' : `: ${reason}`}${peer === null ? '' : ` (${peer})`}`;
}
