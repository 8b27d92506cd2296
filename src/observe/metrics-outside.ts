/** Of what leaves: anchors, sinks, backups. */
import type { Counter, Gauge } from 'prom-client';
import { type Makers, NS } from './metric-makers.ts';

export interface AnchorMetrics {
  readonly anchorsSubmitted: Counter<'backend'>;
  readonly anchorFailures: Counter<'backend' | 'code'>;
  readonly teeReports: Counter<'provider'>;
  readonly teeReportFailures: Counter<'code'>;
  readonly anchorsPending: Gauge<'backend'>;
  readonly anchorOldestPendingSeconds: Gauge<'backend'>;
  readonly anchorWatermark: Gauge<'backend'>;
}

export function anchorMetrics(make: Makers): AnchorMetrics {
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

export interface ExportMetrics {
  readonly exportLagSeconds: Gauge<'sink'>;
  readonly exportLagEvents: Gauge<'sink'>;
  readonly exportEvents: Counter<'sink'>;
  readonly exportFailures: Counter<'sink' | 'code'>;
  readonly exportGaps: Counter<'sink' | 'cause'>;
}

export function exportMetrics(make: Makers): ExportMetrics {
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

export interface BackupMetrics {
  readonly wormExportLagSeconds: Gauge;
  readonly wormWaiting: Gauge<'stream'>;
  readonly wormManifests: Gauge;
  readonly wormRestores: Gauge;
  readonly wormShipped: Counter;
  readonly wormFailures: Counter<'code'>;
  readonly journalCheckedAgeSeconds: Gauge;
  readonly journalCheckProblems: Gauge;
  readonly snapshotVerifiedAgeSeconds: Gauge;
  readonly snapshotFailures: Counter<'code'>;
}

export function backupMetrics(make: Makers): BackupMetrics {
  return {
    wormExportLagSeconds: make.gauge(
      `${NS}_worm_export_lag_seconds`,
      'Age of the oldest record that the WORM store does not have; 0 when it has all, or there is none',
    ),
    wormWaiting: make.gauge(`${NS}_worm_waiting_records`, 'Records that the WORM store does not have', ['stream']),
    wormManifests: make.gauge(`${NS}_worm_manifests`, 'Manifests in the WORM store'),
    wormRestores: make.gauge(`${NS}_worm_restores`, 'Restores that the chain in the WORM store names'),
    wormShipped: make.counter(`${NS}_worm_shipped_records_total`, 'Records that the WORM store has taken'),
    wormFailures: make.counter(`${NS}_worm_failures_total`, 'Rounds of the export that failed', ['code']),
    journalCheckedAgeSeconds: make.gauge(
      `${NS}_journal_checked_age_seconds`,
      'Time since everything stored was checked and nothing differed; without such a check, age of the journal',
    ),
    journalCheckProblems: make.gauge(
      `${NS}_journal_check_problems`,
      'What differed in the newest check of everything stored',
    ),
    snapshotVerifiedAgeSeconds: make.gauge(
      `${NS}_snapshot_verified_age_seconds`,
      'Age of the newest snapshot that was restored and checked whole; +Inf without one, 0 when none are to be made',
    ),
    snapshotFailures: make.counter(
      `${NS}_snapshot_failures_total`,
      'Snapshots that could not be made or do not verify',
      ['code'],
    ),
  };
}
