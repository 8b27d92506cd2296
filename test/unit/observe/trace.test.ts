import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeSpans } from '../../../src/observe/otlp.ts';
import { BATCH_SPANS, MAX_WAITING_SPANS, SpanExporter } from '../../../src/observe/span-exporter.ts';
import {
  createTraces,
  currentTrace,
  describeSpan,
  inContext,
  isTraced,
  readTraceparent,
  type Span,
  span,
  takeSpans,
  untraced,
} from '../../../src/observe/trace.ts';

const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

test('a traceparent is read as W3C says, and anything else is none', () => {
  const { traceId, spanId } = PARENT;
  assert.deepEqual(readTraceparent(`00-${traceId}-${spanId}-01`), PARENT);
  assert.deepEqual(readTraceparent(`cc-${traceId}-${spanId}-01-what-comes`), PARENT);
  for (const bad of [
    null,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01x`,
  ])
    assert.equal(readTraceparent(bad), null, String(bad));
});

test('ids are there without a receiver, and no span is made', async () => {
  const traces = createTraces(null);
  assert.equal(currentTrace(), null);
  await traces.begin({ name: 'GET', kind: 'server', parent: PARENT }, async () => {
    await Promise.resolve();
    assert.equal(currentTrace()?.traceId, PARENT.traceId);
    assert.notEqual(currentTrace()?.spanId, PARENT.spanId);
    assert.equal(isTraced(), false);
    span('inner', {}, () => assert.equal(currentTrace()?.traceId, PARENT.traceId));
    untraced(() => assert.equal(currentTrace(), null));
  });
});

test('spans know their parents, names, errors, and those of another thread', async () => {
  const spans: Span[] = [];
  const traces = createTraces((ended) => spans.push(ended));
  await assert.rejects(
    traces.begin({ name: 'GET', kind: 'server', parent: PARENT }, async () => {
      describeSpan('GET /v1/facts/{id}', { 'http.response.status_code': 500 });
      const elsewhere: Span[] = [];
      inContext(currentTrace() ?? PARENT, elsewhere, () => span('verify page', { feed: 'public' }, () => 1));
      takeSpans(elsewhere);
      await span('writer head', {}, async () => Promise.reject(new Error('full')));
    }),
    /full/,
  );
  const [page, head, request] = spans;
  assert.ok(page && head && request);
  assert.deepEqual([page.name, head.name, request.name], ['verify page', 'writer head', 'GET /v1/facts/{id}']);
  assert.deepEqual([page.parentId, head.parentId, request.parentId], [request.spanId, request.spanId, PARENT.spanId]);
  assert.deepEqual([page.error, head.error, request.error], [null, 'full', 'full']);
  assert.ok(request.endMs >= request.startMs && new Set(spans.map(({ traceId }) => traceId)).size === 1);
});

test('what is not sampled makes no spans', () => {
  const spans: Span[] = [];
  const traces = createTraces(
    (ended) => spans.push(ended),
    (id) => id !== PARENT.traceId,
  );
  traces.begin({ name: 'a', kind: 'server', parent: PARENT }, () => span('b', {}, () => undefined));
  assert.deepEqual(spans, []);
  traces.begin({ name: 'a', kind: 'server' }, () => undefined);
  assert.equal(spans.length, 1);
});

const SPAN: Span = {
  ...PARENT,
  parentId: null,
  name: 'n',
  kind: 'client',
  startMs: 1_796_016_536_578.448,
  endMs: 1_796_016_536_580,
  attributes: { text: 'a\ud800', count: 3, share: 0.5, flag: true },
  error: 'e'.repeat(9_999),
};

test('OTLP: ids in hex, 64-bit numbers as texts, bounded texts, one resource', () => {
  const { resourceSpans } = JSON.parse(encodeSpans([SPAN], { 'service.name': 'stigmem-peerd' }));
  assert.deepEqual(resourceSpans[0].resource.attributes, [
    { key: 'service.name', value: { stringValue: 'stigmem-peerd' } },
  ]);
  const [encoded] = resourceSpans[0].scopeSpans[0].spans;
  assert.deepEqual([encoded.traceId, encoded.spanId, encoded.kind], [PARENT.traceId, PARENT.spanId, 3]);
  assert.deepEqual(
    [encoded.startTimeUnixNano, encoded.endTimeUnixNano],
    ['1796016536578448000', '1796016536580000000'],
  );
  assert.deepEqual(
    encoded.attributes.map(({ value }: { value: unknown }) => value),
    [{ stringValue: 'a\ufffd' }, { intValue: '3' }, { doubleValue: 0.5 }, { boolValue: true }],
  );
  assert.equal(encoded.status.code, 2);
  assert.ok(encoded.status.message.length <= 512 && !('parentSpanId' in encoded));
});

test('a receiver that does not answer costs bounded memory, is told once, and what is left goes out at the stop', async () => {
  const told: (string | null)[] = [];
  let [exported, dropped, isDown] = [0, 0, true];
  const exporter = new SpanExporter({
    send: async () => (isDown ? Promise.reject(new Error('refused')) : undefined),
    onExported: (count) => {
      exported += count;
    },
    onDropped: (count) => {
      dropped += count;
    },
    onFault: (fault) => void told.push(fault),
  });
  for (let i = 0; i < MAX_WAITING_SPANS + BATCH_SPANS + 10; i++) exporter.take(SPAN);
  assert.equal(dropped, 10, 'one batch is under way, so many wait, the others are dropped');
  await new Promise(setImmediate);
  assert.deepEqual(told, ['refused']);
  isDown = false;
  await exporter.stop();
  assert.deepEqual(told, ['refused', null]);
  assert.equal(exported, MAX_WAITING_SPANS);
  assert.equal(exported + dropped, MAX_WAITING_SPANS + BATCH_SPANS + 10);
  exporter.take(SPAN);
  assert.equal(dropped, BATCH_SPANS + 11, 'after the stop nothing is taken');
});
