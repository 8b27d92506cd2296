/** Defects of libp2p's connections that a daemon must not have, and who gets in. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransportError } from '../../../src/transport/errors.ts';
import type { Refusal } from '../../../src/transport/gate.ts';
import { DEFAULT_GUARD_LIMITS, DEFAULT_TRANSPORT_LIMITS } from '../../../src/transport/limits.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import {
  collect,
  DEADLINE_MS,
  entry,
  LIMITS,
  negotiation,
  PROTOCOL,
  RawPeer,
  SERVE_LIMITS,
  start,
  startTwo,
  text,
  until,
  within,
} from './harness.ts';

const echo = { maxInboundStreams: 4, limits: SERVE_LIMITS, handler: (request: Uint8Array) => [request] };
const HELLO = Buffer.from('hello');
const UNLIMITED = { controlPerSecond: 1e9, controlBurst: 1e9, framesPerSecond: 1e9, framesBurst: 1e9 };
const portOf = (transport: Transport): number => Number(/tcp\/(\d+)/.exec(transport.addresses()[0]!)?.[1]);

/** Of this process, connected ones. */
const openSockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

async function ask(from: Transport, to: Transport): Promise<string> {
  const [answer] = await collect(from.request(to.peerId, PROTOCOL, HELLO, LIMITS));
  return text(answer!);
}

/** An attacker connected to a server, and what the server reported of it. */
async function attacked(
  t: TestContext,
  guard = {},
): Promise<{ peer: RawPeer; errors: TransportError[]; server: Transport }> {
  const errors: TransportError[] = [];
  const limits = { guard: { ...DEFAULT_GUARD_LIMITS, ...guard } };
  const server = await start(t, 'server', ['evil', 'good'], { limits, onError: (error) => errors.push(error) });
  await server.serve(PROTOCOL, echo);
  return { server, errors, peer: await RawPeer.dial(t, 'evil', server.addresses()[0]!) };
}

test('defect 9: a yamux frame that claims 4 GiB ends the connection at its header', async (t) => {
  const { peer, errors } = await attacked(t);
  await peer.send(RawPeer.header(0, 0, 1001, 0xffffffff));
  await until('the end of the connection', () => !peer.open);
  assert.deepEqual(
    errors.map((e) => e.code),
    ['refused'],
  );
  assert.match(errors[0]!.message, /4294967295 bytes/);
});

test('defect 9: a header cut into single bytes is judged all the same', async (t) => {
  const { peer, errors } = await attacked(t);
  for (const byte of RawPeer.header(0, 0, 1001, DEFAULT_GUARD_LIMITS.windowBytes + 1))
    await peer.send(Buffer.from([byte]));
  await until('the end of the connection', () => !peer.open);
  assert.match(errors[0]!.message, /a data frame of 1048577 bytes/);
});

test('defect 10: pings above the limit end the connection', async (t) => {
  const { peer, errors } = await attacked(t);
  await peer.send(RawPeer.pings(1_000));
  await until('the end of the connection', () => !peer.open);
  assert.match(errors[0]!.message, /pings/);
});

test('defect 10: what we owe a peer that does not read is bounded', async (t) => {
  const { peer, server } = await attacked(t, { ...UNLIMITED, maxUnsentBytes: 64 << 10 });
  const isIn = (): boolean => server.connected(peer.node.peerId.toString());
  await until('the attacker is in', isIn);
  peer.stopReading();
  const batch = RawPeer.pings(20_000);
  for (let i = 0; i < 100 && isIn(); i++) await within(30_000, 'the server reads', peer.send(batch));
  await until('the end of the connection', () => !isIn());
});

test('defect 11: opening and resetting streams above the limit ends the connection', async (t) => {
  const { peer, errors } = await attacked(t);
  await peer.send(RawPeer.streams(1001, 1_000, true));
  await until('the end of the connection', () => !peer.open);
  assert.match(errors[0]!.message, /new streams/);
});

test('defect 12: silent sockets of one source do not lock others out', async (t) => {
  const refused: Refusal[] = [];
  const limits = { ...DEFAULT_TRANSPORT_LIMITS, upgradeTimeoutMs: 10_000, maxInboundPerSecond: 1_000 };
  const { server, client } = await startTwo(t, { limits, onRefused: (refusal) => refused.push(refusal) });
  await server.serve(PROTOCOL, echo);
  let closed = 0;
  const sockets = Array.from({ length: 120 }, () => {
    const socket = net.connect({ port: portOf(server), host: '127.0.0.1', localAddress: '127.0.0.2' });
    return socket.on('error', () => {}).on('close', () => closed++);
  });
  t.after(() => sockets.map((socket) => socket.destroy()));
  await until('refusals', () => refused.length >= 112);
  assert.equal(await within(9_000, 'a good peer', ask(client, server)), 'hello');
  assert.deepEqual(new Set(refused.map((r) => r.reason)), new Set(['too_many_pending']));
  assert.match(refused[0]!.remoteAddr, /^\/ip4\/127\.0\.0\.2\/tcp\//);
  await until('the silent ones are thrown out', () => closed === 120);
});

test('defect 14: an hour after the first contact a lost connection is made again', async (t) => {
  const server = await start(t, 'server', ['client']);
  const addresses = server.addresses();
  const client = await start(t, 'client', [entry(server)], { listen: [] });
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await client.dial(server.peerId);
  t.mock.timers.tick(2 * 3_600_000);
  await server.stop({ graceMs: 0 });
  await until('the loss', () => !client.connected(server.peerId));
  const listen = [addresses[0]!.replace(/\/p2p.*/, '')];
  const restarted = await start(t, 'server', ['client'], { listen });
  await restarted.serve(PROTOCOL, echo);
  assert.equal(await ask(client, restarted), 'hello');
});

test('defect 15: a peer that answers pings late stays connected, a dead one does not', async (t) => {
  const limits = { pingIntervalMs: 3_300, pingTimeoutMs: 3_000 };
  const server = await start(t, 'server', ['evil'], { limits });
  const peer = await RawPeer.dial(t, 'evil', server.addresses()[0]!);
  let pings = 0;
  await peer.node.handle('/ipfs/ping/1.0.0', async (stream) => {
    pings++;
    // Late is one event-loop stall; from the third on the peer is dead.
    if (pings <= 2) {
      await new Promise((resolve) => setTimeout(resolve, 350));
      stream.addEventListener('message', ({ data }) => stream.send(data));
    }
  });
  const id = peer.node.peerId.toString();
  await until('two pings', () => pings >= 3);
  assert.equal(server.connected(id), true);
  await until('the end of the connection', () => !server.connected(id));
  assert.ok(DEFAULT_TRANSPORT_LIMITS.pingIntervalMs > DEFAULT_TRANSPORT_LIMITS.pingTimeoutMs);
  assert.ok(DEFAULT_TRANSPORT_LIMITS.pingTimeoutMs >= 20_000, 'longer than any stall of an honest peer');
});

test('defect 16: five requests call the handler five times', async (t) => {
  const { server, client } = await startTwo(t);
  let calls = 0;
  const errors: TransportError[] = [];
  const handler = (request: Uint8Array): Uint8Array[] => {
    calls++;
    return [request];
  };
  await server.serve(PROTOCOL, { ...echo, handler, onError: (error) => errors.push(error) });
  for (let i = 0; i < 5; i++) await ask(client, server);
  assert.equal(calls, 5);
  assert.deepEqual(errors, []);
});

test('tiny data frames above the limit end the connection', async (t) => {
  const { peer, errors } = await attacked(t);
  await peer.send(Buffer.concat(Array.from({ length: 5_000 }, () => RawPeer.data(1001, Buffer.from('x')))));
  await until('the end of the connection', () => !peer.open);
  assert.match(errors[0]!.message, /tiny/);
});

test('a stranger is refused after its key is proved, and reported with it', async (t) => {
  const refused: Refusal[] = [];
  const server = await start(t, 'server', ['client'], { onRefused: (refusal) => refused.push(refusal) });
  const stranger = await start(t, 'stranger', [entry(server)], { listen: [] });
  await assert.rejects(ask(stranger, server), { name: 'TransportError', code: 'refused' });
  assert.deepEqual(
    refused.map(({ peerId, reason }) => ({ peerId, reason })),
    [{ peerId: stranger.peerId, reason: 'unknown_peer' }],
  );
});

test('one peer gets three connections, not more', async (t) => {
  const refused: Refusal[] = [];
  const server = await start(t, 'server', ['client'], { onRefused: (refusal) => refused.push(refusal) });
  const peers = [];
  for (let i = 0; i < 3; i++) peers.push(await RawPeer.dial(t, 'client', server.addresses()[0]!));
  const fourth = await RawPeer.dial(t, 'client', server.addresses()[0]!).catch(() => undefined);
  await until('the refusal', () => refused.length === 1);
  await until('the end of the fourth', () => fourth?.open !== true);
  assert.equal(refused[0]?.reason, 'too_many_connections');
  assert.deepEqual(
    peers.map((peer) => peer.open),
    [true, true, true],
  );
  await peers[0]?.node.stop();
  const next = await RawPeer.dial(t, 'client', server.addresses()[0]!);
  await assert.rejects(next.connection.newStream('/unknown'), { name: 'UnsupportedProtocolError' });
});

test('streams of one protocol are counted per peer, not per connection', async (t) => {
  const server = await start(t, 'server', ['client']);
  const errors: TransportError[] = [];
  let open = 0;
  await server.serve(PROTOCOL, {
    ...echo,
    maxInboundStreams: 2,
    async *handler(request, { signal }) {
      open++;
      yield request;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    onError: (error) => errors.push(error),
  });
  for (let i = 0; i < 2; i++) {
    const peer = await RawPeer.dial(t, 'client', server.addresses()[0]!);
    for (let k = 0; k < 2; k++) {
      const stream = await peer.connection.newStream(PROTOCOL);
      try {
        stream.send(Buffer.from([1, 65]));
        await stream.close();
      } catch {
        // refused already
      }
    }
  }
  await until('two refusals', () => errors.length === 2);
  assert.deepEqual(
    errors.map((e) => e.code),
    ['busy', 'busy'],
  );
  assert.equal(open, 2);
});

test('a peer that ends its side and reads nothing keeps no socket, and does not hold up the stop', async (t) => {
  const server = await start(t, 'server', ['evil']);
  let given = 0;
  await server.serve(PROTOCOL, {
    maxInboundStreams: 8,
    limits: SERVE_LIMITS,
    *handler() {
      for (; given < 1_000; given++) yield Buffer.alloc(300_000);
    },
  });
  const peer = await RawPeer.dial(t, 'evil', server.addresses()[0]!);
  peer.stopReading();
  const hello = Buffer.concat([negotiation('/multistream/1.0.0'), negotiation(PROTOCOL), Buffer.from([2, 0x7b, 0x7d])]);
  await peer.send(Buffer.concat([RawPeer.data(1001, hello, 1), RawPeer.header(1, 4, 1001, 0)]));
  for (let i = 0; i < 60; i++) await peer.send(RawPeer.header(1, 0, 1001, 1 << 20));
  // Until what the system takes for the peer is full, and the next of it waits in this process.
  for (let before = -1; given === 0 || given !== before; ) {
    before = given;
    await sleep(300);
  }
  peer.endSending();
  await until('it counts as closed', () => !server.connected(peer.node.peerId.toString()));
  assert.equal(openSockets(), 2, 'both ends of it are there');
  await until('the socket of the server is gone', () => openSockets() === 1);
  await within(DEADLINE_MS, 'the stop', server.stop({ graceMs: 0 }));
});
