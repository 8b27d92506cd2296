/** Requests, answers, and the life of a transport, over real TCP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createTraces, currentTrace } from '../../../src/observe/trace.ts';
import { SYSTEM_CLOCK } from '../../../src/transport/clock.ts';
import type { TransportError } from '../../../src/transport/errors.ts';
import { KeepAlive } from '../../../src/transport/keep-alive.ts';
import { createTransport } from '../../../src/transport/node.ts';
import type { AllowedPeer } from '../../../src/transport/peers.ts';
import {
  collect,
  DEADLINE_MS,
  entry,
  LIMITS,
  LOCAL,
  PROTOCOL,
  peerIdOfName,
  RawPeer,
  SERVE_LIMITS,
  seedOf,
  start,
  startTwo,
  text,
  until,
  within,
} from './harness.ts';

const HELLO = Buffer.from('hello');
const PAGE = Buffer.alloc(300_000);
const serving = { maxInboundStreams: 4, limits: SERVE_LIMITS };

test('an answer of many frames arrives whole, in order, and ends', async (t) => {
  const { server, client } = await startTwo(t);
  let from: { peerId: string; remoteAddr: string } | undefined;
  await server.serve(PROTOCOL, {
    ...serving,
    *handler(request, context) {
      from = context;
      for (let i = 0; i < request[0]!; i++) yield Buffer.alloc(1_000 * i + 1, i);
    },
  });
  const frames = await collect(client.request(server.peerId, PROTOCOL, Buffer.from([100]), LIMITS));
  assert.deepEqual(
    frames.map((frame) => [frame.byteLength, frame[0]]),
    Array.from({ length: 100 }, (_, i) => [1_000 * i + 1, i]),
  );
  assert.equal(from?.peerId, client.peerId);
  assert.match(from?.remoteAddr ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\//);
});

test('what a peer asks over a connection is not part of what the connection was made for', async (t) => {
  const { server, client } = await startTwo(t);
  const seen: unknown[] = [];
  await server.serve(PROTOCOL, { ...serving, handler: (request) => [request] });
  await client.serve(PROTOCOL, {
    ...serving,
    handler: (request) => {
      seen.push(currentTrace());
      return [request];
    },
  });
  await createTraces(null).begin({ name: 'pull', kind: 'internal' }, async () => {
    await collect(client.request(server.peerId, PROTOCOL, HELLO, LIMITS));
    assert.notEqual(currentTrace(), null);
  });
  await collect(server.request(client.peerId, PROTOCOL, HELLO, LIMITS));
  assert.deepEqual(seen, [null]);
});

test('an empty request and an answer without frames are fine', async (t) => {
  const { server, client } = await startTwo(t);
  await server.serve(PROTOCOL, { ...serving, handler: () => [] });
  assert.deepEqual(await collect(client.request(server.peerId, PROTOCOL, Buffer.alloc(0), LIMITS)), []);
});

test('a peer without a known address is asked over the connection it opened', async (t) => {
  const { server, client } = await startTwo(t);
  await client.serve(PROTOCOL, { ...serving, handler: (request) => [request] });
  const ask = (): Promise<Uint8Array[]> => collect(server.request(client.peerId, PROTOCOL, HELLO, LIMITS));
  await assert.rejects(ask(), { code: 'bad_address' });
  await client.dial(server.peerId);
  await until('the connection', () => server.connected(client.peerId));
  assert.deepEqual((await ask()).map(text), ['hello']);
});

test('a producer is suspended while the consumer is slow, and stops when the consumer leaves', async (t) => {
  const { server, client } = await startTwo(t);
  let produced = 0;
  let stopped = false;
  await server.serve(PROTOCOL, {
    ...serving,
    *handler(request) {
      if (request[0] === 1) yield HELLO;
      try {
        while (request[0] !== 1) {
          produced++;
          yield PAGE;
        }
      } finally {
        stopped = request[0] !== 1;
      }
    },
  });
  let taken = 0;
  for await (const page of client.request(server.peerId, PROTOCOL, HELLO, LIMITS)) {
    assert.equal(page.byteLength, PAGE.byteLength);
    // A request on the side: everything the producer was allowed to send has come by then.
    await collect(client.request(server.peerId, PROTOCOL, Buffer.from([1]), LIMITS));
    assert.ok(produced - ++taken <= 12, `${produced - taken} pages ahead`);
    if (taken === 20) break;
  }
  await until('the end of the producer', () => stopped);
});

test("the caller's signal gives a request up with the caller's reason", async (t) => {
  const { server, client } = await startTwo(t);
  let aborted = false;
  await server.serve(PROTOCOL, {
    ...serving,
    async *handler(_, { signal }) {
      yield HELLO;
      await once(signal, 'abort');
      aborted = true;
    },
  });
  const controller = new AbortController();
  const reason = new Error('shutting down');
  const frames = client.request(server.peerId, PROTOCOL, HELLO, { ...LIMITS, signal: controller.signal });
  await frames.next();
  controller.abort(reason);
  await assert.rejects(frames.next(), reason);
  await until('the handler sees it', () => aborted);
  const late = client.request(server.peerId, PROTOCOL, HELLO, { ...LIMITS, signal: controller.signal });
  await assert.rejects(late.next(), reason);
});

test('many requests on one long-lived signal leave no listeners behind', async (t) => {
  const { server, client } = await startTwo(t);
  await server.serve(PROTOCOL, { ...serving, handler: (request) => [request] });
  const warnings: Error[] = [];
  const warn = (warning: Error): number => warnings.push(warning);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));
  const { signal } = new AbortController();
  const listening = t.mock.method(signal, 'addEventListener').mock;
  const left = t.mock.method(signal, 'removeEventListener').mock;
  for (let i = 0; i < 40; i++) await collect(client.request(server.peerId, PROTOCOL, HELLO, { ...LIMITS, signal }));
  await until('no listener is left', () => left.callCount() === listening.callCount());
  assert.ok(listening.callCount() >= 40);
  assert.deepEqual(warnings, []);
});

test('a watch without a total limit lives on heartbeats', async (t) => {
  const { server, client } = await startTwo(t);
  await server.serve(PROTOCOL, {
    ...serving,
    limits: { ...SERVE_LIMITS, totalMs: undefined },
    async *handler() {
      for (let i = 0; i < 8; i++) {
        yield HELLO;
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
  });
  const limits = { ...LIMITS, idleMs: 1_000, totalMs: undefined };
  assert.equal((await collect(client.request(server.peerId, PROTOCOL, HELLO, limits))).length, 8);
});

const FAULTS = [
  { what: 'an unknown protocol', protocol: '/test/other/1.0.0', body: HELLO, code: 'unsupported_protocol' },
  { what: 'a request above the limit', protocol: PROTOCOL, body: Buffer.alloc(20_000), code: 'reset' },
  { what: 'a handler that throws', protocol: PROTOCOL, body: Buffer.from('throw'), code: 'reset' },
  { what: 'a handler that yields an empty frame', protocol: PROTOCOL, body: Buffer.from('empty'), code: 'reset' },
  { what: 'a frame above our limit', protocol: PROTOCOL, body: Buffer.from('large'), code: 'frame_too_large' },
];
for (const { what, protocol, body, code } of FAULTS)
  test(`${what} ends in ${code}`, async (t) => {
    const { server, client } = await startTwo(t);
    const errors: TransportError[] = [];
    await server.serve(PROTOCOL, {
      ...serving,
      *handler(request) {
        if (text(request) === 'throw') throw new Error('secret of ours');
        if (text(request) === 'empty') yield Buffer.alloc(0);
        yield Buffer.alloc(10_000);
      },
      onError: (error) => errors.push(error),
    });
    const frames = client.request(server.peerId, protocol, body, { ...LIMITS, maxFrameBytes: 9_999 });
    await assert.rejects(within(4_000, 'an error', collect(frames)), (error: TransportError) => {
      assert.equal(error.code, code);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    if (what.includes('handler'))
      assert.deepEqual(
        errors.map((e) => e.code),
        ['handler_failed'],
      );
  });

test('two frames are not a request', async (t) => {
  const errors: TransportError[] = [];
  const server = await start(t, 'server', ['client']);
  await server.serve(PROTOCOL, { ...serving, handler: (request) => [request], onError: (error) => errors.push(error) });
  const peer = await RawPeer.dial(t, 'client', server.addresses()[0]!);
  const stream = await peer.connection.newStream(PROTOCOL);
  stream.send(Buffer.from([1, 65, 1, 66]));
  await until('the refusal', () => errors.length > 0);
  assert.equal(errors[0]?.code, 'frame_malformed');
});

test('what cannot be dialled says why', async (t) => {
  const nobody = await peerIdOfName('nobody');
  const silent = await peerIdOfName('silent');
  const other = await start(t, 'other', []);
  const peers = [
    { peerId: nobody, addresses: ['/ip4/127.0.0.1/tcp/1'] },
    { peerId: silent, addresses: [] },
    { peerId: await peerIdOfName('impostor'), addresses: [other.addresses()[0]!.replace(/\/p2p.*/, '')] },
  ];
  const client = await start(t, 'client', peers, { listen: [] });
  await assert.rejects(client.dial(nobody), { code: 'dial_failed' });
  await assert.rejects(client.dial(silent), { code: 'bad_address' });
  await assert.rejects(client.dial(peers[2]!.peerId), { code: 'dial_failed' });
  await assert.rejects(client.dial(other.peerId), { code: 'forbidden' });
  await assert.rejects(collect(client.request(other.peerId, PROTOCOL, HELLO, LIMITS)), { code: 'forbidden' });
});

test('bad settings and a taken port are refused at the start', async (t) => {
  const one = await start(t, 'one', []);
  const listen = [one.addresses()[0]!.replace(/\/p2p.*/, '')];
  const wrong = (peer: AllowedPeer) => createTransport({ seed: seedOf('x'), listen: [LOCAL], allowed: () => [peer] });
  await assert.rejects(createTransport({ seed: seedOf('x'), listen, allowed: () => [] }), (error: TransportError) => {
    assert.equal(error.code, 'start_failed');
    assert.match(
      error.message,
      /^expected to listen for peers on \/ip4\/127\.0\.0\.1\/tcp\/\d+, got: .*EADDRINUSE.*listen\.p2p$/,
    );
    return true;
  });
  await assert.rejects(createTransport({ seed: Buffer.alloc(31), listen, allowed: () => [] }), { code: 'bad_key' });
  await assert.rejects(wrong({ peerId: 'nonsense', addresses: [] }), { code: 'bad_key' });
  await assert.rejects(wrong({ peerId: one.peerId, addresses: ['localhost:1'] }), { code: 'bad_address' });
  const other = `/ip4/127.0.0.1/tcp/1/p2p/${await peerIdOfName('other')}`;
  await assert.rejects(wrong({ peerId: one.peerId, addresses: [other] }), { code: 'bad_address' });
});

test('a removed peer is cut off at once and a peer added later is let in', async (t) => {
  const allowed: AllowedPeer[] = [];
  const server = await start(t, 'server', [], { allowed: () => allowed });
  const client = await start(t, 'client', [entry(server)], { listen: [] });
  await server.serve(PROTOCOL, { ...serving, handler: (request) => [request] });
  const ask = (): Promise<Uint8Array[]> => collect(client.request(server.peerId, PROTOCOL, HELLO, LIMITS));
  await assert.rejects(ask(), { code: 'refused' });
  allowed.push({ peerId: client.peerId, addresses: [] });
  assert.equal((await ask()).length, 1);
  assert.equal(server.connected(client.peerId), true);
  allowed.pop();
  await assert.rejects(ask(), { code: 'reset' });
  server.refreshAllowed();
  await until('the end', () => !server.connected(client.peerId) && !client.connected(server.peerId));
});

test('stop lets an answer finish within its grace, cuts it afterwards, and lets nobody in', async (t) => {
  const server = await start(t, 'server', ['client', 'late']);
  const client = await start(t, 'client', [entry(server)], { listen: [] });
  const late = await start(t, 'late', [entry(server)], { listen: [] });
  const release = Promise.withResolvers<void>();
  await server.serve(PROTOCOL, {
    ...serving,
    async *handler(request, { signal }) {
      yield HELLO;
      await (text(request) === 'finish' ? release.promise : once(signal, 'abort'));
      yield HELLO;
    },
  });
  const finishing = client.request(server.peerId, PROTOCOL, Buffer.from('finish'), LIMITS);
  const hanging = client.request(server.peerId, PROTOCOL, Buffer.from('hang'), LIMITS);
  await finishing.next();
  await hanging.next();
  const stopped = server.stop({ graceMs: 6_000 });
  await late.dial(server.peerId).catch(() => {});
  await until('the late one is out', () => !late.connected(server.peerId), 3_000);
  release.resolve();
  assert.equal((await collect(finishing)).length, 1);
  await assert.rejects(collect(hanging), { name: 'TransportError' });
  await within(DEADLINE_MS, 'the stop', stopped);
});

test('a stopping node does not wait for watches, which have no end', async (t) => {
  const { server, client } = await startTwo(t);
  await server.serve(PROTOCOL, {
    ...serving,
    limits: { ...serving.limits, totalMs: undefined },
    async *handler(_request, { signal }) {
      yield HELLO;
      await once(signal, 'abort');
    },
  });
  const watching = client.request(server.peerId, PROTOCOL, Buffer.from('watch'), { ...LIMITS, totalMs: undefined });
  await watching.next();
  await within(30_000, 'the stop', server.stop({ graceMs: 60_000 }));
  await assert.rejects(collect(watching), { name: 'TransportError' });
});

test('a stopping node is not held up by a peer that dials again', async (t) => {
  const { server, client } = await startTwo(t);
  client.subscribe((_, change) => change === 'disconnected' && client.dial(server.peerId).catch(() => {}));
  await client.dial(server.peerId);
  await until('the connection', () => server.connected(client.peerId));
  await within(DEADLINE_MS, 'the stop', server.stop({ graceMs: 0 }));
  await until('no connection', () => !client.connected(server.peerId));
});

test('keep-alive dials, notices a restart, and backs off from a peer that refuses', async (t) => {
  const { server, client } = await startTwo(t);
  const address = server.addresses()[0]!;
  const refusing = await start(t, 'refusing', []);
  const allowed = [entry(server), entry(refusing)];
  const both = await start(t, 'client', allowed, { listen: [] });
  const keep = new KeepAlive({ transport: both, allowed: () => allowed, clock: SYSTEM_CLOCK, random: () => 0 });
  t.after(() => keep.stop());
  await until('connected', () => keep.status(server.peerId)?.state === 'connected');
  await until('refused', () => (keep.status(refusing.peerId)?.attempts ?? 0) >= 2);
  assert.match(keep.status(refusing.peerId)?.lastError ?? '', /hung up|closed/);
  await server.stop({ graceMs: 0 });
  await until('lost', () => keep.status(server.peerId)?.state !== 'connected');
  await start(t, 'server', ['client'], { listen: [address.replace(/\/p2p.*/, '')] });
  await until('found again', () => keep.status(server.peerId)?.state === 'connected');
  assert.equal(client.connected(server.peerId), false);
});

test('who asks too often is told how long to wait, or is reset; other protocols and peers go on', async (t) => {
  const { server, client } = await startTwo(t);
  const OTHER = `${PROTOCOL}-other`;
  const rate = { perSecond: 0.01, burst: 2 };
  const errors: TransportError[] = [];
  const busy = { rate, onBusy: (waitMs: number) => [Buffer.from(`busy ${waitMs}`)] };
  let handled = 0;
  const handler = (request: Uint8Array): Uint8Array[] => {
    handled++;
    return [request];
  };
  await server.serve(PROTOCOL, { ...serving, ...busy, handler });
  await server.serve(OTHER, { ...serving, rate, handler, onError: (error) => errors.push(error) });
  const ask = async (protocol: string): Promise<string[]> =>
    (await collect(client.request(server.peerId, protocol, HELLO, LIMITS))).map(text);
  for (let i = 0; i < 2; i++) assert.deepEqual(await ask(PROTOCOL), ['hello']);
  const [told = '', ...more] = await ask(PROTOCOL);
  assert.match(told, /^busy \d{4,6}$/);
  assert.deepEqual([more, handled], [[], 2]);
  for (let i = 0; i < 2; i++) assert.deepEqual(await ask(OTHER), ['hello']);
  await assert.rejects(ask(OTHER), { code: 'reset' });
  assert.deepEqual([errors.map(({ code }) => code), handled], [['busy'], 4]);
});
