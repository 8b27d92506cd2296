/** A turn of pulling has one id: in the audit records of what came of it, and in the spans of both threads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

test('what a pull brings is verified and appended in spans below its turn, and its records name the same id', async (t) => {
  const spans: ReceivedSpan[] = [];
  const receiver = createServer(async (incoming, outgoing) => {
    const body = (await json(incoming).catch(() => null)) as {
      resourceSpans: { scopeSpans: { spans: ReceivedSpan[] }[] }[];
    } | null;
    // It gives up on its own where the machine is slow.
    if (body === null) return;
    spans.push(...body.resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)));
    outgoing.end('{}');
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

  const author = await MeshNode.create('author.example');
  const taker = await MeshNode.create('taker.example');
  await author.start({});
  await taker.start({ 'traces.otlp_url': url });
  t.after(async () => {
    await taker.stop();
    await author.stop();
    receiver.closeAllConnections();
    receiver.close();
  });
  const request = {
    entity: 'stigmem://author.example/thing/1',
    relation: 'test:state',
    source: 'stigmem://author.example/agent/x',
    value: 'up',
    value_type: 'text' as const,
    scope: 'public',
    confidence: 1,
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  };
  await author.base.writer.assert([request], { mayWriteInstructions: false });
  author.writePeer('taker', taker.asPeer({ share: ['public'] }, false));
  taker.writePeer('author', author.asPeer({ accept: ['public'] }));
  await until('the spans of the page arrive', () => spans.some(({ name }) => name === 'append page'));

  const append = spans.find(({ name }) => name === 'append page');
  const turn = spans.filter(({ traceId }) => traceId === append?.traceId);
  await until('the turn ends', () => spans.some(({ name, traceId }) => name === 'pull' && traceId === append?.traceId));
  const names = new Set(spans.filter(({ traceId }) => traceId === append?.traceId).map(({ name }) => name));
  for (const wanted of ['pull', 'pull round', 'writer ingestPage', 'verify page', 'verify entries', 'append page'])
    assert.ok(names.has(wanted), `${wanted} among ${[...names].join(', ')}`);
  assert.equal(turn.find(({ spanId }) => spanId === append?.parentSpanId)?.name, 'writer ingestPage');

  const { records } = await taker.base.reader.auditPage({ order: 'asc', limit: 100 });
  const traced = records.filter(({ detail }) => typeof detail['trace_id'] === 'string');
  const [declared] = traced.filter(({ peer }) => peer === 'stigmem://author.example');
  assert.match(String(declared?.detail['trace_id']), /^[0-9a-f]{32}$/, JSON.stringify(records));
  assert.ok(spans.some(({ traceId }) => traceId === declared?.detail['trace_id']));
});
