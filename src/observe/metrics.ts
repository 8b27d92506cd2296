import { Registry } from 'prom-client';
import { makers } from './metric-makers.ts';
import { type DrillMetrics, drillMetrics } from './metrics-of-drills.ts';
import {
  type ApiMetrics,
  apiMetrics,
  type CaseMetrics,
  caseMetrics,
  type JournalMetrics,
  journalMetrics,
} from './metrics-of-node.ts';
import {
  type KeyMetrics,
  keyMetrics,
  type PeerMetrics,
  peerMetrics,
  type ReferenceMetrics,
  referenceMetrics,
  type WitnessMetrics,
  witnessMetrics,
} from './metrics-of-peers.ts';
import {
  type AnchorMetrics,
  anchorMetrics,
  type BackupMetrics,
  backupMetrics,
  type ExportMetrics,
  exportMetrics,
} from './metrics-outside.ts';

/** States a peer can be in, as a number, so that a graph shows the change. */
export const PEER_STATES = ['current', 'catching_up', 'waiting', 'suspended', 'pending'] as const;
export type PeerStateName = (typeof PEER_STATES)[number];

/** States of a peer's circuit. */
export const CIRCUIT_STATES = ['closed', 'open', 'half_open'] as const;
export type CircuitStateName = (typeof CIRCUIT_STATES)[number];

/** States of the restore guard. */
export const GUARD_STATES = ['asking', 'clear', 'behind', 'forked'] as const;
export type GuardStateName = (typeof GUARD_STATES)[number];

/**
 * Every metric of the node. Label values come from peer files, API keys and the closed lists of codes and events, never from
 * what a peer or a client sends, so the number of series is bounded. The exception is the key id of `keyExpirySeconds`: 8
 * hex digits of a pinned declaration, which names 32 keys at most.
 */
export interface Metrics
  extends JournalMetrics,
    CaseMetrics,
    ApiMetrics,
    ReferenceMetrics,
    PeerMetrics,
    KeyMetrics,
    WitnessMetrics,
    AnchorMetrics,
    ExportMetrics,
    BackupMetrics,
    DrillMetrics {
  readonly registry: Registry;
  /** Runs before each scrape: the place to set gauges that are cheaper to read than to keep. */
  beforeScrape(collect: () => void | Promise<void>): void;
  /** When the last scrape was, Unix ms; null: nobody has scraped. */
  readonly scrapedAtMs: number | null;
  /** The text of one scrape. */
  scrape(): Promise<{ contentType: string; body: string }>;
}

const TELL_EVERY_MS = 60_000;

/**
 * Builds the metrics in a registry of their own: two nodes in one process do not share counters.
 *
 * @param onFault told of what could not be measured, once a minute at most: the rest of the scrape goes on
 */
export function createMetrics(onFault: (error: unknown) => void = () => {}): Metrics {
  const registry = new Registry();
  const collectors: (() => void | Promise<void>)[] = [];
  const make = makers(registry);
  let scrapedAtMs: number | null = null;
  let toldAtMs = 0;
  return {
    registry,
    ...referenceMetrics(make),
    ...journalMetrics(make),
    ...peerMetrics(make),
    ...apiMetrics(make),
    ...keyMetrics(make),
    ...anchorMetrics(make),
    ...witnessMetrics(make),
    ...caseMetrics(make),
    ...exportMetrics(make),
    ...backupMetrics(make),
    ...drillMetrics(make),
    beforeScrape: (collect) => void collectors.push(collect),
    get scrapedAtMs() {
      return scrapedAtMs;
    },
    async scrape() {
      const startedMs = Date.now();
      scrapedAtMs = startedMs;
      for (const collect of collectors)
        try {
          await collect();
        } catch (error) {
          if (startedMs - toldAtMs < TELL_EVERY_MS) continue;
          toldAtMs = startedMs;
          onFault(error);
        }
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
