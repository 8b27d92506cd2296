/** Every alert rule for Prometheus, run by promtool over what a node would show: it fires, and it stays quiet. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const RULES = 'deploy/prometheus/stigmem-peerd.rules.yml';
const run = promisify(execFile);

type Series = Readonly<Record<string, string>>;
interface Trial {
  readonly fires: Series;
  readonly quiet: Series;
  /** When it is looked at; 30 minutes where nothing is said. */
  readonly at?: string;
}

/** A series that begins with its first event in minute 25, as a counter does; and one that was there and does not grow. */
const BEGINS = '_x25 1x90';
const RESTS = '3x60';
const GROWS = '3x25 4x30';

function counter(name: string, labels: string, other: string): Trial {
  return {
    fires: { [`${name}{${labels}}`]: BEGINS },
    quiet: { [`${name}{${labels}}`]: RESTS, [`${name}{${other}}`]: BEGINS },
  };
}

const NS = 'stigmem_peerd';
const REFUSED = `${NS}_facts_refused_total`;
const ACCEPTED = `${NS}_facts_accepted_total`;
const CURRENT = { [`${NS}_peer_state{peer="b",state="current"}`]: '1x3000' };
const TRIALS: Readonly<Record<string, Trial>> = {
  StigmemNodeDown: above('up{job="stigmem-peerd"}', 0, 1),
  StigmemNotReady: above(`${NS}_check_failed{check="guard"}`, 1, 0),
  StigmemDiskLow: above(`${NS}_disk_free_bytes`, 1_073_741_823, 1_073_741_824),
  StigmemGuardHolds: {
    fires: { [`${NS}_guard_state{state="behind"}`]: '1x60' },
    quiet: { [`${NS}_guard_state{state="behind"}`]: '0x60', [`${NS}_guard_state{state="clear"}`]: '1x60' },
  },
  StigmemGuardUnconfirmed: { ...above(`${NS}_guard_unconfirmed`, 1, 0), at: '90m' },
  StigmemQueriesLag: above(`${NS}_projection_lag_entries`, 100_001, 100_000),
  StigmemLoopBlocked: {
    fires: { [`${NS}_event_loop_delay_seconds{quantile="0.99"}`]: '0.2x60' },
    quiet: {
      [`${NS}_event_loop_delay_seconds{quantile="0.99"}`]: '0.1x60',
      [`${NS}_event_loop_delay_seconds{quantile="1"}`]: '9x60',
    },
  },
  StigmemAuthFailures: {
    fires: { [`${NS}_auth_failures_total`]: '0+30x60' },
    quiet: { [`${NS}_auth_failures_total`]: '0+6x60' },
    at: '45m',
  },
  StigmemTracesDropped: {
    fires: { [`${NS}_trace_spans_total{outcome="dropped"}`]: '0+1x60' },
    quiet: {
      [`${NS}_trace_spans_total{outcome="dropped"}`]: BEGINS,
      [`${NS}_trace_spans_total{outcome="exported"}`]: '0+1x60',
    },
    at: '45m',
  },
  StigmemPeerSuspended: above(`${NS}_peer_state{peer="b",state="suspended"}`, 1, 0),
  StigmemPeerLeftAlone: {
    fires: { [`${NS}_peer_circuit{peer="b",state="open"}`]: '1x60' },
    quiet: {
      [`${NS}_peer_circuit{peer="b",state="open"}`]: '1x60',
      [`${NS}_peer_state{peer="b",state="suspended"}`]: '1x60',
      [`${NS}_peer_circuit{peer="c",state="open"}`]: '0x60',
    },
  },
  StigmemPeerBehind: above('stigmem_replication_lag_seconds{peer_id="b"}', 301, 300),
  StigmemPeerFallsBehind: {
    fires: { [`${NS}_peer_lag_entries{peer="b"}`]: '0+100x120' },
    quiet: { [`${NS}_peer_lag_entries{peer="b"}`]: '0+60x120' },
    at: '90m',
  },
  StigmemPeerRefusesOurs: above(`${NS}_peer_refuses_ours{peer="b"}`, 1, 0),
  StigmemNoticesDropped: {
    fires: { [`${NS}_notices_dropped_total{peer="b",code="unknown_fact"}`]: BEGINS },
    quiet: { [`${NS}_notices_dropped_total{peer="b",code="unknown_fact"}`]: '3x120' },
    at: '65m',
  },
  StigmemHeadNotJoined: {
    fires: { [`${NS}_unreconciled_heads_total{peer="b"}`]: BEGINS },
    quiet: { [`${NS}_unreconciled_heads_total{peer="b"}`]: '3x120' },
    at: '65m',
  },
  StigmemWitnessesMissing: above(`${NS}_witness_policy_met`, 0, 1),
  StigmemWitnessAhead: counter(
    `${NS}_witness_answers_total`,
    'witness="w",outcome="ahead"',
    'witness="w",outcome="cosigned"',
  ),
  StigmemCosignContradiction: counter(`${NS}_cosign_requests_total`, 'outcome="contradiction"', 'outcome="cosigned"'),
  StigmemTeeReportsFail: {
    fires: { [`${NS}_tee_report_failures_total{code="unreadable"}`]: '0+1x60' },
    quiet: { [`${NS}_tee_report_failures_total{code="unreadable"}`]: RESTS },
    at: '45m',
  },
  StigmemAnchorsWait: above(`${NS}_anchor_oldest_pending_seconds{backend="r"}`, 901, 900),
  StigmemAnchorsStopped: above(`${NS}_anchor_oldest_pending_seconds{backend="r"}`, 7_201, 7_200),
  StigmemAnchorRefused: counter(
    `${NS}_anchor_failures_total`,
    'backend="r",code="refused"',
    'backend="r",code="unreachable"',
  ),
  StigmemKeyEnds: above(`${NS}_key_expiry_seconds{node="a",use="log",key_id="1"}`, 86_401, 86_400 * 14),
  StigmemKeyEnded: above(`${NS}_key_expiry_seconds{node="a",use="log",key_id="1"}`, 86_400, 86_401),
  StigmemWormLag: above(`${NS}_worm_export_lag_seconds`, 901, 900),
  StigmemWormRefused: counter(`${NS}_worm_failures_total`, 'code="store_lost"', 'code="store_unusable"'),
  StigmemWormResumed: counter(
    `${NS}_audit_records_total`,
    'event="worm_export_resumed",severity="high"',
    'event="worm_export_resumed",severity="high",drill="true"',
  ),
  StigmemJournalCheckFailed: above(`${NS}_journal_check_problems`, 1, 0),
  StigmemJournalNotChecked: { ...above(`${NS}_journal_checked_age_seconds`, 1_209_601, 1_209_600), at: '40m' },
  StigmemNoCheckedSnapshot: { ...above(`${NS}_snapshot_verified_age_seconds`, 172_801, 172_800), at: '40m' },
  StigmemSnapshotBroken: {
    ...counter(`${NS}_snapshot_failures_total`, 'code="not_verified"', 'code="no_space"'),
    quiet: { [`${NS}_snapshot_failures_total{code="no_space"}`]: BEGINS },
  },
  StigmemCertificateEnds: above(`${NS}_api_certificate_not_after_seconds`, 86_400, 86_400 * 15),
  StigmemCertificateRefused: above(`${NS}_api_certificate_refused`, 1, 0),
  StigmemCriticalCaseUnseen: above(`${NS}_case_oldest_unacknowledged_seconds{severity="critical"}`, 901, 900),
  StigmemCaseUnseen: above(`${NS}_case_oldest_unacknowledged_seconds{severity="low"}`, 86_401, 86_400),
  StigmemDrillFailed: {
    fires: { [`${NS}_drills_total{kind="rollback",result="failed"}`]: GROWS },
    quiet: {
      [`${NS}_drills_total{kind="rollback",result="failed"}`]: RESTS,
      [`${NS}_drills_total{kind="rollback",result="passed"}`]: GROWS,
    },
  },
  // Times before 1970: a month has passed when the trial begins. One drill of any kind is enough.
  StigmemDetectorQuiet: {
    fires: {
      [`${NS}_last_refusal_timestamp_seconds`]: `${-30 * 86_400 - 1}x120`,
      [`${NS}_last_drill_timestamp_seconds{kind="rollback"}`]: `${-30 * 86_400 - 1}x120`,
    },
    quiet: {
      [`${NS}_last_refusal_timestamp_seconds`]: `${-30 * 86_400 - 1}x120`,
      [`${NS}_last_drill_timestamp_seconds{kind="rollback"}`]: `${-30 * 86_400 - 1}x120`,
      [`${NS}_last_drill_timestamp_seconds{kind="split-view"}`]: '0x120',
    },
    at: '90m',
  },
  StigmemContradiction: {
    ...counter(`${NS}_contradictions_total`, 'peer="b"', 'peer="b"'),
    quiet: { [`${NS}_contradictions_total{peer="b"}`]: RESTS },
  },
  StigmemHistoryRefused: counter(
    `${NS}_pages_refused_total`,
    'peer="b",reason="checkpoint_rollback"',
    'peer="b",reason="page_malformed"',
  ),
  StigmemForeignFacts: {
    ...counter(REFUSED, 'peer="b",reason="source_not_owned"', 'peer="b",reason="hlc_future"'),
    at: '65m',
    quiet: { [`${REFUSED}{peer="b",reason="source_not_owned"}`]: '3x90' },
  },
  StigmemScopeFlood: {
    fires: {
      [`${REFUSED}{peer="b",reason="scope_not_granted"}`]: '_x25 6x30',
      [`${REFUSED}{peer="b",reason="scope_escalated"}`]: '_x25 4x30',
    },
    quiet: {
      [`${REFUSED}{peer="b",reason="scope_not_granted"}`]: '_x25 9x30',
      [`${REFUSED}{peer="c",reason="scope_not_granted"}`]: '_x25 9x30',
    },
  },
  StigmemDamagedFactsOfSeveral: {
    fires: {
      [`${REFUSED}{peer="b",reason="cid_mismatch"}`]: BEGINS,
      [`${REFUSED}{peer="c",reason="cid_mismatch"}`]: GROWS,
    },
    quiet: {
      [`${REFUSED}{peer="b",reason="cid_mismatch"}`]: BEGINS,
      [`${REFUSED}{peer="c",reason="cid_mismatch"}`]: RESTS,
    },
  },
  StigmemDowngrade: {
    fires: {
      [`${REFUSED}{peer="b",reason="cid_missing"}`]: '_x75 1x30',
      [`${ACCEPTED}{peer="b",feed="public"}`]: '5x120',
    },
    quiet: {
      [`${REFUSED}{peer="b",reason="cid_missing"}`]: '_x75 1x30',
      [`${ACCEPTED}{peer="c",feed="public"}`]: '5x120',
    },
    at: '80m',
  },
  StigmemForeignKey: counter(
    `${NS}_pages_refused_total`,
    'peer="b",reason="checkpoint_signature_invalid"',
    'peer="b",reason="page_malformed"',
  ),
  StigmemKeyChanged: counter(
    `${NS}_audit_records_total`,
    'event="peer_key_succession",severity="medium"',
    'event="peer_verified",severity="info"',
  ),
  StigmemClockAhead: {
    fires: { 'stigmem_peer_hlc_anomaly_total{peer_id="b",direction="future"}': '_x25 6x30' },
    quiet: {
      'stigmem_peer_hlc_anomaly_total{peer_id="b",direction="future"}': '_x25 5x30',
      'stigmem_peer_hlc_anomaly_total{peer_id="b",direction="past"}': '_x25 9x30',
    },
  },
  StigmemDamagedFacts: {
    fires: { [`${REFUSED}{peer="b",reason="cid_mismatch"}`]: '_x25 5x30' },
    quiet: { [`${REFUSED}{peer="b",reason="cid_mismatch"}`]: '_x25 4x30' },
  },
  StigmemJournalDamaged: {
    fires: { [`${NS}_corrupt_reads_total{code="cid_mismatch"}`]: BEGINS },
    quiet: { [`${NS}_corrupt_reads_total{code="cid_mismatch"}`]: RESTS },
  },
  StigmemExportLags: above(`${NS}_export_lag_seconds{sink="s"}`, 301, 300),
  StigmemExportFails: counter(
    `${NS}_export_failures_total`,
    'sink="s",code="misconfigured"',
    'sink="s",code="unreachable"',
  ),
  StigmemExportGap: {
    fires: { [`${NS}_export_gaps_total{sink="s",cause="skipped"}`]: BEGINS },
    quiet: { [`${NS}_export_gaps_total{sink="s",cause="skipped"}`]: '3x120' },
    at: '65m',
  },
  StigmemConfigurationWeakened: above(`${NS}_configuration_weakenings{code="first_use"}`, 1, 0),
  StigmemLogKeyWaits: { ...above(`${NS}_peers_unconfirmed`, 1, 0), at: '90m' },
  StigmemCriticalRecord: counter(
    `${NS}_audit_records_total`,
    'event="journal_corrupt",severity="critical"',
    'event="peer_verified",severity="info"',
  ),
};

/** Over days, at steps of five minutes. 300 facts in each: a fact a second. */
const SLOW_TRIALS: Readonly<Record<string, Trial>> = {
  // 30 hours, then none; and one that goes on, one that never gave much, one whose partner is away.
  StigmemFactsStopped: {
    fires: { [`${ACCEPTED}{peer="b",feed="public"}`]: '0+300x360 108000x30', ...CURRENT },
    quiet: {
      [`${ACCEPTED}{peer="b",feed="public"}`]: '0+300x400',
      [`${ACCEPTED}{peer="b",feed="company"}`]: '0+1x360 360x30',
      [`${ACCEPTED}{peer="c",feed="public"}`]: '0+300x360 108000x30',
      ...CURRENT,
    },
    at: '1880m',
  },
  // Eight days, then more; and five times as much, ten times of little, and what began yesterday.
  StigmemFeedSurge: {
    fires: { [`${ACCEPTED}{peer="b",feed="public"}`]: '0+30x2304 69120+3600x20' },
    quiet: {
      [`${ACCEPTED}{peer="b",feed="public"}`]: '0+300x2304 691200+1500x20',
      [`${ACCEPTED}{peer="c",feed="public"}`]: '0+1x2304 2304+150x20',
      [`${ACCEPTED}{peer="d",feed="public"}`]: '_x2016 0+30x288 8640+3600x20',
    },
    at: '11550m',
  },
};

/** What a drill moves, too: with a label of its own. */
const OF_DRILLS =
  /_(pages_refused_total|facts_refused_total|audit_records_total|case_oldest_unacknowledged_seconds|hlc_anomaly_total)\b/;

function withDrill(series: string): string {
  return series.endsWith('}') ? series.replace('}', ',drill="true"}') : `${series}{drill="true"}`;
}

function above(series: string, fires: number, quiet: number): Trial {
  return { fires: { [series]: `${fires}x120` }, quiet: { [series]: `${quiet}x120` } };
}

function withInstance(series: Series): readonly { readonly series: string; readonly values: string }[] {
  return Object.entries(series).map(([name, values]) => {
    const at = name.indexOf('{');
    const labels = at === -1 ? '' : `,${name.slice(at + 1, -1)}`;
    return { series: `${at === -1 ? name : name.slice(0, at)}{instance="a:8765"${labels}}`, values };
  });
}

function trialOf(alert: string, kind: 'fires' | 'quiet', { at = '30m', ...trial }: Trial, interval: string): object {
  const expr = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
  // A rule may fire for several series.
  const samples = [{ labels: '{}', value: 1 }];
  const question = kind === 'fires' ? `(${expr}) > bool 0` : `(${expr}) == bool 0`;
  return {
    name: `${alert} ${kind}`,
    interval,
    input_series: withInstance(trial[kind]),
    promql_expr_test: [{ expr: question, eval_time: at, exp_samples: samples }],
  };
}

test('every alert fires when it should, and only then', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-promtool-'));
  t.after(() => rmSync(folder, { recursive: true }));
  copyFileSync(RULES, join(folder, 'rules.yml'));
  const alerts = [...readFileSync(RULES, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  assert.deepEqual(Object.keys({ ...TRIALS, ...SLOW_TRIALS }).sort(), alerts.sort(), 'each alert is tried');
  // JSON is YAML.
  const judge = async (trials: Readonly<Record<string, Trial>>, interval = '1m'): Promise<string> => {
    const tests = Object.entries(trials).flatMap(([name, trial]) =>
      (['fires', 'quiet'] as const).map((kind) => trialOf(name, kind, trial, interval)),
    );
    const file = join(folder, 'test.yml');
    writeFileSync(file, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: interval, tests }));
    return run('promtool', ['test', 'rules', file]).then(
      ({ stdout }) => stdout,
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
    );
  };
  assert.match(await judge(TRIALS), /SUCCESS/);
  assert.match(await judge(SLOW_TRIALS, '5m'), /SUCCESS/);
  const drilled = Object.entries(TRIALS).filter(([, { fires }]) =>
    Object.keys(fires).every((name) => OF_DRILLS.test(name)),
  );
  assert.ok(drilled.length > 5);
  const labelled = drilled.map(([name, { quiet, ...trial }]) => {
    const fires = Object.fromEntries(Object.entries(trial.fires).map(([one, values]) => [withDrill(one), values]));
    return [name, { ...trial, fires: trial.fires, quiet: fires }] as const;
  });
  assert.match(await judge(Object.fromEntries(labelled)), /SUCCESS/, 'what fires is quiet when it is of a drill');
  const { fires = {}, quiet = {} } = TRIALS['StigmemWormLag'] ?? {};
  const upsideDown = await judge({ StigmemWormLag: { fires: quiet, quiet: fires } });
  assert.equal(upsideDown.match(/expr: /g)?.length, 2, upsideDown);
});
