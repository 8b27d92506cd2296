/** Logs over OTLP/HTTP in JSON. @see https://opentelemetry.io/docs/specs/otlp, 1.10 */
import type { Severity } from '../core/severity.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import type { FormattedEvent } from './format.ts';
import { post } from './http-post.ts';
import { inertJson } from './inert-text.ts';
import { type Sink, SinkError } from './sink.ts';

export interface OtlpOptions {
  readonly http: HttpClient;
  /** Base, as in OTEL_EXPORTER_OTLP_ENDPOINT; `/v1/logs` is added. */
  readonly url: string;
  /** Header lines such as `authorization: Bearer …`. */
  readonly headers: Readonly<Record<string, string>>;
}

const SEVERITY: Readonly<Record<Severity, readonly [number: number, text: string]>> = {
  info: [9, 'INFO'],
  low: [10, 'INFO2'],
  medium: [13, 'WARN'],
  high: [17, 'ERROR'],
  critical: [21, 'FATAL'],
};

export function createOtlpSink({ http, url, headers }: OtlpOptions): Sink {
  return {
    confirms: true,
    async deliver(events, signal) {
      const body = inertJson(logsRequest(events));
      const type = { 'content-type': 'application/json' };
      const answer = await post(http, { url: `${url}/v1/logs`, headers: { ...headers, ...type }, body }, signal);
      const rejected = rejectedIn(answer);
      // Nothing says which ones: sent one by one, the guilty one is found.
      if (rejected !== null) throw new SinkError('refused', rejected);
    },
    close: async () => undefined,
  };
}

/** Pure; exported for its tests. */
export function logsRequest(events: readonly FormattedEvent[]): object {
  const node = events[0]?.event.node;
  const resource = {
    'service.name': 'stigmem-peerd',
    'service.version': node?.version ?? '',
    'service.instance.id': node?.nodeId ?? '',
  };
  const scopeLogs = [{ scope: { name: 'stigmem-peerd.audit' }, logRecords: events.map(logRecord) }];
  return { resourceLogs: [{ resource: { attributes: attributes(resource) }, scopeLogs }] };
}

/** Names and attributes have few values, but for the record's own id: details are in the body. */
function logRecord({ event, text }: FormattedEvent): object {
  const { atMs, severity, record, id, seq, hash } = event;
  const [severityNumber, severityText] = SEVERITY[severity];
  const timeUnixNano = `${atMs}000000`;
  const eventName = `stigmem.${record.event}`;
  const named = {
    'event.name': eventName,
    'log.record.uid': id,
    'stigmem.sequence': seq,
    'stigmem.record_hash': hash,
    ...(record.reason === null ? {} : { 'stigmem.reason': record.reason }),
    ...(record.is_drill ? { 'stigmem.is_drill': true } : {}),
  };
  const body = { stringValue: text };
  return {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber,
    severityText,
    eventName,
    body,
    attributes: attributes(named),
  };
}

function attributes(values: Readonly<Record<string, string | number | boolean>>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

/** 64-bit numbers are texts in JSON of protocol buffers. */
function anyValue(value: string | number | boolean): object {
  if (typeof value === 'number') return { intValue: String(value) };
  return typeof value === 'boolean' ? { boolValue: value } : { stringValue: value };
}

function rejectedIn(answer: string): string | null {
  // A page of whoever stands in between is no collector's word; any other text beside a 2xx is an acceptance.
  if (/^\s*</.test(answer)) throw new SinkError('unreachable', 'it answered with a page: is it a collector?');
  let parsed: { partialSuccess?: { rejectedLogRecords?: unknown; errorMessage?: unknown } } | null;
  try {
    parsed = JSON.parse(answer === '' ? '{}' : answer);
  } catch {
    return null;
  }
  const { rejectedLogRecords = 0, errorMessage } = parsed?.partialSuccess ?? {};
  return Number(rejectedLogRecords) > 0
    ? `rejected ${Number(rejectedLogRecords)}: ${String(errorMessage ?? '').slice(0, 200)}`
    : null;
}
