/** An audit record on its way out: the same record gives the same event, whenever and to whomever it is sent. Pure. */
import { hash } from 'node:crypto';
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
  const atMs = Date.parse(record.at);
  return {
    id: `${node.authority}/${seq}/${digest.slice(0, HASH_CHARS)}`,
    seq,
    hash: `sha256:${digest}`,
    node,
    severity: severityOf(record.event, record.reason),
    atMs: Number.isNaN(atMs) ? 0 : atMs,
    record,
    body,
  };
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
  /** The first field that is not what it should be. */
  readonly field?: string;
  /** Refusals that a summary stands for. */
  readonly count?: number;
  /** Lines of a signed digest. */
  readonly digest?: readonly string[];
  /** Sequences that were not sent. */
  readonly gap?: { readonly sink: string; readonly first: number; readonly last: number };
}

/** What is said of a record without quoting what a peer sent. */
export function ownFields({ record, hash: digest }: SiemEvent): OwnFields {
  const { event, reason, peer, feed, fact_id, evidence, previous_hash, is_drill, detail } = record;
  const common = { event, reason, peer, feed, fact_id, evidence, hash: digest, previous_hash, is_drill };
  const field = (detail['difference'] as { field?: unknown } | null | undefined)?.field;
  const { count, note } = detail;
  return {
    ...common,
    ...(typeof field === 'string' ? { field } : {}),
    ...(typeof count === 'number' ? { count } : {}),
    ...(event === DIGEST_EVENT && isTexts(note) ? { digest: note } : {}),
    ...(event === GAP_EVENT ? { gap: gapOf(detail) } : {}),
  };
}

function gapOf({ sink, first, last }: AuditRecord['detail']): NonNullable<OwnFields['gap']> {
  return { sink: String(sink), first: Number(first), last: Number(last) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** One sentence for people. */
export function sentenceOf({ record }: SiemEvent): string {
  const { event, reason, peer } = record;
  return `${event}${reason === null ? '' : `: ${reason}`}${peer === null ? '' : ` (${peer})`}`;
}
