/** The drills of a month, as they are reported. Pure. */
import { CUT_OFF, type DrillRun } from '../core/drill.ts';
import { isoMicros } from '../core/time.ts';
import { type DrillMonth, MONTH_TEXT, type ReportedDrill } from '../wire/drill-report.ts';

/** A month of the calendar, UTC, as texts of the audit log: from, and up to but without. */
export interface Month {
  readonly month: string;
  readonly since: string;
  readonly until: string;
}

/** @returns null: no month */
export function monthOf(text: string): Month | null {
  if (!MONTH_TEXT.test(text)) return null;
  const [year = 0, month = 0] = text.split('-').map(Number);
  return { month: text, since: startOf(year, month - 1), until: startOf(year, month) };
}

/** The month that a moment is in. */
export function monthAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7);
}

/** The month before the one that a moment is in. */
export function monthBefore(ms: number): string {
  const at = new Date(ms);
  return monthAt(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - 1));
}

function startOf(year: number, month: number): string {
  return isoMicros(Date.UTC(year, month) * 1_000);
}

export interface MonthFacts {
  readonly nodeId: string;
  readonly month: string;
  readonly madeAt: string;
  readonly auditSize: number;
  readonly whole: boolean;
  readonly runs: readonly DrillRun[];
  readonly refusals: DrillMonth['refusals'];
}

/** Of a month that is over no drill runs any more: one without an end was interrupted. Else it is in a later report. */
export function drillMonth({ nodeId, month, madeAt, auditSize, whole, runs, refusals }: MonthFacts): DrillMonth {
  const drills = (whole ? runs.map(ended) : runs.filter(({ state }) => state !== 'running')).map(reported);
  return {
    audit_size: auditSize,
    drills,
    failed: drills.filter(({ passed }) => !passed).length,
    made_at: madeAt,
    month,
    node_id: nodeId,
    passed: drills.filter(({ passed }) => passed).length,
    refusals,
    whole,
  };
}

function ended(run: DrillRun): DrillRun {
  return run.state === 'running' ? { ...run, state: 'failed', failure: CUT_OFF } : run;
}

function reported(run: DrillRun): ReportedDrill {
  const { expected, seen, failure, sinks } = run;
  return {
    acknowledged_at: run.acknowledged_at,
    acknowledged_by: run.acknowledged_by,
    audit_seq: seen?.audit_seq ?? null,
    convicts: run.convicts,
    expected: expected.reason,
    failure: failure?.code ?? null,
    id: run.id,
    kind: run.kind,
    passed: run.state === 'passed',
    recorded_at: run.recorded_at,
    refused_at: run.refused_at,
    seen: seen?.reason ?? null,
    sent_at: run.sent_at,
    sinks: sinks.map(({ acked_at, name, state }) => ({ acked_at, name, state })),
    started_at: run.started_at,
    started_by: run.started_by,
  };
}
