/** Traces of this node: ids always, spans to a receiver where the configuration names one. */
import type { Config } from '../config/config.ts';
import { shownValue } from '../core/shown-value.ts';
import type { Logger } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import { encodeSpans } from '../observe/otlp.ts';
import { SpanExporter } from '../observe/span-exporter.ts';
import { createTraces, type Traces } from '../observe/trace.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import { VERSION } from './version.ts';

const MAX_ANSWER_BYTES = 65_536;

interface TracedNode {
  readonly config: Pick<Config, 'nodeId' | 'traces'>;
  readonly http: HttpClient;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'traceSpans'>;
}

/** @param owned sends what waits when the node stops */
export function openTraces({ config, http, logger, metrics }: TracedNode, owned: AsyncDisposableStack): Traces {
  const { traces, nodeId } = config;
  if (traces === null) return createTraces(null);
  // A log is read by more people than the configuration.
  const url = shownValue(traces.url);
  const resource = { 'service.name': 'stigmem-peerd', 'service.version': VERSION, 'service.instance.id': nodeId };
  const exporter = new SpanExporter({
    send: async (spans, signal) => {
      const body = encodeSpans(spans, resource);
      const headers = { 'content-type': 'application/json' };
      const request = { method: 'POST', headers, body, maxBytes: MAX_ANSWER_BYTES, signal };
      const { status } = await http.send(traces.url, request);
      if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
    },
    onExported: (count) => metrics.traceSpans.inc({ outcome: 'exported' }, count),
    onDropped: (count) => metrics.traceSpans.inc({ outcome: 'dropped' }, count),
    onFault: (error) =>
      error === null
        ? logger.info({ url }, 'the receiver of traces takes them again')
        : logger.warn({ url, error }, 'traces are not taken, and dropped until they are'),
  });
  owned.defer(() => exporter.stop());
  return createTraces(
    (span) => exporter.take(span),
    (traceId) => Number.parseInt(traceId.slice(-8), 16) < traces.share * 2 ** 32,
  );
}
