/** What came of a drill, in a sentence. */
import type { DrillRun } from '../core/drill.ts';
import { printable } from './printable.ts';

type Told = Pick<
  DrillRun,
  | 'seen'
  | 'failure'
  | 'sent_at'
  | 'refused_at'
  | 'recorded_at'
  | 'sinks'
  | 'convicts'
  | 'acknowledged_at'
  | 'acknowledged_by'
>;

export function runSentence(run: Told): string {
  if (run.failure !== null) return `${run.failure.code}: ${printable(run.failure.message)}`;
  if (run.seen === null) return 'runs';
  const { seen, sent_at, acknowledged_at, acknowledged_by } = run;
  const since = (at: string | null): string => spanOf(sent_at, at);
  const sinks = run.sinks.map(({ name, state, acked_at }) =>
    state === 'acknowledged' ? `${name} after ${since(acked_at)}` : `${name}: ${state}`,
  );
  return [
    `${seen.reason} after ${since(run.refused_at)}, record ${seen.audit_seq} durable after ${since(run.recorded_at)}`,
    ...(run.convicts === true ? ['its evidence convicts'] : []),
    ...(sinks.length === 0 ? ['no sinks'] : sinks),
    acknowledged_at === null
      ? 'not acknowledged'
      : `acknowledged by ${printable(acknowledged_by ?? '')} after ${since(acknowledged_at)}`,
  ].join('; ');
}

/** `21 ms`, `3.2 s`, `12 min`. */
export function spanOf(from: string | null, to: string | null): string {
  if (from === null || to === null) return '?';
  const ms = Math.max(0, Date.parse(to) - Date.parse(from));
  if (ms < 1_000) return `${ms} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
