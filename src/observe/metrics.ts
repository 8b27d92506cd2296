import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type Makers, NS, type Part } from './metric-makers.ts';
import { backupMetrics } from './metrics-backups.ts';

/** From a single narrow row in page cache to a disk that stalls. Seconds. */
const APPEND_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

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
 * Every metric of the node. Label values come from peer files, API keys and the closed lists of codes, never from
 * what a peer or a client sends, so the number of series is bounded. The exception is the key id of `keyExpirySeconds`: 8
 * hex digits of a pinned declaration, which names 32 keys at most.
 */
export interface Metrics {
  readonly registry: Registry;
  readonly factWrites: Counter<'principal' | 'tenant'>;
  readonly factReads: Counter<'principal' | 'tenant'>;
  readonly federationIngress: Counter<'peer_id' | 'status'>;
  readonly hlcAnomalies: Counter<'peer_id' | 'direction'>;
  readonly replicationLagSeconds: Gauge<'peer_id'>;
  readonly journalEntries: Gauge;
  readonly auditRecords: Gauge;
  readonly weakenings: Gauge<'code'>;
  readonly auditRecordsTotal: Counter<'severity'>;
  readonly projectionLagEntries: Gauge;
  readonly recallLagEntries: Gauge;
  readonly appendSeconds: Histogram;
  readonly pagesVerified: Counter<'peer'>;
  readonly pagesRefused: Counter<'peer' | 'reason'>;
  readonly factsAccepted: Counter<'peer'>;
  readonly factsRefused: Counter<'peer' | 'event' | 'reason'>;
  readonly factsGiven: Counter;
  readonly peerState: Gauge<'peer' | 'state'>;
  readonly peerCircuit: Gauge<'peer' | 'state'>;
  readonly peerLagEntries: Gauge<'peer'>;
  readonly peerRefusesOurs: Gauge<'peer'>;
  readonly peersUnconfirmed: Gauge;
  readonly noticesDropped: Counter<'peer' | 'code'>;
  readonly corruptReads: Counter<'code'>;
  readonly guardState: Gauge<'state'>;
  readonly guardUnconfirmed: Gauge;
  readonly requestSeconds: Histogram<'route' | 'status'>;
  readonly authFailures: Counter;
  readonly openStreams: Gauge;
  readonly casesOpen: Gauge<'severity'>;
  readonly casesUnseenSeconds: Gauge<'severity'>;
  readonly apiCertificateNotAfter: Gauge;
  readonly apiCertificateRefused: Gauge;
  readonly traceSpans: Counter<'outcome'>;
  readonly anchorsSubmitted: Counter<'backend'>;
  readonly anchorFailures: Counter<'backend' | 'code'>;
  readonly teeReports: Counter<'provider'>;
  readonly teeReportFailures: Counter<'code'>;
  readonly anchorsPending: Gauge<'backend'>;
  readonly anchorOldestPendingSeconds: Gauge<'backend'>;
  readonly anchorWatermark: Gauge<'backend'>;
  readonly cosignRequests: Counter<'outcome'>;
  readonly witnessAnswers: Counter<'witness' | 'outcome'>;
  readonly witnessPolicyMet: Gauge;
  readonly gossipHeads: Counter;
  readonly contradictions: Counter<'peer'>;
  readonly unreconciledHeads: Counter<'peer'>;
  readonly wormExportLagSeconds: Gauge;
  readonly wormWaiting: Gauge<'stream'>;
  readonly wormManifests: Gauge;
  readonly wormShipped: Counter;
  readonly wormFailures: Counter<'code'>;
  readonly journalCheckedAgeSeconds: Gauge;
  readonly journalCheckProblems: Gauge;
  readonly snapshotVerifiedAgeSeconds: Gauge;
  readonly snapshotFailures: Counter<'code'>;
  readonly keyExpirySeconds: Gauge<'node' | 'use' | 'key_id'>;
  readonly exportLagSeconds: Gauge<'sink'>;
  readonly exportLagEvents: Gauge<'sink'>;
  readonly exportEvents: Counter<'sink'>;
  readonly exportFailures: Counter<'sink' | 'code'>;
  readonly exportGaps: Counter<'sink' | 'cause'>;
  readonly eventLoopDelay: Gauge<'quantile'>;
  /** Runs before each scrape: the place to set gauges that are cheaper to read than to keep. */
  beforeScrape(collect: () => void | Promise<void>): void;
  /** When the last scrape was, Unix ms; null: nobody has scraped. */
  readonly scrapedAtMs: number | null;
  /** The text of one scrape. */
  scrape(): Promise<{ contentType: string; body: string }>;
}

/** Builds the metrics in a registry of their own: two nodes in one process do not share counters. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const collectors: (() => void | Promise<void>)[] = [];
  const make = makers(registry);
  let scrapedAtMs: number | null = null;
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
    beforeScrape: (collect) => void collectors.push(collect),
    get scrapedAtMs() {
      return scrapedAtMs;
    },
    async scrape() {
      scrapedAtMs = Date.now();
      for (const collect of collectors) await collect();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

function makers(registry: Registry): Makers {
  const registers = [registry];
  return {
    counter: (name, help, labelNames = []) => new Counter({ name, help, labelNames, registers }),
    gauge: (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
    histogram: (name, help, buckets, labelNames = []) => new Histogram({ name, help, buckets, labelNames, registers }),
  };
}

/** Names that dashboards and alerts of the Stigmem reference use. */
function referenceMetrics(
  make: Makers,
): Part<'factWrites' | 'factReads' | 'federationIngress' | 'hlcAnomalies' | 'replicationLagSeconds'> {
  return {
    factWrites: make.counter('stigmem_fact_write_total', 'Facts asserted through the API, repeats included', [
      'principal',
      'tenant',
    ]),
    factReads: make.counter('stigmem_fact_read_total', 'Facts given out by the API', ['principal', 'tenant']),
    federationIngress: make.counter('stigmem_federation_ingress_total', 'Facts received from peers and their fate', [
      'peer_id',
      'status',
    ]),
    hlcAnomalies: make.counter('stigmem_peer_hlc_anomaly_total', 'Facts refused because their clock is out of bounds', [
      'peer_id',
      'direction',
    ]),
    replicationLagSeconds: make.gauge(
      'stigmem_replication_lag_seconds',
      'Time since the last page taken from a peer that is behind',
      ['peer_id'],
    ),
  };
}

function caseMetrics(make: Makers): Part<'casesOpen' | 'casesUnseenSeconds'> {
  return {
    casesOpen: make.gauge(`${NS}_cases_open`, 'Cases that are neither resolved nor suppressed', ['severity']),
    casesUnseenSeconds: make.gauge(
      `${NS}_case_oldest_unacknowledged_seconds`,
      'How long the oldest case that nobody has acknowledged waits; 0: there is none',
      ['severity'],
    ),
  };
}

function journalMetrics(
  make: Makers,
): Part<
  | 'journalEntries'
  | 'auditRecords'
  | 'auditRecordsTotal'
  | 'weakenings'
  | 'projectionLagEntries'
  | 'recallLagEntries'
  | 'appendSeconds'
  | 'corruptReads'
  | 'guardState'
  | 'guardUnconfirmed'
> {
  return {
    journalEntries: make.gauge(`${NS}_journal_entries`, 'Entries in the journal'),
    auditRecords: make.gauge(`${NS}_audit_records`, 'Records in the audit log'),
    weakenings: make.gauge(
      `${NS}_configuration_weakenings`,
      'What of the configuration is weaker than by default: how many settings, peer files or keys of each code',
      ['code'],
    ),
    auditRecordsTotal: make.counter(
      `${NS}_audit_records_total`,
      'Audit records since the node started, by severity: the lanes of `audit --min-severity`',
      ['severity'],
    ),
    projectionLagEntries: make.gauge(`${NS}_projection_lag_entries`, 'Journal entries that queries do not show yet'),
    recallLagEntries: make.gauge(`${NS}_recall_lag_entries`, 'Journal entries that recall does not find yet'),
    appendSeconds: make.histogram(`${NS}_append_seconds`, 'Time of one append transaction', APPEND_BUCKETS),
    guardState: make.gauge(`${NS}_guard_state`, '1 for the state the restore guard is in, 0 for the others', ['state']),
    guardUnconfirmed: make.gauge(
      `${NS}_guard_unconfirmed`,
      '1 while the node writes and signs although nobody could be asked for its newest history, or a witness says that it is not',
    ),
    corruptReads: make.counter(
      `${NS}_corrupt_reads_total`,
      'Reads that met a stored row which is not what was appended',
      ['code'],
    ),
  };
}

function peerMetrics(
  make: Makers,
): Part<
  | 'pagesVerified'
  | 'pagesRefused'
  | 'factsAccepted'
  | 'factsRefused'
  | 'factsGiven'
  | 'peerState'
  | 'peerCircuit'
  | 'peerLagEntries'
  | 'peerRefusesOurs'
  | 'peersUnconfirmed'
  | 'noticesDropped'
> {
  return {
    pagesVerified: make.counter(`${NS}_pages_verified_total`, 'Pages taken from a peer', ['peer']),
    pagesRefused: make.counter(`${NS}_pages_refused_total`, 'Whole pages refused', ['peer', 'reason']),
    factsAccepted: make.counter(`${NS}_facts_accepted_total`, 'Facts accepted from a peer', ['peer']),
    factsGiven: make.counter(
      `${NS}_facts_given_total`,
      'Facts that peers were given, those that they had before included',
    ),
    factsRefused: make.counter(`${NS}_facts_refused_total`, 'Facts refused, by audit event and reason', [
      'peer',
      'event',
      'reason',
    ]),
    peerState: make.gauge(`${NS}_peer_state`, '1 for the state a peer is in, 0 for the others', ['peer', 'state']),
    peerRefusesOurs: make.gauge(`${NS}_peer_refuses_ours`, 'Facts of ours that a peer says it refuses, as of now', [
      'peer',
    ]),
    peersUnconfirmed: make.gauge(
      `${NS}_peers_unconfirmed`,
      'Peers whose log key nobody has confirmed: nothing is taken from them or given to them',
    ),
    noticesDropped: make.counter(`${NS}_notices_dropped_total`, 'Refusal notices of a peer that were not kept', [
      'peer',
      'code',
    ]),
    peerCircuit: make.gauge(`${NS}_peer_circuit`, '1 for the state a peer’s circuit is in, 0 for the others', [
      'peer',
      'state',
    ]),
    peerLagEntries: make.gauge(`${NS}_peer_lag_entries`, 'Entries of granted feeds that a peer has and we do not', [
      'peer',
    ]),
  };
}

type ApiMetric =
  | 'requestSeconds'
  | 'authFailures'
  | 'openStreams'
  | 'traceSpans'
  | 'eventLoopDelay'
  | 'apiCertificateNotAfter'
  | 'apiCertificateRefused';

function apiMetrics(make: Makers): Part<ApiMetric> {
  return {
    requestSeconds: make.histogram(
      `${NS}_http_request_seconds`,
      'Time of API requests up to the first byte of the answer',
      REQUEST_BUCKETS,
      ['route', 'status'],
    ),
    authFailures: make.counter(
      `${NS}_auth_failures_total`,
      'Requests with no key, or a key that is unknown, expired or revoked',
    ),
    apiCertificateNotAfter: make.gauge(
      `${NS}_api_certificate_not_after_seconds`,
      'When the certificate of the API ends, Unix time; 0: plain HTTP',
    ),
    apiCertificateRefused: make.gauge(
      `${NS}_api_certificate_refused`,
      '1: the files of the certificate hold one that is not served, and the old one is',
    ),
    traceSpans: make.counter(`${NS}_trace_spans_total`, 'Spans that were exported, or dropped', ['outcome']),
    openStreams: make.gauge(`${NS}_audit_streams`, 'Open streams of audit records and of cases'),
    eventLoopDelay: make.gauge(`${NS}_event_loop_delay_seconds`, 'Delay of the main event loop since the last scrape', [
      'quantile',
    ]),
  };
}

function keyMetrics(make: Makers): Part<'keyExpirySeconds'> {
  return {
    keyExpirySeconds: make.gauge(
      `${NS}_key_expiry_seconds`,
      'Time until a declared key ends, below 0 once it has; no series for a key without an end or with a successor',
      ['node', 'use', 'key_id'],
    ),
  };
}

type AnchorMetric =
  | 'anchorsSubmitted'
  | 'anchorFailures'
  | 'anchorsPending'
  | 'anchorOldestPendingSeconds'
  | 'anchorWatermark'
  | 'teeReports'
  | 'teeReportFailures';

function anchorMetrics(make: Makers): Part<AnchorMetric> {
  const by = ['backend'] as const;
  return {
    anchorsSubmitted: make.counter(
      `${NS}_anchors_submitted_total`,
      'Checkpoints that a transparency log has taken',
      by,
    ),
    anchorFailures: make.counter(`${NS}_anchor_failures_total`, 'Submissions that failed', ['backend', 'code']),
    teeReports: make.counter(`${NS}_tee_reports_total`, 'Reports of the execution environment', ['provider']),
    teeReportFailures: make.counter(`${NS}_tee_report_failures_total`, 'Reports that failed', ['code']),
    anchorsPending: make.gauge(`${NS}_anchors_pending`, 'Checkpoints that wait for a transparency log', by),
    anchorOldestPendingSeconds: make.gauge(
      `${NS}_anchor_oldest_pending_seconds`,
      'Age of the oldest checkpoint that waits; 0 when none does',
      by,
    ),
    anchorWatermark: make.gauge(
      `${NS}_anchor_watermark_entries`,
      'Journal entries below the newest checkpoint in a transparency log, all before it submitted too',
      by,
    ),
  };
}

type WitnessMetric =
  | 'cosignRequests'
  | 'witnessAnswers'
  | 'witnessPolicyMet'
  | 'gossipHeads'
  | 'contradictions'
  | 'unreconciledHeads';

function witnessMetrics(make: Makers): Part<WitnessMetric> {
  return {
    cosignRequests: make.counter(`${NS}_cosign_requests_total`, 'Checkpoints of others that were to be cosigned', [
      'outcome',
    ]),
    witnessAnswers: make.counter(`${NS}_witness_answers_total`, 'Answers of witnesses about checkpoints of ours', [
      'witness',
      'outcome',
    ]),
    witnessPolicyMet: make.gauge(
      `${NS}_witness_policy_met`,
      '1: the newest checkpoint has the cosignatures of our own policy, or there is no policy; 0: it lacks some',
    ),
    gossipHeads: make.counter(`${NS}_gossip_heads_total`, 'Heads of third nodes that peers have shown'),
    contradictions: make.counter(`${NS}_contradictions_total`, 'Logs that signed two histories', ['peer']),
    unreconciledHeads: make.counter(
      `${NS}_unreconciled_heads_total`,
      'Heads that a log did not join with what we verified of it',
      ['peer'],
    ),
  };
}

type ExportMetric = 'exportLagSeconds' | 'exportLagEvents' | 'exportEvents' | 'exportFailures' | 'exportGaps';

function exportMetrics(make: Makers): Part<ExportMetric> {
  const by = ['sink'] as const;
  return {
    exportLagSeconds: make.gauge(
      `${NS}_export_lag_seconds`,
      'Age of the oldest audit record that a sink has not taken; 0 when it has all',
      by,
    ),
    exportLagEvents: make.gauge(`${NS}_export_lag_events`, 'Audit records that a sink has not taken', by),
    exportEvents: make.counter(`${NS}_export_events_total`, 'Events that a sink has taken', by),
    exportFailures: make.counter(`${NS}_export_failures_total`, 'Deliveries that failed', ['sink', 'code']),
    exportGaps: make.counter(`${NS}_export_gaps_total`, 'Times that records were passed over', ['sink', 'cause']),
  };
}
