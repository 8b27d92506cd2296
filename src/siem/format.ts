/** From an event to the text of it that a sink sends: one line, inert. Pure. */
import type { SinkFormat } from '../core/sink.ts';
import { toCef } from './cef.ts';
import { toEcs } from './ecs.ts';
import { inertJson } from './inert-text.ts';
import { toOcsf } from './ocsf.ts';
import type { SiemEvent } from './siem-event.ts';

export interface FormattedEvent {
  readonly event: SiemEvent;
  /** JSON, but for CEF. */
  readonly text: string;
}

/** @param withRecord adds the record's own text, which may quote what a peer sent, to formats that do not hold it */
export function formatEvent(event: SiemEvent, format: SinkFormat, withRecord: boolean): FormattedEvent {
  return {
    event,
    text: format === 'cef' ? toCef(event, withRecord) : inertJson(documentOf(event, format, withRecord)),
  };
}

function documentOf(event: SiemEvent, format: Exclude<SinkFormat, 'cef'>, withRecord: boolean): object {
  if (format === 'ocsf') return toOcsf(event, withRecord);
  if (format === 'ecs') return toEcs(event, withRecord);
  const { id, node, seq: sequence, hash, severity, record } = event;
  return { id, node: node.nodeId, sequence, hash, severity, record };
}
