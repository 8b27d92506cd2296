/** The journal's part in drills: it names their peers, records what came of them, and signs the reports. */
import { hash, randomBytes } from 'node:crypto';
import {
  DRILL_FAILED,
  DRILL_FINISHED,
  DRILL_REPORTED,
  DRILL_STARTED,
  DRILLS,
  type DrillOrder,
  type DrillOutcome,
  drillAuthority,
  type StartedDrill,
} from '../core/drill.ts';
import { isoMicros } from '../core/time.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { type DrillMonth, signDrillReport } from '../wire/drill-report.ts';

const ID_BYTES = 16;

export interface DrillMethods {
  /** Makes up a peer that nobody can be, and records that it is let in. What is recorded of it from now on is of a drill. */
  startDrill(order: DrillOrder, nowMs: number): StartedDrill;
  endDrill(drill: StartedDrill, outcome: DrillOutcome, nowMs: number): number;
  signDrillMonth(month: DrillMonth): string;
  /** @param text of a report that is kept */
  recordDrillReport(month: DrillMonth, text: string, nowMs: number): number;
}

export function drillMethods(journal: Journal, audit: AuditReader, signer: LogSigner): DrillMethods {
  return {
    startDrill({ kind, actor, why, admittedMs }, nowMs) {
      const id = randomBytes(ID_BYTES).toString('hex');
      const authority = drillAuthority(id);
      const nodeId = `stigmem://${authority}`;
      const until = isoMicros((nowMs + admittedMs) * 1_000);
      const { event, reason } = DRILLS[kind];
      const detail = { drill: id, kind, expected: { event, reason }, why, until };
      journal.audit({ event: DRILL_STARTED, peer: nodeId, actor, detail }, nowMs);
      return { id, kind, nodeId, authority };
    },
    endDrill({ id, kind, nodeId }, { failure, ...told }, nowMs) {
      const refused_at = told.seen === null ? null : recordedAt(audit, told.seen.audit_seq);
      const detail = { drill: id, kind, ...told, refused_at };
      if (failure === null) return journal.audit({ event: DRILL_FINISHED, peer: nodeId, detail }, nowMs);
      // No record of a drill: a detector that does not work is an alarm like any other, and nothing may filter it out.
      const { code: reason, message } = failure;
      return journal.audit({ event: DRILL_FAILED, reason, detail: { ...detail, message, node_id: nodeId } }, nowMs);
    },
    signDrillMonth(month) {
      journal.guard.assertOpen();
      return signDrillReport(month, signer);
    },
    recordDrillReport({ month, passed, failed }, text, nowMs) {
      const digest = `sha256:${hash('sha256', text, 'hex')}`;
      return journal.audit(
        { event: DRILL_REPORTED, actor: 'system', detail: { month, passed, failed, digest } },
        nowMs,
      );
    },
  };
}

/** The time of the verdict is that of its record. */
function recordedAt(audit: AuditReader, seq: number): string | null {
  return audit.page({ order: 'asc', cursor: seq - 1, limit: 1 }).records[0]?.at ?? null;
}
