import type { JournalCheck } from '../core/journal-check.ts';
import type { KeyStatus } from '../core/key-status.ts';
import type { FactReason, PageReason, QuarantineReason, RefusalEvent } from '../core/verdict.ts';
import { WEAKENINGS, type Weakening } from '../core/weakening.ts';
import type { Logger } from './logger.ts';
import type { CircuitStateName, Metrics, PeerStateName } from './metrics.ts';
import { CIRCUIT_STATES, GUARD_STATES, type GuardStateName, PEER_STATES } from './metrics.ts';

const TENANT = 'default';

/** What happened, told once: each function writes the log line and moves the metrics that belong together. */
export interface Events {
  /** @param principal `agent:<key name>`, bounded by the key file */
  factsWritten(principal: string, count: number): void;
  factsRead(principal: string, count: number): void;
  appended(seconds: number): void;
  pageVerified(peer: string, feed: string, accepted: number): void;
  pageRefused(peer: string, reason: PageReason, auditSeq: number): void;
  factRefused(peer: string, event: RefusalEvent, reason: FactReason | QuarantineReason, auditSeq: number): void;
  /** Facts refused without a record of their own: a line for each would only move the flood into the log. */
  factsCounted(peer: string, event: RefusalEvent, reason: FactReason | QuarantineReason, count: number): void;
  refusalsSummarized(peer: string, reason: string, auditSeq: number, count: number): void;
  /** @param refusesOurs facts of ours that it says it refuses, as of now */
  peerState(
    peer: string,
    state: PeerStateName,
    lagEntries: number | null,
    circuit: CircuitStateName,
    refusesOurs: number,
  ): void;
  /** @param dropped codes of the closed list: why notices were not kept */
  noticesTaken(peer: string, changed: number, dropped: readonly string[]): void;
  /** A row of our own journal does not verify: the worst that can happen to a node. */
  /** @param outcome of the closed list of outcomes */
  cosignAnswered(outcome: string): void;
  /** @param witness a peer's file, or a name in the node's own policy */
  witnessAnswered(witness: string, outcome: string): void;
  headsGossiped(count: number): void;
  /** A log signed two histories. @param peer its file; `configured` for a log that is no peer's */
  contradictionFound(peer: string, origin: string, reason: string, auditSeq: number | null): void;
  headUnreconciled(peer: string, origin: string, size: number, seenFrom: string): void;
  corruptRead(
    code: 'cid_mismatch' | 'leaf_mismatch' | 'fact_chain_mismatch',
    factId: string,
    chainSeq: number,
    field: string,
  ): void;
  requestServed(route: string, status: number, seconds: number): void;
  requestFailed(route: string, error: unknown): void;
  authRefused(): void;
  /** Told at start and every hour while there is something to tell. */
  configurationWeakened(weakenings: readonly Weakening[]): void;
  /** The restore guard's state has changed. */
  guard(state: GuardStateName, detail: string | null): void;
  /** A key comes to its end. @param event as in the audit log */
  keyWarning(event: string, key: KeyStatus, sentence: string): void;
  /** @param isNew false: the files were looked at, and hold what is served */
  certificateLoaded(sha256: string, notAfterMs: number, isNew: boolean): void;
  /** New files of certificate and key are not served; the old ones are. */
  certificateRefused(why: string): void;
  /** @param days that are left at most; 0: none */
  certificateEnding(days: number, sentence: string): void;
  anchorSubmitted(backend: string): void;
  anchorFailed(backend: string, code: string, message: string): void;
  /** @param sink of the configuration */
  exported(sink: string, events: number): void;
  exportFailed(sink: string, code: string, message: string, attempts: number): void;
  /** Records were not sent. @param last sequence of the last of them */
  exportGap(sink: string, last: number, cause: 'refused' | 'skipped'): void;
  wormShipped(records: number): void;
  /** The chain in the store goes on from an earlier manifest, after a restore. */
  wormResumed(target: string, left: number, base: number): void;
  /** @param code of the closed list */
  wormFailed(code: string, message: string): void;
  journalChecked(check: Pick<JournalCheck, 'clean' | 'problems' | 'rows' | 'duration_ms'>): void;
  snapshotVerified(name: string, journalSize: number, seconds: number): void;
  /** @param code of the closed list */
  snapshotFailed(code: string, message: string): void;
  /** @param code of the closed list; null: it ended as it has to */
  drillEnded(kind: string, code: string | null, message: string | null): void;
  teeReported(provider: string): void;
  teeFailed(code: string, message: string): void;
}

/**
 * Binds the events to a logger and a set of metrics. Peer names must come from peer files.
 *
 * @param isDrill of a drill's peer: counted apart, so that no alarm is raised
 */
export function createEvents(logger: Logger, metrics: Metrics, isDrill = false): Events {
  return {
    ...apiEvents(logger, metrics),
    ...certificateEvents(logger, metrics),
    ...peerEvents(logger, metrics, isDrill ? { drill: 'true' } : {}),
    ...anchorEvents(logger, metrics),
    ...witnessEvents(logger, metrics),
    ...exportEvents(logger, metrics),
    ...backupEvents(logger, metrics),
    ...drillEvents(logger, metrics),
  };
}

type ApiEvent =
  | 'factsWritten'
  | 'factsRead'
  | 'appended'
  | 'corruptRead'
  | 'requestServed'
  | 'requestFailed'
  | 'authRefused'
  | 'configurationWeakened'
  | 'guard'
  | 'keyWarning';

function apiEvents(logger: Logger, metrics: Metrics): Pick<Events, ApiEvent> {
  return {
    factsWritten: (principal, count) => metrics.factWrites.inc({ principal, tenant: TENANT }, count),
    factsRead: (principal, count) => metrics.factReads.inc({ principal, tenant: TENANT }, count),
    appended: (seconds) => metrics.appendSeconds.observe(seconds),
    corruptRead(code, factId, chainSeq, field) {
      metrics.corruptReads.inc({ code });
      logger.error({ code, fact_id: factId, chain_seq: chainSeq, field }, 'a stored fact is not what was appended');
    },
    requestServed(route, status, seconds) {
      metrics.requestSeconds.observe({ route, status: String(status) }, seconds);
      logger.debug({ route, status, seconds }, 'request');
    },
    requestFailed: (route, error) => logger.error({ route, err: error }, 'request failed'),
    authRefused: () => metrics.authFailures.inc(),
    configurationWeakened(weakenings) {
      for (const code of WEAKENINGS)
        metrics.weakenings.set({ code }, weakenings.filter((one) => one.code === code).length);
      for (const { code, where, sentence } of weakenings)
        logger.warn({ code, where }, `weaker than by default: ${sentence}`);
    },
    guard(state, detail) {
      for (const name of GUARD_STATES) metrics.guardState.set({ state: name }, name === state ? 1 : 0);
      metrics.guardUnconfirmed.set(state === 'clear' && detail !== null ? 1 : 0);
      const level = state === 'clear' && detail === null ? 'info' : state === 'forked' ? 'fatal' : 'warn';
      logger[level]({ state, detail }, 'restore guard');
    },
    keyWarning(event, { node_id, peer, use, key_id, not_after }, sentence) {
      // Nobody but us can mend our own key, and peers refuse it from then on.
      const level = event === 'key_expired' && peer === null ? 'error' : 'warn';
      logger[level]({ event, node: node_id, use, key_id, not_after }, sentence);
    },
  };
}

type CertificateEvent = 'certificateLoaded' | 'certificateRefused' | 'certificateEnding';

function certificateEvents(logger: Logger, metrics: Metrics): Pick<Events, CertificateEvent> {
  return {
    certificateLoaded(sha256, notAfterMs, isNew) {
      metrics.apiCertificateNotAfter.set(notAfterMs / 1_000);
      metrics.apiCertificateRefused.set(0);
      if (isNew) logger.info({ sha256, not_after: new Date(notAfterMs).toISOString() }, 'new certificate of the API');
    },
    certificateRefused(why) {
      metrics.apiCertificateRefused.set(1);
      logger.error({ why }, 'the new certificate of the API is not served; the old one is');
    },
    certificateEnding: (days, sentence) => logger[days === 0 ? 'error' : 'warn']({ days }, `certificate: ${sentence}`),
  };
}

type DrillLabel = { readonly drill?: 'true' };

function peerEvents(
  logger: Logger,
  metrics: Metrics,
  drill: DrillLabel,
): Omit<Events, ApiEvent | CertificateEvent | AnchorEvent | WitnessEvent | ExportEvent | BackupEvent | DrillEvent> {
  return {
    pageVerified(peer, feed, accepted) {
      metrics.pagesVerified.inc({ peer, ...drill });
      metrics.factsAccepted.inc({ peer, feed, ...drill }, accepted);
      metrics.federationIngress.inc({ peer_id: peer, status: 'ok', ...drill }, accepted);
    },
    pageRefused(peer, reason, auditSeq) {
      metrics.pagesRefused.inc({ peer, reason, ...drill });
      logger.warn({ peer, reason, audit_seq: auditSeq }, 'page refused');
    },
    factRefused(peer, event, reason, auditSeq) {
      countRefused(metrics, { peer, event, reason, drill }, 1);
      logger.warn({ peer, event, reason, audit_seq: auditSeq }, 'fact refused');
    },
    factsCounted: (peer, event, reason, count) => countRefused(metrics, { peer, event, reason, drill }, count),
    refusalsSummarized(peer, reason, auditSeq, count) {
      logger.warn({ peer, reason, audit_seq: auditSeq, count }, 'refusals summarized');
    },
    noticesTaken(peer, changed, dropped) {
      for (const code of dropped) metrics.noticesDropped.inc({ peer, code });
      if (dropped.length > 0) logger.debug({ peer, dropped }, 'refusal notices dropped');
      if (changed > 0) logger.warn({ peer, changed }, 'a peer says that it refused, or took after all, facts of ours');
    },
    peerState(peer, state, lagEntries, circuit, refusesOurs) {
      for (const name of CIRCUIT_STATES) metrics.peerCircuit.set({ peer, state: name }, name === circuit ? 1 : 0);
      for (const name of PEER_STATES) metrics.peerState.set({ peer, state: name }, name === state ? 1 : 0);
      metrics.peerRefusesOurs.set({ peer }, refusesOurs);
      if (lagEntries !== null) metrics.peerLagEntries.set({ peer }, lagEntries);
    },
  };
}

interface Refused {
  readonly peer: string;
  readonly event: string;
  readonly reason: string;
  readonly drill: DrillLabel;
}

function countRefused(metrics: Metrics, { peer, event, reason, drill }: Refused, count: number): void {
  metrics.factsRefused.inc({ peer, event, reason, ...drill }, count);
  metrics.federationIngress.inc({ peer_id: peer, status: 'refused', ...drill }, count);
  if (reason !== 'hlc_future' && reason !== 'hlc_past') return;
  const direction = reason === 'hlc_future' ? 'future' : 'past';
  metrics.hlcAnomalies.inc({ peer_id: peer, direction, ...drill }, count);
}

type AnchorEvent = 'anchorSubmitted' | 'anchorFailed' | 'teeReported' | 'teeFailed';

function anchorEvents(logger: Logger, metrics: Metrics): Pick<Events, AnchorEvent> {
  return {
    anchorSubmitted: (backend) => metrics.anchorsSubmitted.inc({ backend }),
    anchorFailed(backend, code, message) {
      metrics.anchorFailures.inc({ backend, code });
      logger.warn({ backend, code, error: message }, 'a checkpoint could not be anchored');
    },
    teeReported: (provider) => metrics.teeReports.inc({ provider }),
    teeFailed(code, message) {
      metrics.teeReportFailures.inc({ code });
      logger.warn({ code, error: message }, 'no report of the execution environment could be taken');
    },
  };
}

type BackupEvent =
  | 'journalChecked'
  | 'wormShipped'
  | 'wormResumed'
  | 'wormFailed'
  | 'snapshotVerified'
  | 'snapshotFailed';

function backupEvents(logger: Logger, metrics: Metrics): Pick<Events, BackupEvent> {
  return {
    wormShipped(records) {
      metrics.wormShipped.inc(records);
      if (records > 0) logger.debug({ records }, 'records shipped to the WORM store');
    },
    wormResumed: (target, left, base) =>
      logger.warn(
        { target, left, base },
        'this node was restored: the WORM store is gone on with from an earlier manifest',
      ),
    wormFailed(code, message) {
      metrics.wormFailures.inc({ code });
      logger.warn({ code, error: message }, 'records could not be shipped to the WORM store');
    },
    journalChecked({ clean, problems, rows, duration_ms }) {
      if (clean) logger.info({ rows, duration_ms }, 'everything that is stored was checked, and nothing differs');
      else logger.error({ problems, rows, duration_ms }, 'what is stored is not what was written: run fsck');
    },
    snapshotVerified: (name, entries, seconds) =>
      logger.info({ name, entries, seconds }, 'a snapshot was made, restored and checked whole'),
    snapshotFailed(code, message) {
      metrics.snapshotFailures.inc({ code });
      logger.error({ code, error: message }, 'a snapshot could not be made, or does not verify');
    },
  };
}

type WitnessEvent = 'cosignAnswered' | 'witnessAnswered' | 'headsGossiped' | 'contradictionFound' | 'headUnreconciled';

function witnessEvents(logger: Logger, metrics: Metrics): Pick<Events, WitnessEvent> {
  return {
    cosignAnswered: (outcome) => metrics.cosignRequests.inc({ outcome }),
    witnessAnswered(witness, outcome) {
      metrics.witnessAnswers.inc({ witness, outcome });
      if (outcome !== 'ahead') return;
      const why = 'a witness has cosigned more of our log than we have: an old copy of the journal, or a second node';
      logger.error({ witness }, why);
    },
    headsGossiped: (count) => metrics.gossipHeads.inc(count),
    contradictionFound(peer, origin, reason, auditSeq) {
      metrics.contradictions.inc({ peer });
      logger.error({ peer, origin, reason, audit_seq: auditSeq }, 'a log has signed two histories');
    },
    headUnreconciled(peer, origin, size, seenFrom) {
      metrics.unreconciledHeads.inc({ peer });
      logger.warn({ peer, origin, size, seen_from: seenFrom }, 'checkpoint_unreconciled');
    },
  };
}

type ExportEvent = 'exported' | 'exportFailed' | 'exportGap';

function exportEvents(logger: Logger, metrics: Metrics): Pick<Events, ExportEvent> {
  return {
    exported: (sink, events) => metrics.exportEvents.inc({ sink }, events),
    exportFailed(sink, code, error, attempts) {
      metrics.exportFailures.inc({ sink, code });
      logger.warn({ sink, code, error, attempts }, 'the audit log could not be sent on');
    },
    exportGap(sink, last, cause) {
      metrics.exportGaps.inc({ sink, cause });
      logger.error({ sink, last, cause }, 'audit records were passed over');
    },
  };
}

type DrillEvent = 'drillEnded';

function drillEvents(logger: Logger, metrics: Metrics): Pick<Events, DrillEvent> {
  return {
    drillEnded(kind, code, message) {
      metrics.drills.inc({ kind, result: code === null ? 'passed' : 'failed' });
      if (code === null) logger.info({ kind }, 'a drill ended as it has to');
      else logger.error({ kind, code, error: message }, 'a drill did not end as it has to');
    },
  };
}
