/** Audit records to an OpenTelemetry collector: it understands each; killed and started again in the middle, it has all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import type { Exporting } from '../../src/siem/exporting.ts';
import { createOtlpSink } from '../../src/siem/otlp-sink.ts';
import { startExporting } from '../support/exporting.ts';
import { auditLine, auditLines } from '../support/siem-events.ts';
import { MemorySinkJournal } from '../support/siem-journal.ts';
import { until } from '../support/until.ts';
import { startOtelcol } from './programs/otelcol.ts';

const HOSTILE = "\"}]}\n<script>\u001b[2J\u202e\u2028=cmd|' /C calc'!A0";

test('the collector has every record over an outage, and names them as it should', async (t) => {
  const collector = await startOtelcol(t);
  const failures: string[] = [];
  const journal = new MemorySinkJournal(auditLines(200));
  journal.append(
    auditLine({ seq: 201, peer: HOSTILE, feed: HOSTILE, reason: 'checkpoint_split_view', actor: HOSTILE }),
  );
  const begin = (): Exporting => {
    const sink = createOtlpSink({ http: createHttpClient([]), url: collector.url, headers: {} });
    return startExporting(journal, { name: 'otel', format: 'ecs', sink }, failures);
  };
  const first = begin();
  await until('all are taken', () => journal.stateOf('otel').acked === 201);
  assert.deepEqual(failures, []);
  await until('they stand in the file', () => collector.logs().length >= 201);

  await collector.server.stop();
  for (let seq = 202; seq <= 700; seq++) journal.append(auditLine({ seq, chain_seq: seq }));
  await until('it is missed', () => failures.length > 1);
  await first.stop();
  await collector.server.start();
  const second = begin();
  await until('the rest is taken', () => journal.stateOf('otel').acked === 700);
  await second.stop();
  await collector.server.stop();

  const logs = collector.logs();
  const attribute = (log: (typeof logs)[number] | undefined, name: string): string | undefined =>
    log?.attributes.find(({ key }) => key === name)?.value['stringValue'];
  const read = logs.map(
    ({ body }) =>
      JSON.parse(body.stringValue) as { event: { id: string; sequence: number }; stigmem: { peer: string } },
  );
  const seqs = [...new Set(read.map(({ event }) => event.sequence))].sort((a, b) => a - b);
  assert.deepEqual(
    seqs,
    Array.from({ length: 700 }, (_, i) => i + 1),
  );
  assert.equal(new Set(logs.map((log) => attribute(log, 'log.record.uid'))).size, 700);
  assert.deepEqual(
    [...new Set(logs.map((log) => attribute(log, 'event.name')))],
    ['stigmem.federation_integrity_rejected'],
  );
  const at = read.findIndex(({ event }) => event.sequence === 201);
  assert.equal(read[at]?.stigmem.peer, HOSTILE);
  assert.equal(logs[at]?.severityNumber, 21);
  assert.equal(logs[0]?.severityNumber, 13);
  assert.equal(logs[0]?.eventName, 'stigmem.federation_integrity_rejected');
  assert.match(logs[0]?.timeUnixNano ?? '', /^\d{19}$/);
});
