/** Receivers of the audit log, as the API asks about them. */
import type { ApiSinks, SinkStatus } from '../admin/sink-desk.ts';
import type { SinkConfig } from '../config/sink-settings.ts';
import type { Base } from './base.ts';
import type { Siem } from './siem.ts';

/** @param siem null: the node does not run */
export function sinksOf(base: Base, siem: Siem | null): ApiSinks {
  const { config, events } = base;
  const known = (name: string): SinkConfig | undefined => config.sinks.find((sink) => sink.name === name);
  return {
    list: () => sinkStatuses(base),
    async test(name) {
      if (known(name) === undefined) return { kind: 'unknown_sink' };
      const outcome = await siem?.exporting.test(name);
      if (outcome === undefined) return { kind: 'not_running' };
      return outcome.ok ? { kind: 'taken' } : { kind: 'failed', code: outcome.code, message: outcome.message };
    },
    async move(name, move, by) {
      const sink = known(name);
      if (sink === undefined) return { kind: 'unknown_sink' };
      if (siem === null) return { kind: 'not_running' };
      const auditSeq = await siem.exporting.move(name, move, by);
      if (auditSeq === null) return { kind: 'no_such_place' };
      if (move.kind === 'skip') events.exportGap(name, move.to, 'skipped');
      return { kind: 'moved', auditSeq, sink: await statusOf(base, sink, auditSeq) };
    },
  };
}

const NOT_OPENED = {
  since: 0,
  acked: 0,
  placed: 0,
  attempts: 0,
  failingSinceUs: null,
  lastError: null,
  ackedUs: null,
} as const;

export async function sinkStatuses(base: Base): Promise<readonly SinkStatus[]> {
  const { auditRecords } = await base.writer.stats();
  return Promise.all(base.config.sinks.map((sink) => statusOf(base, sink, auditRecords)));
}

async function statusOf({ writer, reader, nowMs }: Base, sink: SinkConfig, size: number): Promise<SinkStatus> {
  const { name, kind, format, path, url, minSeverity, events } = sink;
  const state = (await writer.sinkState(name)) ?? { ...NOT_OPENED, name };
  const { records } = await reader.auditPage({ order: 'asc', cursor: state.acked, limit: 1 });
  const [oldest] = records;
  const lagEvents = Math.max(0, size - state.acked);
  const lagMs = oldest === undefined || lagEvents === 0 ? 0 : Math.max(0, nowMs() - atMs(oldest.at));
  return { ...state, kind, format, target: kind === 'file' ? path : url, minSeverity, events, lagEvents, lagMs };
}

/** The record may be damaged. */
function atMs(at: string): number {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? 0 : ms;
}
