import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { noise } from '@chainsafe/libp2p-noise';
import type { Connection, Libp2p, MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { FrameReader, writeFrame } from '../../../src/transport/frames.ts';
import { guardedYamux } from '../../../src/transport/guard.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { DEFAULT_GUARD_LIMITS } from '../../../src/transport/limits.ts';
import { createTransport, type TransportOptions } from '../../../src/transport/node.ts';
import type { AllowedPeer } from '../../../src/transport/peers.ts';
import type { Transport } from '../../../src/transport/transport.ts';

export const DEADLINE_MS: number = 60_000;
const LOOK_EVERY_MS = 2;
export const PROTOCOL = '/test/pull/1.0.0';
export const LOCAL = '/ip4/127.0.0.1/tcp/0';
export const LIMITS = { idleMs: 5_000, totalMs: 20_000, maxFrameBytes: 4_194_304 };
export const SERVE_LIMITS = { idleMs: 5_000, totalMs: 20_000, maxRequestBytes: 16_384 };

export const seedOf = (name: string): Buffer => createHash('sha256').update(name).digest();
export const peerIdOfName = async (name: string): Promise<string> => (await identityFromSeed(seedOf(name))).peerId;
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** Resolves when the condition holds; fails after `ms`: only a test that fails waits so long. */
export async function until(what: string, condition: () => boolean, ms: number = DEADLINE_MS): Promise<void> {
  const endMs = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Fails if the promise is not settled after `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A transport that is stopped at the end of the test. `peers`: names or entries of its allow list. */
export async function start(
  t: TestContext,
  name: string,
  peers: readonly (string | AllowedPeer)[],
  options: Partial<TransportOptions> = {},
): Promise<Transport> {
  const allowed = await Promise.all(
    peers.map(async (peer) => (typeof peer === 'string' ? { peerId: await peerIdOfName(peer), addresses: [] } : peer)),
  );
  const transport = await createTransport({ seed: seedOf(name), listen: [LOCAL], allowed: () => allowed, ...options });
  t.after(() => transport.stop({ graceMs: 0 }));
  return transport;
}

export const entry = (transport: Transport): AllowedPeer => ({
  peerId: transport.peerId,
  addresses: transport.addresses(),
});

/** `server` allows `client`, and `client` knows where it is. */
export async function startTwo(
  t: TestContext,
  serverOptions: Partial<TransportOptions> = {},
  clientOptions: Partial<TransportOptions> = {},
): Promise<{ server: Transport; client: Transport }> {
  const server = await start(t, 'server', ['client'], serverOptions);
  const client = await start(t, 'client', [entry(server)], { listen: [], ...clientOptions });
  return { server, client };
}

export async function collect(frames: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}

const QUIET: Libp2pOptions = {
  connectionMonitor: { enabled: false },
  connectionManager: { inboundConnectionThreshold: 1_000 },
};

async function bare(t: TestContext, listen: string[], muxer: () => StreamMuxerFactory): Promise<Libp2p> {
  const node = await createLibp2p({
    ...QUIET,
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
  });
  t.after(() => node.stop());
  return node;
}

export interface StreamPair {
  /** The dialler's end. */
  readonly stream: Stream;
  readonly connection: Connection;
  readonly server: Libp2p;
  readonly client: Libp2p;
  /** Goes to the other side and back over another stream: everything sent before has been received then. */
  roundTrip(): Promise<void>;
}

/** One stream between two bare nodes with our multiplexer; the listener's end is given to `onStream` at once. */
export async function streamPair(t: TestContext, onStream: (stream: Stream) => void): Promise<StreamPair> {
  const muxer = guardedYamux(DEFAULT_GUARD_LIMITS, (what) => t.diagnostic(`guard: ${what}`));
  const server = await bare(t, [LOCAL], muxer);
  const client = await bare(t, [], muxer);
  await server.handle('/t', onStream);
  await server.handle('/echo', async (stream) => {
    const frame = await new FrameReader(stream, { maxFrameBytes: 100 }).next();
    await writeFrame(stream, frame ?? Buffer.alloc(0));
    await stream.close();
  });
  const connection = await client.dial(server.getMultiaddrs());
  const stream = await connection.newStream('/t');
  const roundTrip = async (): Promise<void> => {
    const echo = await connection.newStream('/echo');
    const reader = new FrameReader(echo, { maxFrameBytes: 100 });
    await writeFrame(echo, Buffer.from('?'));
    await reader.next();
    await echo.close();
  };
  return { stream, connection, server, client, roundTrip };
}

const PING = 2;
const WINDOW_UPDATE = 1;

/** An allowed peer that speaks raw yamux, bad manners included. */
export class RawPeer {
  readonly node: Libp2p;
  readonly connection: Connection;
  readonly #raw: MessageStream;

  private constructor(node: Libp2p, connection: Connection, raw: MessageStream) {
    this.node = node;
    this.connection = connection;
    this.#raw = raw;
  }

  /** @param who a name, or the seed of an identity */
  static async dial(t: Pick<TestContext, 'after'>, who: string | Uint8Array, address: string): Promise<RawPeer> {
    let raw: MessageStream | undefined;
    const { privateKey } = await identityFromSeed(typeof who === 'string' ? seedOf(who) : who);
    const factory = (): StreamMuxerFactory => {
      const inner: StreamMuxerFactory = yamux({ enableKeepAlive: false })();
      return {
        protocol: inner.protocol,
        createStreamMuxer(connection): StreamMuxer {
          raw = connection;
          return inner.createStreamMuxer(connection);
        },
      };
    };
    const node = await createLibp2p({
      ...QUIET,
      privateKey,
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [factory],
    });
    t.after(() => node.stop());
    const connection = await node.dial(multiaddr(address));
    return new RawPeer(node, connection, raw!);
  }

  get open(): boolean {
    return this.#raw.status === 'open';
  }

  static header(type: number, flags: number, streamId: number, length: number): Buffer {
    const header = Buffer.alloc(12);
    header[1] = type;
    header.writeUInt16BE(flags, 2);
    header.writeUInt32BE(streamId, 4);
    header.writeUInt32BE(length, 8);
    return header;
  }

  static data(streamId: number, body: Uint8Array, flags = 0): Buffer {
    return Buffer.concat([RawPeer.header(0, flags, streamId, body.byteLength), body]);
  }

  static pings(count: number): Buffer {
    return Buffer.concat(Array.from({ length: count }, (_, i) => RawPeer.header(PING, 1, 0, i)));
  }

  /** SYN of streams `first`, `first + 2`, …, each followed by RST if `reset`. */
  static streams(first: number, count: number, reset: boolean): Buffer {
    const frames: Buffer[] = [];
    for (let id = first; id < first + 2 * count; id += 2) {
      frames.push(RawPeer.header(WINDOW_UPDATE, 1, id, 0));
      if (reset) frames.push(RawPeer.header(WINDOW_UPDATE, 8, id, 0));
    }
    return Buffer.concat(frames);
  }

  /** Sends bytes as they are; false once the other side has closed the connection. */
  async send(bytes: Uint8Array): Promise<boolean> {
    if (!this.open) return false;
    try {
      if (this.#raw.send(bytes)) return this.open;
    } catch {
      return false;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#raw.addEventListener('drain', () => resolve(), { once: true });
    this.#raw.addEventListener('close', () => resolve(), { once: true });
    await promise;
    return this.open;
  }

  /** Says that nothing more comes; the socket stays. */
  endSending(): void {
    const { maConn } = this.connection as unknown as { maConn: { socket: Socket } };
    maConn.socket.end();
  }

  /** From now on nothing that the other side sends is read from the socket. */
  stopReading(): void {
    this.#raw.pause();
    // The encrypted stream goes on reading the socket; only the socket itself can be left unread.
    const { maConn } = this.connection as unknown as { maConn: { pause(): void } };
    maConn.pause();
  }
}

/** Multistream-select's text message. */
export const negotiation = (line: string): Buffer =>
  Buffer.concat([Buffer.from([line.length + 1]), Buffer.from(`${line}\n`)]);
