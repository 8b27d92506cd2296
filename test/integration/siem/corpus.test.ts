/** The whole corpus through every kind of sink in every format: as many events arrive as were sent, and nothing of it is more than text. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SINK_FORMATS, type SinkFormat } from '../../../src/core/sink.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { type FormattedEvent, formatEvent } from '../../../src/siem/format.ts';
import { createJsonlSink } from '../../../src/siem/jsonl-sink.ts';
import { createOtlpSink } from '../../../src/siem/otlp-sink.ts';
import type { Sink } from '../../../src/siem/sink.ts';
import { createSplunkSink } from '../../../src/siem/splunk-sink.ts';
import { createSyslogSink } from '../../../src/siem/syslog-sink.ts';
import { createWebhookSink, webhookSigner } from '../../../src/siem/webhook-sink.ts';
import { HttpReceiver } from '../../support/http-receiver.ts';
import { CORPUS, poisoned, RAW } from '../../support/injection-corpus.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';
import { SyslogReceiver } from '../../support/syslog-receiver.ts';

const SIGNAL = new AbortController().signal;

interface Way {
  readonly sink: Sink;
  /** What came over the wire, or stands in the file. */
  raw(): string;
  /** The text of each event, as the receiver takes the delivery apart. */
  arrived(): readonly string[];
}

async function ways(t: TestContext, format: SinkFormat): Promise<Readonly<Record<string, Way>>> {
  const receiver = async (): Promise<HttpReceiver> => {
    const one = await new HttpReceiver().start();
    one.usual = () => ({ answer: 200, body: '{"text":"Success","code":0}' });
    t.after(() => one.stop());
    return one;
  };
  const [hook, otel, hec] = [await receiver(), await receiver(), await receiver()];
  const syslog = await new SyslogReceiver().start();
  t.after(() => syslog.stop());
  const http = createHttpClient([]);
  const signer = webhookSigner(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
  assert.ok(signer.ok);
  const path = join(temporaryFolder(t), 'audit.jsonl');
  const port = Number(new URL(syslog.url).port);
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const bodies = (of: HttpReceiver): readonly string[] => of.received.map(({ body }) => body);
  return {
    file: {
      sink: createJsonlSink({ path, maxBytes: 1e9 }),
      raw: () => readFileSync(path, 'utf8'),
      arrived: () => readFileSync(path, 'utf8').trimEnd().split('\n'),
    },
    webhook: {
      sink: createWebhookSink({ http, url: hook.url, format, signer: signer.value, nowMs: Date.now }),
      raw: () => bodies(hook).join(''),
      arrived: () => bodies(hook).flatMap((body) => (JSON.parse(body) as { data: unknown[] }).data.map(text)),
    },
    otlp: {
      sink: createOtlpSink({ http, url: otel.url, headers: {} }),
      raw: () => bodies(otel).join(''),
      arrived: () => bodies(otel).flatMap(otlpTexts),
    },
    splunk: {
      sink: createSplunkSink({ http, url: hec.url, token: 'a-token', format, ack: false, ackMs: 100 }),
      raw: () => bodies(hec).join(''),
      arrived: () =>
        bodies(hec).flatMap((body) =>
          body.split('\n').map((line) => text((JSON.parse(line) as { event: unknown }).event)),
        ),
    },
    syslog: {
      sink: createSyslogSink({ host: 'localhost', port, tls: { ca: syslog.cert }, allowed: [], timeoutMs: 30_000 }),
      raw: () => syslog.messages.join(''),
      arrived: () =>
        syslog.messages.map(
          (message) => /^<\d+>1 \S+ \S+ stigmem-peerd - [!-~]+ \[(?:[^\]\\]|\\.)*\] (.*)$/s.exec(message)?.[1] ?? '',
        ),
    },
  };
}

function otlpTexts(body: string): readonly string[] {
  type Logs = { resourceLogs: { scopeLogs: { logRecords: { body: { stringValue: string } }[] }[] }[] };
  const { resourceLogs } = JSON.parse(body) as Logs;
  return resourceLogs.flatMap(({ scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map((record) => record.body.stringValue)),
  );
}

for (const format of SINK_FORMATS)
  test(`the corpus as ${format}`, async (t) => {
    const events: readonly FormattedEvent[] = Object.values(CORPUS).flatMap((text) =>
      poisoned(text).map((event) => formatEvent(event, format, true)),
    );
    for (const [name, way] of Object.entries(await ways(t, format))) {
      await way.sink.deliver(events, SIGNAL);
      const arrived = way.arrived();
      assert.equal(arrived.length, events.length, name);
      // A line break stands between two events, and nowhere else.
      assert.doesNotMatch(way.raw().replaceAll('\n', ''), RAW, name);
      arrived.forEach((text, i) => {
        const sent = events[i]?.text ?? '';
        // A long one gives way to its short form.
        if (name === 'syslog' && text !== sent)
          assert.equal((JSON.parse(text) as { shortened: boolean }).shortened, true);
        else
          assert.deepEqual(
            format === 'cef' ? text : JSON.parse(text),
            format === 'cef' ? sent : JSON.parse(sent),
            name,
          );
      });
    }
  });
