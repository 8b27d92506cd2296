/** Metrics of what is checked whole, and of copies elsewhere. */
import { type Makers, NS, type Part } from './metric-makers.ts';

type BackupMetric =
  | 'wormExportLagSeconds'
  | 'wormWaiting'
  | 'wormManifests'
  | 'wormShipped'
  | 'wormFailures'
  | 'journalCheckedAgeSeconds'
  | 'journalCheckProblems'
  | 'snapshotVerifiedAgeSeconds'
  | 'snapshotFailures';

export function backupMetrics(make: Makers): Part<BackupMetric> {
  return {
    wormExportLagSeconds: make.gauge(
      `${NS}_worm_export_lag_seconds`,
      'Age of the oldest record that the WORM store does not have; 0 when it has all, or there is none',
    ),
    wormWaiting: make.gauge(`${NS}_worm_waiting_records`, 'Records that the WORM store does not have', ['stream']),
    wormManifests: make.gauge(`${NS}_worm_manifests`, 'Manifests in the WORM store'),
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
