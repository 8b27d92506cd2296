/** Splunk's HTTP Event Collector. With `ack` an event counts as delivered when an indexer says that it has it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkFormat } from '../core/sink.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import type { FormattedEvent } from './format.ts';
import { post } from './http-post.ts';
import { inertJson } from './inert-text.ts';
import { type Sink, SinkError } from './sink.ts';

export interface SplunkOptions {
  readonly http: HttpClient;
  readonly url: string;
  readonly token: string;
  readonly format: SinkFormat;
  /** The token has indexer acknowledgement on. */
  readonly ack: boolean;
  readonly ackMs: number;
}

const ACK_POLL_MS = 1_000;

export function createSplunkSink({ http, url, token, format, ack, ackMs }: SplunkOptions): Sink {
  // One for each run: acknowledgements of another channel mean nothing here.
  const channel = randomUUID();
  const headers = {
    authorization: `Splunk ${token}`,
    'content-type': 'application/json',
    ...(ack ? { 'x-splunk-request-channel': channel } : {}),
  };
  return {
    confirms: true,
    async deliver(events, signal) {
      const body = events.map((one) => hecEvent(one, format)).join('\n');
      const answer = await post(http, { url: `${url}/services/collector/event`, headers, body }, signal);
      const { code, ackId } = objectIn(answer);
      // A page of whoever stands in between is no collector's word.
      if (code !== 0) throw new SinkError('unreachable', 'it answered 200 without "code":0: is it a collector?');
      if (!ack) return;
      if (typeof ackId !== 'number')
        throw new SinkError(
          'misconfigured',
          'it answered without an ackId: indexer acknowledgement is off for this token',
        );
      const until = performance.now() + ackMs;
      for (;;) {
        const asked = { url: `${url}/services/collector/ack?channel=${channel}`, headers, body: `{"acks":[${ackId}]}` };
        const { acks } = objectIn(await post(http, asked, signal));
        if ((acks as Readonly<Record<string, unknown>> | undefined)?.[String(ackId)] === true) return;
        if (performance.now() > until)
          throw new SinkError('unreachable', `no indexer has acknowledged within ${ackMs} ms`);
        await sleep(Math.min(ACK_POLL_MS, ackMs), undefined, { signal });
      }
    },
    close: async () => undefined,
  };
}

/** Pure; exported for its tests. */
export function hecEvent({ event, text }: FormattedEvent, format: SinkFormat): string {
  const { id, seq, hash, atMs, node, record } = event;
  const fields = {
    event_id: id,
    sequence: String(seq),
    record_hash: hash,
    reason: record.reason ?? '',
    severity: event.severity,
  };
  const head = {
    time: atMs / 1_000,
    host: node.authority,
    source: 'stigmem-peerd',
    sourcetype: `stigmem:${format}`,
    fields,
  };
  return `${inertJson(head).slice(0, -1)},"event":${format === 'cef' ? inertJson(text) : text}}`;
}

function objectIn(answer: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(answer)) as Readonly<Record<string, unknown>>;
  } catch {
    throw new SinkError('unreachable', 'its answer is no JSON');
  }
}
