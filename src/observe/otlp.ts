/** Spans as OTLP/HTTP takes them in JSON (opentelemetry-proto, ExportTraceServiceRequest). */
import type { Attributes, Span, SpanKind } from './trace.ts';

/** SpanKind of the protocol. */
const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
const STATUS_OK = 1;
const STATUS_ERROR = 2;
const MAX_TEXT_CHARS = 512;

/** @param resource who made them: `service.name` and what else says which program it was */
export function encodeSpans(spans: readonly Span[], resource: Attributes): string {
  const scope = { name: 'stigmem-peerd' };
  const scopeSpans = [{ scope, spans: spans.map(spanJson) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesJson(resource) }, scopeSpans }] });
}

function spanJson({ traceId, spanId, parentId, name, kind, startMs, endMs, attributes, error }: Span): object {
  return {
    traceId,
    spanId,
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributesJson(attributes),
    status: error === null ? { code: STATUS_OK } : { code: STATUS_ERROR, message: bounded(error) },
  };
}

function attributesJson(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }));
}

/** 64-bit numbers are texts in the JSON form of protocol buffers. */
function valueJson(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: bounded(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanoseconds(ms: number): string {
  // Microseconds are what a double still holds of Unix time.
  return `${Math.round(ms * 1_000)}000`;
}

function bounded(text: string): string {
  return text.toWellFormed().slice(0, MAX_TEXT_CHARS);
}
