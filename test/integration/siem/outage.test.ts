/** Every kind of sink of a daemon over an outage of an hour of events, kill -9 in the middle of delivery, receivers that fail and restart. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Behaviour, HttpReceiver } from '../../support/http-receiver.ts';
import { Bench } from '../../support/node-process.ts';
import {
  type Arrived,
  assertWhole,
  inFile,
  liveThroughOutage,
  type Receiver,
  secretIn,
} from '../../support/sink-outage.ts';
import { SyslogReceiver } from '../../support/syslog-receiver.ts';

/** Each of these takes it, or does not, and the sender cannot know; a success in between, or its pauses would double. */
const FAULTS: readonly Behaviour[] = ['take_and_reset', 'take_and_half_answer', 'slow', 'reset', { answer: 503 }];
const TAKEN: Behaviour = { answer: 200, body: '{"text":"Success","code":0}' };
/** Every so many requests something goes wrong. */
const FAULT_EVERY = 6;

class FailingReceiver extends HttpReceiver implements Receiver {
  readonly #read: (body: string) => readonly Arrived[];

  constructor(read: (body: string) => readonly Arrived[]) {
    super();
    this.#read = read;
    let requests = 0;
    this.usual = () => {
      requests += 1;
      return requests % FAULT_EVERY === 0 ? (FAULTS[(requests / FAULT_EVERY) % FAULTS.length] ?? TAKEN) : TAKEN;
    };
  }

  arrived(): readonly Arrived[] {
    return this.received.filter(({ taken }) => taken).flatMap(({ body }) => this.#read(body));
  }
}

interface Otlp {
  readonly resourceLogs: readonly [
    {
      readonly scopeLogs: readonly [
        { readonly logRecords: readonly { readonly body: { readonly stringValue: string } }[] },
      ];
    },
  ];
}
interface Ecs {
  readonly event: { readonly id: string; readonly sequence: number };
}
interface Hec {
  readonly event: { readonly metadata: { readonly uid: string; readonly sequence: number } };
}

const webhook = (body: string): readonly Arrived[] => (JSON.parse(body) as { data: Arrived[] }).data;
const otlp = (body: string): readonly Arrived[] =>
  (JSON.parse(body) as Otlp).resourceLogs[0].scopeLogs[0].logRecords.map(({ body: { stringValue } }) => {
    const { id, sequence } = (JSON.parse(stringValue) as Ecs).event;
    return { id, sequence };
  });
const splunk = (body: string): readonly Arrived[] =>
  body.split('\n').map((line) => {
    const { uid: id, sequence } = (JSON.parse(line) as Hec).event.metadata;
    return { id, sequence };
  });

async function started<T extends Receiver>(t: TestContext, receiver: T): Promise<T> {
  await receiver.start();
  t.after(() => receiver.stop());
  return receiver;
}

/** It loses what it has read and not written, as those do that have a queue in memory. Whatever it is sent while it ends, it may close in order. */
class Syslog extends SyslogReceiver implements Receiver {
  override async stop(): Promise<void> {
    await super.stop();
    this.loseNewest();
  }

  arrived(): readonly Arrived[] {
    return this.messages.map((message) => JSON.parse(message.slice(message.indexOf('] {') + 2)) as Arrived);
  }
}

test('five sinks, an hour of events, two kills: none is lost, none out of order, and what comes twice has the same id', async (t) => {
  const bench = new Bench(t);
  const node = await bench.node('victim.example', ['federation.refused_per_second=1000000']);
  const hook = await started(t, new FailingReceiver(webhook));
  const otel = await started(t, new FailingReceiver(otlp));
  const hec = await started(t, new FailingReceiver(splunk));
  const syslog = await started(t, new Syslog());
  const ca = join(node.dir, 'syslog-ca.pem');
  writeFileSync(ca, syslog.cert);
  const secret = secretIn(node.dir, 'hook.secret', `whsec_${Buffer.alloc(32, 7).toString('base64')}`);
  const token = secretIn(node.dir, 'hec.token', '11111111-2222-3333-4444-555555555555');
  const archive = join(node.dir, 'audit.jsonl');
  const tables = `
[[sink]]
name = "archive"
kind = "file"
path = "${archive}"
batch = 100

[[sink]]
name = "hook"
kind = "webhook"
url = "${hook.url}"
secret_file = "${secret}"
batch = 100

[[sink]]
name = "otel"
kind = "otlp"
format = "ecs"
url = "${otel.url}"
batch = 100

[[sink]]
name = "hec"
kind = "splunk"
format = "ocsf"
url = "${hec.url}"
secret_file = "${token}"
batch = 100

[[sink]]
name = "syslog"
kind = "syslog"
url = "${syslog.url}"
ca_file = "${ca}"
batch = 100
`;
  const last = await liveThroughOutage(bench, node, [hook, otel, hec, syslog], { tables, events: 2_000 });
  assert.ok(last > 2_000, String(last));
  await node.kill();
  const all = { hook, otel, hec, syslog };
  for (const [name, receiver] of Object.entries(all)) assertWhole(name, receiver.arrived(), last);
  assertWhole('archive', inFile(archive), last);
  const arrived = Object.values(all).map((one) => one.arrived().length);
  t.diagnostic(JSON.stringify({ last, arrived }));
  assert.ok(
    arrived.some((count) => count > last),
    'something came twice',
  );
  assert.deepEqual((await node.fsck()).problems, []);
});
