/** Syslog messages with octet counting. Pure. @see RFC 5424; RFC 5425 §4.3 */
import type { Severity } from '../core/severity.ts';
import { inertJson, inertText } from './inert-text.ts';
import { ownFields, type SiemEvent } from './siem-event.ts';

const FACILITY_LOG_AUDIT = 13;
const SEVERITY: Readonly<Record<Severity, number>> = { critical: 2, high: 3, medium: 4, low: 5, info: 6 };
const MAX_HOST_CHARS = 255;
const MAX_MSGID_CHARS = 32;
/** Without a number of our own (PEN): the one that RFC 5612 keeps for examples. */
const SD_ID = 'stigmem@32473';
/** A receiver has to take 2,048 bytes and rsyslog takes 8,192 unless it is told otherwise: what is longer would be cut there. */
const MAX_TEXT_BYTES = 6_144;

/** One frame. @param text the event in its format; one that is too long gives way to what it is about */
export function syslogFrame(event: SiemEvent, text: string): string {
  const { record, node, severity } = event;
  const head = [
    `<${FACILITY_LOG_AUDIT * 8 + SEVERITY[severity]}>1`,
    /^\d{4}-/.test(record.at) ? record.at : '-',
    headerText(node.authority, MAX_HOST_CHARS),
    'stigmem-peerd',
    '-',
    headerText(record.reason ?? record.event, MAX_MSGID_CHARS),
    structured(event),
  ];
  const isLong = Buffer.byteLength(text) > MAX_TEXT_BYTES;
  const message = `${head.join(' ')} ${isLong ? shortForm(event) : text}`;
  return `${Buffer.byteLength(message)} ${message}`;
}

function shortForm(event: SiemEvent): string {
  const { id, seq: sequence, hash, record } = event;
  return inertJson({ id, sequence, hash, event: record.event, reason: record.reason, shortened: true });
}

function structured(event: SiemEvent): string {
  const { id, seq, record } = event;
  const { event: name, reason, peer, feed, hash } = ownFields(event);
  const given = { id, seq, hash, event: name, reason, peer, feed, cid: record.cid };
  const params = Object.entries(given).flatMap(([key, value]) =>
    value === null ? [] : [`${key}="${paramText(String(value))}"`],
  );
  return `[${SD_ID} ${params.join(' ')}]`;
}

/** Printable ASCII without spaces; a dash where nothing is left. */
function headerText(text: string, maxChars: number): string {
  return text.replace(/[^\u0021-\u007e]/g, '_').slice(0, maxChars) || '-';
}

function paramText(text: string): string {
  return inertText(text).replace(/["\\\]]/g, '\\$&');
}
