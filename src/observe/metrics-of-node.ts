/** Of the node itself: journal, cases, API. */
import type { Counter, Gauge, Histogram } from 'prom-client';
import { type Makers, NS } from './metric-makers.ts';

/** From a single narrow row in page cache to a disk that stalls. Seconds. */
const APPEND_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

export interface JournalMetrics {
  readonly checkFailed: Gauge<'check'>;
  readonly diskFreeBytes: Gauge;
  readonly journalEntries: Gauge;
  readonly auditRecords: Gauge;
  readonly weakenings: Gauge<'code'>;
  readonly auditRecordsTotal: Counter<'severity' | 'event'>;
  readonly projectionLagEntries: Gauge;
  readonly recallLagEntries: Gauge;
  readonly appendSeconds: Histogram;
  readonly guardState: Gauge<'state'>;
  readonly guardUnconfirmed: Gauge;
  readonly corruptReads: Counter<'code'>;
}

export function journalMetrics(make: Makers): JournalMetrics {
  return {
    checkFailed: make.gauge(`${NS}_check_failed`, '1 for a check of /readyz that fails, 0 for the others', ['check']),
    diskFreeBytes: make.gauge(`${NS}_disk_free_bytes`, 'Free space where the journal is'),
    journalEntries: make.gauge(`${NS}_journal_entries`, 'Entries in the journal'),
    auditRecords: make.gauge(`${NS}_audit_records`, 'Records in the audit log'),
    weakenings: make.gauge(
      `${NS}_configuration_weakenings`,
      'What of the configuration is weaker than by default: how many settings, peer files or keys of each code',
      ['code'],
    ),
    auditRecordsTotal: make.counter(
      `${NS}_audit_records_total`,
      'Audit records since the node started, by event and severity: the lanes of `audit list --min-severity`',
      ['severity', 'event'],
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

export interface CaseMetrics {
  readonly casesOpen: Gauge<'severity'>;
  readonly casesUnseenSeconds: Gauge<'severity'>;
}

export function caseMetrics(make: Makers): CaseMetrics {
  return {
    casesOpen: make.gauge(`${NS}_cases_open`, 'Cases that are neither resolved nor suppressed', ['severity']),
    casesUnseenSeconds: make.gauge(
      `${NS}_case_oldest_unacknowledged_seconds`,
      'How long the oldest case that nobody has acknowledged waits; 0: there is none',
      ['severity'],
    ),
  };
}

export interface ApiMetrics {
  readonly requestSeconds: Histogram<'route' | 'status'>;
  readonly authFailures: Counter;
  readonly apiCertificateNotAfter: Gauge;
  readonly apiCertificateRefused: Gauge;
  readonly traceSpans: Counter<'outcome'>;
  readonly openStreams: Gauge;
  readonly eventLoopDelay: Gauge<'quantile'>;
}

export function apiMetrics(make: Makers): ApiMetrics {
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
