/** Whether every receiver of the audit log has taken a record, and when. */
import type { DrillSink } from '../core/drill.ts';
import { isoMicros } from '../core/time.ts';
import type { SinkState } from '../journal/sink-records.ts';
import type { AuditBell } from '../observe/audit-bell.ts';
import { isWanted, type SinkFilter } from '../siem/filter.ts';
import { type AuditLine, type SiemNode, siemEventOf } from '../siem/siem-event.ts';
import type { Clock } from '../transport/clock.ts';

/** A receiver that is slower than this is not one that anybody could rely on. */
export const SINK_MS = 20_000;

export interface SinksDeps {
  readonly sinks: readonly (SinkFilter & { readonly name: string })[];
  readonly node: SiemNode;
  readonly clock: Clock;
  /** Rings when the place of a sink has moved. */
  readonly acks: AuditBell;
  sinkState(name: string): Promise<SinkState | null>;
  auditLines(after: number, limit: number, maxBytes: number): Promise<readonly AuditLine[]>;
}

export async function awaitSinks(seq: number, deps: SinksDeps, signal: AbortSignal): Promise<readonly DrillSink[]> {
  if (deps.sinks.length === 0) return [];
  const [line] = await deps.auditLines(seq - 1, 1, 1);
  const event = line === undefined ? null : siemEventOf(line, deps.node);
  return Promise.all(
    deps.sinks.map((sink) =>
      event !== null && !isWanted(event, sink)
        ? { name: sink.name, state: 'filtered' as const, acked_at: null }
        : acknowledged(sink.name, seq, deps, signal),
    ),
  );
}

async function acknowledged(name: string, seq: number, deps: SinksDeps, signal: AbortSignal): Promise<DrillSink> {
  const waiting = Promise.withResolvers<DrillSink>();
  const look = async (): Promise<void> => {
    const state = await deps.sinkState(name);
    if (state === null || state.acked < seq) return;
    const acked_at = state.ackedUs === null ? null : isoMicros(state.ackedUs);
    waiting.resolve({ name, state: 'acknowledged', acked_at });
  };
  const stop = (): void => waiting.reject(signal.reason);
  // Before the first look: what is acknowledged between the two is heard.
  const unsubscribe = deps.acks.onAudit(() => void look().catch(waiting.reject));
  const cancel = deps.clock.after(SINK_MS, () => waiting.resolve({ name, state: 'silent', acked_at: null }));
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    await look();
    return await waiting.promise;
  } finally {
    waiting.promise.catch(() => {});
    unsubscribe();
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
