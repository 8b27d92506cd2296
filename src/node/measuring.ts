/** What is measured when somebody asks for the metrics. */
import type { ApiDrills } from '../admin/drill-desk.ts';
import type { Readiness } from '../admin/node-status.ts';
import type { CaseCount } from '../core/case-report.ts';
import { OPEN_STATES, UNSEEN_STATES } from '../core/case-state.ts';
import { isConfirmed } from '../core/disclosure.ts';
import type { KeyStatus } from '../core/key-status.ts';
import { SEVERITIES, type Severity } from '../core/severity.ts';
import type { Metrics } from '../observe/metrics.ts';
import { AuditSeverities } from './audit-severities.ts';
import type { Base } from './base.ts';
import { measureDrills } from './drills.ts';
import type { OpenFederation } from './federation.ts';
import type { KeyStatuses } from './keys.ts';
import { freeBytesOf } from './readiness.ts';
import { sinkStatuses } from './sinks.ts';

interface Measured {
  readonly isReady: () => Promise<Readiness>;
  readonly drills: ApiDrills;
  readonly keys: KeyStatuses;
}

/** Has gauges set that are cheaper to read than to keep. What cannot be read takes no other number away. */
export function measureAtScrapes(
  base: Base,
  federation: OpenFederation | null,
  { isReady, drills, keys }: Measured,
): void {
  const { metrics } = base;
  const severities = new AuditSeverities((filter) => base.reader.auditPage(filter), metrics.auditRecordsTotal);
  void severities.look().catch(() => {}); // a node that is stopping; the next look begins
  const each: readonly (() => void | Promise<void>)[] = [
    async () => measureReadiness(base, await isReady()),
    () => severities.look(),
    () => measureJournal(base),
    () => measureAnchors(base),
    async () => measureCases(metrics, await base.reader.caseCounts(), base.nowMs()),
    () => measureSinks(base),
    () => measureDrills(metrics, drills.status),
    async () => measureKeys(metrics, await keys.at(Date.now())),
    () => metrics.peersUnconfirmed.set(unconfirmedIn(base, federation)),
    () => {
      for (const [name, seconds] of federation?.sessions.lagSeconds() ?? [])
        metrics.replicationLagSeconds.set({ peer_id: name }, seconds);
    },
  ];
  for (const collect of each) metrics.beforeScrape(collect);
}

function unconfirmedIn(base: Base, federation: OpenFederation | null): number {
  const files = [...(federation?.files().values() ?? [])];
  return files.filter((peer) => !peer.disabled && !isConfirmed(peer, base)).length;
}

function measureReadiness({ config, metrics }: Base, { checks }: Readiness): void {
  for (const { name, ok } of checks) metrics.checkFailed.set({ check: name }, ok ? 0 : 1);
  const free = freeBytesOf(config.dir);
  if (free !== null) metrics.diskFreeBytes.set(free);
}

async function measureJournal({ metrics, writer }: Base): Promise<void> {
  const { entries, auditRecords, projectionLag, recallLag } = await writer.stats();
  metrics.journalEntries.set(entries);
  metrics.auditRecords.set(auditRecords);
  metrics.projectionLagEntries.set(projectionLag);
  metrics.recallLagEntries.set(recallLag);
}

function measureCases(metrics: Metrics, counts: readonly CaseCount[], nowMs: number): void {
  for (const severity of SEVERITIES)
    for (const isDrill of [false, true]) {
      const of = counts.filter((one) => one.severity === severity && one.is_drill === isDrill);
      measureSeverity(metrics, { severity, ...(isDrill ? { drill: 'true' } : {}) }, of, nowMs);
    }
}

function measureSeverity(
  { casesOpen, casesUnseenSeconds }: Metrics,
  labels: { readonly severity: Severity; readonly drill?: 'true' },
  of: readonly CaseCount[],
  nowMs: number,
): void {
  const open = of.filter(({ state }) => OPEN_STATES.includes(state));
  const unseen = of.filter(({ state }) => UNSEEN_STATES.includes(state)).map(({ oldest_at }) => Date.parse(oldest_at));
  casesOpen.set(
    labels,
    open.reduce((sum, { count }) => sum + count, 0),
  );
  casesUnseenSeconds.set(labels, unseen.length === 0 ? 0 : Math.max(0, (nowMs - Math.min(...unseen)) / 1000));
}

function measureKeys({ keyExpirySeconds }: Metrics, keys: readonly KeyStatus[]): void {
  keyExpirySeconds.reset(); // a peer that went, or a key that it declares no more
  for (const { node_id, use, key_id, seconds_left, state } of keys)
    if (seconds_left !== null && key_id !== null && state !== 'replaced')
      keyExpirySeconds.set({ node: node_id, use, key_id }, seconds_left);
}

async function measureAnchors({ config, metrics, writer }: Base): Promise<void> {
  const nowUs = Date.now() * 1_000;
  for (const { backend, pending, oldestPendingUs, watermark } of await writer.anchorStatus(config.anchor.backends)) {
    metrics.anchorsPending.set({ backend }, pending);
    metrics.anchorOldestPendingSeconds.set({ backend }, oldestPendingUs === null ? 0 : (nowUs - oldestPendingUs) / 1e6);
    metrics.anchorWatermark.set({ backend }, watermark);
  }
}

async function measureSinks(base: Base): Promise<void> {
  for (const { name, lagEvents, lagMs } of await sinkStatuses(base)) {
    base.metrics.exportLagEvents.set({ sink: name }, lagEvents);
    base.metrics.exportLagSeconds.set({ sink: name }, lagMs / 1_000);
  }
}
