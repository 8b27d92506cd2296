import { z } from '@hono/zod-openapi';
import { SEVERITIES, type Severity, severityOf } from '../../core/severity.ts';
import type { AuditRecord } from '../../journal/read-model.ts';

const NULLABLE_TEXT = z.string().nullable();

export const AUDIT_ENTRY: z.ZodType<AuditEntry> = z
  .object({
    id: z.string().openapi({ description: '`seq` as text.' }),
    peer_id: NULLABLE_TEXT.openapi({ description: 'Node id of the peer concerned.' }),
    event_type: z.string(),
    detail: z.record(z.string(), z.unknown()).nullable(),
    ts: z.string(),
    seq: z.number().int().openapi({ description: 'Place in the audit log, from 1 without holes.' }),
    reason: NULLABLE_TEXT,
    feed: NULLABLE_TEXT,
    fact_id: NULLABLE_TEXT,
    cid: NULLABLE_TEXT,
    chain_seq: z.number().int().nullable(),
    evidence: NULLABLE_TEXT.openapi({ description: 'Hash of the evidence, which the record’s own address returns.' }),
    actor: NULLABLE_TEXT,
    severity: z.enum(SEVERITIES).openapi({ description: 'Follows from event and reason; not part of the record.' }),
    is_drill: z.boolean(),
    previous_hash: NULLABLE_TEXT.openapi({ description: 'Hash of the record before; null for the first.' }),
  })
  .openapi('AuditEntry');

/** An audit record as the API shows it: the reference's five members first. */
export interface AuditEntry {
  id: string;
  peer_id: string | null;
  event_type: string;
  detail: Record<string, unknown> | null;
  ts: string;
  seq: number;
  reason: string | null;
  feed: string | null;
  fact_id: string | null;
  cid: string | null;
  chain_seq: number | null;
  evidence: string | null;
  actor: string | null;
  severity: Severity;
  is_drill: boolean;
  previous_hash: string | null;
}

/** Shapes a record for an answer. */
export function auditEntry(record: AuditRecord): AuditEntry {
  return {
    id: String(record.seq),
    peer_id: record.peer,
    event_type: record.event,
    detail: { ...record.detail },
    ts: record.at,
    seq: record.seq,
    reason: record.reason,
    feed: record.feed,
    fact_id: record.fact_id,
    cid: record.cid,
    chain_seq: record.chain_seq,
    evidence: record.evidence,
    actor: record.actor,
    severity: severityOf(record.event, record.reason),
    is_drill: record.is_drill,
    previous_hash: record.previous_hash,
  };
}
