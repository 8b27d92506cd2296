/** Splunk's collector, and what every HTTP sink shares: whom it trusts, and where it does not go. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { type FormattedEvent, formatEvent } from '../../../src/siem/format.ts';
import { createOtlpSink } from '../../../src/siem/otlp-sink.ts';
import type { Sink } from '../../../src/siem/sink.ts';
import { createSplunkSink } from '../../../src/siem/splunk-sink.ts';
import { type Behaviour, HttpReceiver } from '../../support/http-receiver.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { siemEvent } from '../../support/siem-events.ts';

const EVENTS: readonly FormattedEvent[] = [1, 2].map((seq) => formatEvent(siemEvent({ seq }), 'record', false));
const SIGNAL = new AbortController().signal;

async function splunk(
  t: TestContext,
  ack: boolean,
  ...answers: Behaviour[]
): Promise<{ sink: Sink; receiver: HttpReceiver }> {
  const receiver = await new HttpReceiver().start();
  t.after(() => receiver.stop());
  receiver.next.push(...answers);
  const options = {
    http: createHttpClient([]),
    url: receiver.url,
    token: 'a-token',
    format: 'record',
    ack,
    ackMs: 200,
  } as const;
  return { sink: createSplunkSink(options), receiver };
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === expected;
}

test('events in one body, each a document, with id and time', async (t) => {
  const { sink, receiver } = await splunk(t, false, { answer: 200, body: '{"text":"Success","code":0}' });
  await sink.deliver(EVENTS, SIGNAL);
  const [request] = receiver.received;
  assert.equal(request?.path, '/services/collector/event');
  assert.equal(request?.headers.authorization, 'Splunk a-token');
  type Hec = {
    time: number;
    host: string;
    sourcetype: string;
    fields: { event_id: string };
    event: { sequence: number };
  };
  const sent = (request?.body ?? '').split('\n').map((line) => JSON.parse(line) as Hec);
  assert.deepEqual(
    sent.map(({ event }) => event.sequence),
    [1, 2],
  );
  assert.deepEqual(
    sent.map(({ fields }) => fields.event_id),
    EVENTS.map(({ event }) => event.id),
  );
  assert.equal(sent[0]?.time, EVENTS[0] === undefined ? 0 : EVENTS[0].event.atMs / 1_000);
  assert.deepEqual([sent[0]?.host, sent[0]?.sourcetype], ['acme.example', 'stigmem:record']);
});

test('with acknowledgement a delivery counts when an indexer has it', async (t) => {
  const taken = { answer: 200, body: '{"text":"Success","code":0,"ackId":7}' };
  const ackIs = (has: boolean): Behaviour => ({ answer: 200, body: `{"acks":{"7":${has}}}` });
  const { sink, receiver } = await splunk(t, true, taken, ackIs(false), ackIs(true));
  await sink.deliver(EVENTS, SIGNAL);
  assert.equal(receiver.received.length, 3);
  const [event, asked] = receiver.received;
  assert.equal(asked?.path, `/services/collector/ack?channel=${String(event?.headers['x-splunk-request-channel'])}`);
  assert.equal(asked?.body, '{"acks":[7]}');

  const late = await splunk(t, true, taken);
  late.receiver.usual = () => ackIs(false);
  await assert.rejects(late.sink.deliver(EVENTS, SIGNAL), code('unreachable'));
  const off = await splunk(t, true, { answer: 200, body: '{"text":"Success","code":0}' });
  await assert.rejects(off.sink.deliver(EVENTS, SIGNAL), code('misconfigured'));
  const full = await splunk(t, false, { answer: 503, body: '{"text":"Server is busy","code":9}' });
  await assert.rejects(full.sink.deliver(EVENTS, SIGNAL), code('busy'));
});

test('a collector that rejects some has taken none of them', async (t) => {
  const receiver = await new HttpReceiver().start();
  t.after(() => receiver.stop());
  const sink = createOtlpSink({
    http: createHttpClient([]),
    url: receiver.url,
    headers: { authorization: 'Bearer x' },
  });
  receiver.next.push({ answer: 200, body: '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}' });
  await assert.rejects(sink.deliver(EVENTS, SIGNAL), /rejected 1: too old/);
  receiver.next.push({ answer: 200, body: '{"partialSuccess":{}}' });
  await sink.deliver(EVENTS, SIGNAL);
  assert.equal(receiver.received[0]?.headers.authorization, 'Bearer x');
});

test('a page with 200 is nobody’s acceptance', async (t) => {
  const page: Behaviour = { answer: 200, body: '<html>Please sign in</html>' };
  const { sink, receiver } = await splunk(t, false, page, { answer: 200, body: '{"text":"No data","code":5}' });
  await assert.rejects(sink.deliver(EVENTS, SIGNAL), code('unreachable'));
  await assert.rejects(sink.deliver(EVENTS, SIGNAL), code('unreachable'));
  const otlp = createOtlpSink({ http: createHttpClient([]), url: receiver.url, headers: {} });
  receiver.next.push(page);
  await assert.rejects(otlp.deliver(EVENTS, SIGNAL), code('unreachable'));
});

test('a receiver is known by its authority, and knows us by our certificate', async (t) => {
  const [server, own, stranger] = [selfSigned(), selfSigned(), selfSigned()];
  const seen: boolean[] = [];
  const https = createServer(
    { ...server, ca: own.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      seen.push((request.socket as unknown as { authorized: boolean }).authorized);
      response.end('{}');
    },
  );
  https.listen(0, 'localhost');
  await once(https, 'listening');
  t.after(() => new Promise((resolve) => https.close(resolve).closeAllConnections()));
  const url = `https://localhost:${(https.address() as AddressInfo).port}`;
  const sinkWith = (tls: object): Sink =>
    createOtlpSink({ http: createHttpClient([], undefined, tls), url, headers: {} });
  await sinkWith({ ca: server.cert, cert: own.cert, key: own.key }).deliver(EVENTS, SIGNAL);
  assert.deepEqual(seen, [true]);
  await assert.rejects(
    sinkWith({ ca: stranger.cert, cert: own.cert, key: own.key }).deliver(EVENTS, SIGNAL),
    code('misconfigured'),
  );
  await assert.rejects(
    sinkWith({ ca: server.cert, cert: stranger.cert, key: stranger.key }).deliver(EVENTS, SIGNAL),
    code('unreachable'),
  );
  assert.deepEqual(seen, [true]);
});

test('nothing is sent to where clouds hand out credentials', async () => {
  const sink = createOtlpSink({ http: createHttpClient([]), url: 'http://169.254.169.254', headers: {} });
  await assert.rejects(sink.deliver(EVENTS, SIGNAL), code('misconfigured'));
});
