/** Defects of libp2p's streams that a daemon must not have. Each test fails when our guard against it is taken out. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Stream, StreamCloseEvent } from '@libp2p/interface';
import { TransportError, toError } from '../../../src/transport/errors.ts';
import { FrameReader, writeFrame } from '../../../src/transport/frames.ts';
import {
  collect,
  DEADLINE_MS,
  LIMITS,
  negotiation,
  PROTOCOL,
  RawPeer,
  SERVE_LIMITS,
  start,
  startTwo,
  streamPair,
  text,
  until,
  within,
} from './harness.ts';

const MIB = 1 << 20;
const FRAME = Buffer.alloc(64 << 10);
const reader = (stream: Stream, highWaterBytes = 256 << 10): FrameReader =>
  new FrameReader(stream, { maxFrameBytes: MIB, highWaterBytes });

/** Sends 64 KiB frames until `limit` bytes or the end of the stream; counts what was accepted. */
function pump(stream: Stream, limit: number): { sent: number; error: unknown; done: Promise<void> } {
  const state = { sent: 0, error: undefined as unknown, done: Promise.resolve() };
  const run = async (): Promise<void> => {
    while (state.sent < limit) {
      await writeFrame(stream, FRAME);
      state.sent += FRAME.byteLength;
    }
    await stream.close();
  };
  state.done = run().catch((error: unknown) => {
    state.error = error;
  });
  return state;
}

test('defect 1: a sender waits for a stalled reader a second time, not only once', async (t) => {
  let inbound: FrameReader | undefined;
  const { stream, roundTrip } = await streamPair(t, (s) => (inbound = reader(s)));
  const sender = pump(stream, 100 * MIB);
  for (let i = 0; i < 100; i++) assert.ok(await inbound?.next(), 'the reader takes 6 MiB');
  for (let i = 0; i < 20; i++) await roundTrip();
  assert.equal(sender.error, undefined);
  assert.ok(sender.sent < 12 * MIB, `sent ${sender.sent} although nobody reads`);
});

test('defect 2: reading slowly bounds what the sender may send', async (t) => {
  let inbound: FrameReader | undefined;
  const { stream, roundTrip } = await streamPair(t, (s) => (inbound = reader(s)));
  const sender = pump(stream, 64 * MIB);
  let ahead = 0;
  for (let taken = 1; taken <= 30; taken++) {
    assert.ok(await inbound?.next());
    await roundTrip();
    ahead = Math.max(ahead, sender.sent - taken * FRAME.byteLength);
  }
  assert.ok(ahead < 4 * MIB, `${ahead} bytes were accepted ahead of the reader`);
});

test("defect 3: the peer's FIN does not lose what is buffered in a paused stream", async (t) => {
  let inbound: FrameReader | undefined;
  const { stream, roundTrip } = await streamPair(t, (s) => (inbound = reader(s, 16 << 10)));
  for (let i = 0; i < 20; i++) await writeFrame(stream, Buffer.alloc(10_000, i));
  await stream.close();
  await roundTrip();
  for (let i = 0; i < 20; i++) {
    assert.equal((await inbound?.next())?.[9_999], i);
    await roundTrip();
  }
  assert.equal(await inbound?.next(), undefined);
});

for (const payload of ['a frame', 'nothing'])
  test(`defect 4: reading that starts after the peer's FIN ends (${payload} sent)`, async (t) => {
    let late: Stream | undefined;
    const { stream, roundTrip } = await streamPair(t, (s) => (late = s));
    if (payload !== 'nothing') await writeFrame(stream, Buffer.from(payload));
    await stream.close();
    await roundTrip();
    assert.equal(late?.remoteWriteStatus, 'closed');
    const inbound = reader(late as Stream);
    if (payload !== 'nothing') assert.equal(text((await inbound.next()) ?? FRAME), payload);
    assert.equal(await within(2_000, 'the end', inbound.next()), undefined);
  });

test('defect 5: a reader may leave more than 4 MiB waiting and still get everything', async (t) => {
  let inbound: FrameReader | undefined;
  const { stream, roundTrip } = await streamPair(t, (s) => (inbound = reader(s)));
  const sender = pump(stream, 12 * MIB);
  for (let i = 0; i < 20; i++) await roundTrip();
  let frames = 0;
  while ((await inbound?.next()) !== undefined) frames++;
  assert.equal(frames * FRAME.byteLength, 12 * MIB);
  assert.equal(sender.error, undefined);
});

test('defect 6: pausing a stream whose window has grown does not kill it', async (t) => {
  let inbound: FrameReader | undefined;
  let stream: Stream | undefined;
  const pair = await streamPair(t, (s) => {
    stream = s;
    inbound = reader(s);
  });
  const sender = pump(pair.stream, 96 * MIB);
  let frames = 0;
  while (frames < 1_000 && (await inbound?.next()) !== undefined) frames++;
  for (let i = 0; i < 20; i++) await pair.roundTrip();
  assert.equal(stream?.status, 'open');
  while ((await inbound?.next()) !== undefined) frames++;
  assert.equal(frames * FRAME.byteLength, 96 * MIB);
  assert.equal(sender.error, undefined);
});

test('defect 7: a pause inside the dispatch of resume() holds', async (t) => {
  let inbound: FrameReader | undefined;
  let paused: Stream | undefined;
  const { stream, roundTrip } = await streamPair(t, (s) => {
    paused = s;
    inbound = reader(s, 64 << 10);
  });
  const sender = pump(stream, 24 * MIB);
  for (let taken = 0; taken < 24 * 16; taken++) {
    assert.ok(await inbound?.next(), `frame ${taken}`);
    if (taken % 8 === 0) {
      await roundTrip();
      assert.ok(sender.sent - taken * FRAME.byteLength < 4 * MIB, 'the sender ran ahead');
    }
  }
  assert.ok(paused !== undefined);
  assert.equal(await inbound?.next(), undefined);
});

test("defect 8: a sibling's drain does not let a stalled stream queue more", async (t) => {
  const { stream } = await streamPair(t, (s) => s.pause());
  const sender = pump(stream, 100 * MIB);
  await until('the window is full', () => stream.writableNeedsDrain);
  const before = sender.sent;
  for (let i = 0; i < 200; i++) {
    // What the multiplexer does on every stream when the shared socket has drained.
    stream.dispatchEvent(new Event('drain'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(sender.sent, before);
  assert.ok(stream.writeBufferLength < 2 * FRAME.byteLength, `${stream.writeBufferLength} bytes queued`);
});

test('defect 13: a stream on which nothing happens is reset', async (t) => {
  const { server, client } = await startTwo(t);
  await server.serve(PROTOCOL, {
    maxInboundStreams: 1,
    limits: SERVE_LIMITS,
    async *handler(_, { signal }) {
      await once(signal, 'abort');
      yield FRAME;
    },
  });
  const frames = client.request(server.peerId, PROTOCOL, Buffer.from('?'), {
    ...LIMITS,
    idleMs: 200,
    totalMs: undefined,
  });
  await assert.rejects(within(3_000, 'the time limit', collect(frames)), { name: 'TransportError', code: 'timeout' });
});

test('defect 13: a peer that asks nothing is reset', async (t) => {
  const errors: TransportError[] = [];
  const server = await start(t, 'server', ['client']);
  const limits = { ...SERVE_LIMITS, idleMs: 200 };
  await server.serve(PROTOCOL, { maxInboundStreams: 1, limits, handler: () => [], onError: (e) => errors.push(e) });
  const peer = await RawPeer.dial(t, 'client', server.addresses()[0]!);
  const stream = await peer.connection.newStream(PROTOCOL);
  await until('the reset', () => stream.status === 'reset', 3_000);
  assert.deepEqual(
    errors.map((e) => e.code),
    ['timeout'],
  );
});

test('defect 17: a rejection that is an Event becomes an Error that says what happened', () => {
  const inner = new TransportError('timeout', 'too slow');
  assert.equal(toError(new StreamCloseEvent(true, inner), 'writing'), inner);
  for (const thrown of [new StreamCloseEvent(), new Event('close'), undefined, null, 'text', 7]) {
    const error = toError(thrown, 'writing');
    assert.ok(error instanceof TransportError);
    assert.match(error.message, /^writing: /);
    assert.equal(error.code, 'reset');
  }
});

test('defect 17: a connection that dies under a half-close rejects with an Error', async (t) => {
  const { server, client } = await startTwo(t);
  const onError: TransportError[] = [];
  await server.serve(PROTOCOL, {
    maxInboundStreams: 4,
    limits: SERVE_LIMITS,
    handler: () => [FRAME],
    onError: (e) => onError.push(e),
  });
  const big = client.request(server.peerId, PROTOCOL, Buffer.alloc(8 * MIB), LIMITS);
  await assert.rejects(collect(big), (error) => error instanceof TransportError && error.code === 'reset');
  assert.deepEqual(
    onError.map((e) => e.code),
    ['frame_too_large'],
  );
});

test('defect 18: a peer that is killed in the middle of an answer leaves it truncated, not complete', async (t) => {
  const child = fork(new URL('./killed-peer.ts', import.meta.url), { serialization: 'json' });
  t.after(() => child.kill('SIGKILL'));
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the peer has ended')));
  const listening = Promise.race([once(child, 'message'), died]);
  const [address] = (await within(DEADLINE_MS, 'the peer listens', listening)) as [string];
  const peer = { peerId: address.split('/p2p/')[1]!, addresses: [address] };
  const client = await start(t, 'client', [peer], { listen: [] });
  let frames = 0;
  const read = async (): Promise<void> => {
    for await (const frame of client.request(peer.peerId, PROTOCOL, Buffer.from('?'), LIMITS)) {
      assert.equal(frame.byteLength, 100);
      if (++frames === 3) child.kill('SIGKILL');
    }
  };
  await assert.rejects(within(DEADLINE_MS, 'an end', read()), (error) => error instanceof TransportError);
  assert.ok(frames >= 3);
});

test('defect 18: a clean end without the end frame is truncated', async (t) => {
  const { server, client } = await streamPair(t, () => {});
  await server.handle(PROTOCOL, async (stream) => {
    await writeFrame(stream, Buffer.from('half an answer'));
    await stream.close();
  });
  const address = server.getMultiaddrs()[0]!.toString();
  const peer = { peerId: server.peerId.toString(), addresses: [address] };
  const asker = await start(t, 'asker', [peer], { listen: [] });
  const frames = asker.request(peer.peerId, PROTOCOL, Buffer.from('?'), LIMITS);
  assert.equal(text((await frames.next()).value as Uint8Array), 'half an answer');
  await assert.rejects(frames.next(), { name: 'TransportError', code: 'truncated' });
  await client.stop();
});

test('defect 19: an exception in a message listener becomes an error of the reader', async (t) => {
  const { stream } = await streamPair(t, (s) => s.pause());
  const uncaught: unknown[] = [];
  const record = (error: unknown): number => uncaught.push(error);
  process.on('uncaughtException', record);
  t.after(() => process.off('uncaughtException', record));
  const inbound = reader(stream, 1);
  stream.pause = () => {
    throw new Error('cannot pause');
  };
  const next = inbound.next();
  stream.push(Buffer.from([200, 1, 0]));
  await assert.rejects(within(DEADLINE_MS, 'an error', next), { name: 'TransportError' });
  assert.deepEqual(uncaught, []);
});

for (const when of ['with the handshake', 'later'])
  test(`defect 20: protocol, request and FIN sent at once (${when}) are answered`, async (t) => {
    const server = await start(t, 'server', ['client']);
    const asked: string[] = [];
    await server.serve(PROTOCOL, {
      maxInboundStreams: 1,
      limits: SERVE_LIMITS,
      *handler(request) {
        asked.push(text(request));
        yield Buffer.from('answer');
      },
    });
    const peer = await RawPeer.dial(t, 'client', server.addresses()[0]!);
    // Refused, but only after everything before it was received.
    if (when === 'later') await assert.rejects(peer.connection.newStream('/unknown'));
    const hello = [negotiation('/multistream/1.0.0'), negotiation(PROTOCOL), Buffer.from([5]), Buffer.from('early')];
    // SYN and data in one frame, FIN in the next, nothing waited for.
    await peer.send(Buffer.concat([RawPeer.data(1001, Buffer.concat(hello), 1), RawPeer.header(1, 4, 1001, 0)]));
    await until('the request', () => asked.length > 0);
    assert.deepEqual(asked, ['early']);
  });
