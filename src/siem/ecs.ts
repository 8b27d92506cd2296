/** Elastic Common Schema. Pure. Own fields stand under `stigmem`. @see docs/siem.md for each field */
import { CASE_OPENED } from '../core/case-finding.ts';
import type { Severity } from '../core/severity.ts';
import { ownFields, type SiemEvent, sentenceOf } from './siem-event.ts';

const ECS_VERSION = '8.17.0';
const SEVERITY: Readonly<Record<Severity, number>> = { info: 10, low: 30, medium: 50, high: 70, critical: 90 };
const LEVEL: Readonly<Record<Severity, string>> = {
  info: 'info',
  low: 'notice',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};

/** @param withRecord adds the record's own text as `event.original` */
export function toEcs(event: SiemEvent, withRecord: boolean): object {
  const { record, node, severity, id, seq, hash, body } = event;
  const { reason, peer, cid, actor } = record;
  const own = ownFields(event);
  const isStep = own.case !== undefined;
  const isRefusal = reason !== null && peer !== null && !isStep;
  const rule = own.case?.about ?? reason;
  const isQuiet = severity === 'info' || record.is_drill || (isStep && record.event !== CASE_OPENED);
  const peerName = peer === null ? null : authorityOf(peer);
  const related = [cid, hash].flatMap((one) => (one === null ? [] : [one.replace(/^sha256:/, '')]));
  return present({
    '@timestamp': record.at,
    ecs: { version: ECS_VERSION },
    message: sentenceOf(event),
    log: { level: LEVEL[severity], logger: 'stigmem-peerd.audit' },
    event: present({
      id,
      sequence: seq,
      hash,
      kind: isQuiet ? 'event' : 'alert',
      module: 'stigmem-peerd',
      dataset: 'stigmem-peerd.federation_audit',
      provider: node.nodeId,
      action: record.event,
      code: reason,
      reason: sentenceOf(event),
      category: isRefusal ? ['intrusion_detection', 'network'] : [isStep ? 'intrusion_detection' : 'configuration'],
      type: isRefusal ? ['denied'] : ['info'],
      outcome: isRefusal ? 'failure' : 'unknown',
      severity: SEVERITY[severity],
      original: withRecord ? body : null,
    }),
    rule: rule === null ? null : { id: rule, name: rule, ruleset: 'stigmem-peerd', version: node.version },
    source: peerName === null ? null : { address: peerName, domain: peerName },
    user: actor === null ? null : { name: actor },
    observer: {
      name: node.authority,
      product: 'stigmem-peerd',
      type: 'federation-node',
      vendor: 'stigmem-peerd',
      version: node.version,
    },
    organization: { id: node.nodeId, name: node.authority },
    related: present({
      hash: related,
      hosts: peerName === null ? [node.authority] : [node.authority, peerName],
      user: actor === null ? null : [actor],
    }),
    stigmem: { ...own, cid },
  });
}

/** `stigmem://acme.example` → `acme.example`; other texts as they are. */
export function authorityOf(nodeId: string): string {
  return nodeId.replace(/^stigmem:\/\//, '');
}

function present(object: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));
}
