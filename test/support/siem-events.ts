/** Audit records as a log has them, for tests of what is made of them. */
import { canonicalJson, type PlainJson } from '../../src/core/canonical-json.ts';
import type { CaseFinding } from '../../src/core/case-finding.ts';
import type { CaseState } from '../../src/core/case-state.ts';
import type { AuditRecord } from '../../src/journal/read-model.ts';
import { type AuditLine, type SiemEvent, type SiemNode, siemEventOf } from '../../src/siem/siem-event.ts';

export const NODE: SiemNode = { nodeId: 'stigmem://acme.example', authority: 'acme.example', version: '1.2.3' };

const REFUSAL: AuditRecord = {
  actor: null,
  at: '2026-11-30T05:00:00.123456Z',
  chain_seq: 7,
  cid: `sha256:${'ab'.repeat(32)}`,
  detail: { class: 'claim', difference: { field: 'cid', expected: 'sha256:aa', got: 'sha256:bb' }, feed_seq: 7 },
  event: 'federation_integrity_rejected',
  evidence: `sha256:${'cd'.repeat(32)}`,
  fact_id: '0197c1b2-0000-7000-8000-000000000001',
  feed: 'public',
  is_drill: false,
  peer: 'stigmem://globex.example',
  previous_hash: `sha256:${'ef'.repeat(32)}`,
  reason: 'cid_mismatch',
  seq: 42,
  v: 1,
};

export function auditLine(change: Partial<AuditRecord> = {}): AuditLine {
  const record = { ...REFUSAL, ...change };
  return { seq: record.seq, body: canonicalJson(record as unknown as PlainJson) };
}

export function siemEvent(change: Partial<AuditRecord> = {}): SiemEvent {
  return siemEventOf(auditLine(change), NODE);
}

const STATE_OF: Readonly<Record<string, CaseState>> = { noted: 'new', assigned: 'new', ticketed: 'new' };

/** What is recorded when a case is opened (`new`, `reopened` with no other step), or somebody takes a step with it. */
export function caseStep(
  reason: string,
  { why = null, ...change }: Partial<CaseFinding> & { readonly why?: string | null } = {},
  record: Partial<AuditRecord> = {},
): SiemEvent {
  const finding: CaseFinding = {
    uid: '0123456789abcdef0123456789abcdef',
    topic: 'refusal',
    reason: 'cid_mismatch',
    key_id: 'aabbccdd',
    state: STATE_OF[reason] ?? (reason as CaseState),
    severity: 'medium',
    seen: 1,
    first_at: '2026-11-30T04:00:00.000000Z',
    last_at: '2026-11-30T04:59:59.000000Z',
    verdict: null,
    assignee: null,
    ticket: null,
    ...change,
  };
  const isOpening = reason === 'new' || reason === 'reopened';
  return siemEvent({
    event: isOpening ? 'case_opened' : 'case_changed',
    reason,
    actor: isOpening ? 'system' : 'agent:bo#k1',
    ...{ cid: null, fact_id: null, evidence: null, chain_seq: null },
    detail: { case: 41, finding: { ...finding }, ...(why === null ? {} : { why }) },
    ...record,
  });
}

/** Records 1 to n, each its own, and each naming the one before it. */
export function auditLines(count: number): AuditLine[] {
  const lines: AuditLine[] = [];
  for (let seq = 1; seq <= count; seq++) {
    const before = lines.at(-1);
    const previous_hash = before === undefined ? null : siemEventOf(before, NODE).hash;
    lines.push(auditLine({ seq, chain_seq: seq, previous_hash }));
  }
  return lines;
}

/** One of each kind that formats treat in their own way. */
export const SAMPLES: readonly SiemEvent[] = [
  siemEvent(),
  siemEvent({ event: 'quarantine_ingest', reason: 'instruction_inbound' }),
  siemEvent({
    event: 'refusals_summarized',
    cid: null,
    fact_id: null,
    detail: { count: 4711, first_at: '2026-11-30T04:00:00.000000Z', last_at: '2026-11-30T04:59:59.000000Z' },
  }),
  siemEvent({ event: 'checkpoint_unreconciled', reason: null, cid: null, fact_id: null }),
  siemEvent({ event: 'federation_integrity_rejected', reason: 'checkpoint_split_view', cid: null, fact_id: null }),
  siemEvent({
    event: 'approval_decided',
    reason: 'approved',
    peer: null,
    feed: null,
    cid: null,
    actor: 'agent:bo#k1',
    fact_id: null,
  }),
  siemEvent({
    event: 'export_gap',
    reason: 'skipped',
    peer: null,
    cid: null,
    detail: { sink: 'siem', first: 3, last: 9 },
  }),
  siemEvent({
    event: 'export_digest',
    reason: null,
    peer: null,
    cid: null,
    detail: { first: 1, last: 9, note: ['a', 'b', '', '— x y'] },
  }),
  siemEvent({ is_drill: true }),
  caseStep('new'),
  caseStep('resolved', { verdict: 'peer_bug', assignee: 'bo', ticket: 'INC-7', why: 'they mended it' }),
];
