/**
 * Open Cybersecurity Schema Framework. Pure. A control that decides about one attempt emits the activity with the profile
 * `security_control`; a case, and what speaks of many refusals, is a finding; everything else is a base event.
 *
 * @see https://schema.ocsf.io, version 1.8.0; docs/siem.md for each field
 */
import { SEVERITIES } from '../core/severity.ts';
import { authorityOf } from './ecs.ts';
import { caseFinding, summaryFinding } from './ocsf-finding.ts';
import { type OwnFields, ownFields, type SiemEvent, sentenceOf } from './siem-event.ts';

const OCSF_VERSION = '1.8.0';
const CAPTION = { info: 'Informational', low: 'Low', medium: 'Medium', high: 'High', critical: 'Critical' } as const;
/** `is_alert` from this severity on. */
const ALERT = SEVERITIES.indexOf('medium');
const OTHER = 99;
const QUARANTINE_EVENT = 'quarantine_ingest';
const SUMMARY_EVENT = 'refusals_summarized';

type Fields = Readonly<Record<string, unknown>>;

/** @param withRecord adds the record's own text as `raw_data` */
export function toOcsf(event: SiemEvent, withRecord: boolean): object {
  const { record } = event;
  const own = ownFields(event);
  const raw = withRecord ? { raw_data: event.body } : {};
  const unmapped = { stigmem: { ...own, cid: record.cid, actor: record.actor } };
  const [profiles, body] = bodyOf(event, own);
  return { ...common(event, own, profiles), ...body, ...raw, unmapped };
}

function bodyOf(event: SiemEvent, own: OwnFields): readonly [profiles: readonly string[], body: Fields] {
  const { event: name, reason, peer } = event.record;
  if (own.case !== undefined) return [['incident'], caseFinding(event, own, own.case)];
  if (peer !== null && name === SUMMARY_EVENT) return [['incident'], summaryFinding(event, own)];
  return peer !== null && reason !== null && REFUSALS.has(name)
    ? [['security_control'], datastoreWrite(event, peer, reason)]
    : [[], baseEvent(event)];
}

/** Events of one refused fact or page. */
const REFUSALS: ReadonlySet<string> = new Set([
  'federation_integrity_rejected',
  'scope_violation',
  'rejected_fact',
  'peer_hlc_anomaly',
  'federation_valid_until_extension_rejected',
  'tombstone_refused',
  QUARANTINE_EVENT,
]);

function common(event: SiemEvent, { finding, case: step }: OwnFields, profiles: readonly string[]): Fields {
  const { id, seq, node, severity, atMs, record } = event;
  return {
    time: atMs,
    severity_id: SEVERITIES.indexOf(severity) + 1,
    severity: CAPTION[severity],
    message: sentenceOf(event),
    raw_data_hash: { algorithm_id: 3, algorithm: 'SHA-256', value: event.hash.replace(/^sha256:/, '') },
    metadata: {
      version: OCSF_VERSION,
      uid: id,
      sequence: seq,
      event_code: step === undefined ? (record.reason ?? record.event) : record.event,
      log_name: 'audit',
      log_provider: node.nodeId,
      original_time: record.at,
      product: { name: 'stigmem-peerd', vendor_name: 'stigmem-peerd', version: node.version },
      ...(finding === undefined ? {} : { correlation_uid: finding }),
      ...(profiles.length === 0 ? {} : { profiles }),
      ...(record.is_drill ? { labels: ['drill'] } : {}),
    },
  };
}

function classified(category_uid: number, class_uid: number, activity_id: number): Fields {
  return { category_uid, class_uid, activity_id, type_uid: class_uid * 100 + activity_id };
}

/** Datastore Activity, Write, denied. */
function datastoreWrite(event: SiemEvent, peer: string, reason: string): Fields {
  const { node, record, severity } = event;
  const held = record.event === QUARANTINE_EVENT;
  return {
    ...classified(6, 6005, 5),
    activity_name: 'Write',
    status_id: 2,
    status: 'Failure',
    status_code: reason,
    status_detail: sentenceOf(event),
    action_id: 2,
    action: 'Denied',
    disposition_id: held ? 3 : 25,
    disposition: held ? 'Quarantined' : 'Rejected',
    is_alert: !record.is_drill && SEVERITIES.indexOf(severity) >= ALERT,
    policy: { name: record.event, uid: reason, version: node.version },
    actor: { app_name: 'stigmem federation', app_uid: peer, user: { name: authorityOf(peer), uid: peer } },
    src_endpoint: { uid: peer, name: authorityOf(peer), domain: authorityOf(peer) },
    dst_endpoint: { uid: node.nodeId, name: node.authority, domain: node.authority },
    type_id: 1,
    type: 'Database',
    database: { name: record.feed ?? 'journal', uid: node.nodeId, type_id: OTHER, type: 'Stigmem journal' },
  };
}

function baseEvent({ record, severity }: SiemEvent): Fields {
  return {
    ...classified(0, 0, OTHER),
    activity_name: record.event,
    ...(record.reason === null ? {} : { status_code: record.reason }),
    ...(SEVERITIES.indexOf(severity) >= ALERT ? { status_id: 2, status: 'Failure' } : {}),
  };
}
