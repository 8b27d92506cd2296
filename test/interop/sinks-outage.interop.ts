/** A daemon, killed in the middle of delivery, with rsyslog and an OpenTelemetry collector that were away for an hour of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from '../support/node-process.ts';
import { type Arrived, assertWhole, liveThroughOutage } from '../support/sink-outage.ts';
import { startOtelcol } from './programs/otelcol.ts';
import { startRsyslog } from './programs/rsyslog.ts';

test('the daemon is killed, they are stopped and started: both have every record, in order, under one id', async (t) => {
  const bench = new Bench(t);
  const node = await bench.node('victim.example', ['federation.refused_per_second=1000000']);
  const [rsyslog, collector] = [await startRsyslog(t), await startOtelcol(t)];
  const tables = `
[[sink]]
name = "syslog"
kind = "syslog"
url = "${rsyslog.url}"
ca_file = "${rsyslog.caFile}"
batch = 100

[[sink]]
name = "otel"
kind = "otlp"
format = "ecs"
url = "${collector.url}"
batch = 100
`;
  const receivers = {
    syslog: {
      start: () => rsyslog.server.start(),
      stop: () => rsyslog.server.stop(),
      arrived: () => rsyslog.messages().map(({ msg }) => JSON.parse(msg.trim()) as Arrived),
    },
    otel: {
      start: () => collector.server.start(),
      stop: () => collector.server.stop(),
      arrived: () =>
        collector.logs().map(({ body }) => {
          const { id, sequence } = (JSON.parse(body.stringValue) as { event: Arrived }).event;
          return { id, sequence };
        }),
    },
  };
  const last = await liveThroughOutage(bench, node, Object.values(receivers), { tables, events: 3_000 });
  assert.equal(await node.stop(), 0);
  for (const one of Object.values(receivers)) await one.stop();
  for (const [name, one] of Object.entries(receivers)) assertWhole(name, one.arrived(), last);
  t.diagnostic(JSON.stringify({ last, arrived: Object.values(receivers).map((one) => one.arrived().length) }));
  assert.deepEqual((await node.fsck()).problems, []);
});
