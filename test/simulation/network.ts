/**
 * The network between simulated nodes: the transport's interface over links that delay, lose, repeat and part. What a frame
 * may be, how long it may take and who may ask is enforced as the real transport does it.
 */

import type { ServeOptions } from '../../src/transport/answer.ts';
import { TransportError } from '../../src/transport/errors.ts';
import type { RequestOptions } from '../../src/transport/request.ts';
import type { PeerListener, Route, Transport } from '../../src/transport/transport.ts';
import type { Chance } from './chance.ts';
import type { Platform } from './platform.ts';

/** What an answer becomes on its way out of a node that lies, or has a fault. */
export type Meddle = (
  protocol: string,
  frames: AsyncGenerator<Uint8Array>,
  asker: string,
) => AsyncGenerator<Uint8Array>;

export interface Weather {
  /** Of one message, ms. */
  minDelayMs: number;
  maxDelayMs: number;
  /** A message that never comes: its stream hangs until somebody gives up. */
  loss: number;
  /** A stream is reset in the middle. */
  reset: number;
  /** A request arrives twice. */
  repeat: number;
}

export interface NetworkOptions {
  readonly platform: Platform;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly onFault: (kind: string) => void;
  readonly trace: (line: string) => void;
}

const DIAL_TIMEOUT_MS = 10_000;
/** A request that came twice is answered twice, but not for ever. */
const REPEAT_MS = 1_000;
/** A link that is cut is noticed by the pings of the real transport after this. */
const NOTICED_AFTER_MS = 20_000;

export class Network {
  readonly options: NetworkOptions;
  readonly #nodes = new Map<string, MemoryTransport>();
  readonly #cut = new Set<string>();
  readonly #connections = new Set<string>();

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  open(peerId: string, allowed: (peerId: string) => boolean, dials: (peerId: string) => boolean): MemoryTransport {
    const transport = new MemoryTransport(this, peerId, allowed, dials);
    this.#nodes.set(peerId, transport);
    return transport;
  }

  find(peerId: string): MemoryTransport | undefined {
    return this.#nodes.get(peerId);
  }

  isCut(a: string, b: string): boolean {
    return this.#cut.has(pair(a, b));
  }

  cut(a: string, b: string): void {
    this.#cut.add(pair(a, b));
    this.options.platform.after(NOTICED_AFTER_MS, () => {
      if (this.isCut(a, b)) this.disconnect(a, b);
    });
  }

  heal(a: string, b: string): void {
    this.#cut.delete(pair(a, b));
  }

  healAll(): void {
    this.#cut.clear();
  }

  isConnected(a: string, b: string): boolean {
    return this.#connections.has(pair(a, b));
  }

  connect(a: MemoryTransport, b: MemoryTransport): void {
    if (this.isConnected(a.peerId, b.peerId)) return;
    this.#connections.add(pair(a.peerId, b.peerId));
    a.tell(b.peerId, 'connected');
    b.tell(a.peerId, 'connected');
  }

  disconnect(a: string, b: string): void {
    if (!this.#connections.delete(pair(a, b))) return;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const node = this.#nodes.get(one);
      node?.resetStreams(other);
      node?.tell(other, 'disconnected');
    }
  }

  leave(transport: MemoryTransport): void {
    if (this.#nodes.get(transport.peerId) === transport) this.#nodes.delete(transport.peerId);
    for (const other of [...this.#nodes.keys()]) this.disconnect(transport.peerId, other);
  }

  delay(): Promise<void> {
    const { chance, platform, weather } = this.options;
    const span = weather.maxDelayMs - weather.minDelayMs;
    // Most messages are quick; a few are very late, which is what reorders streams.
    const late = chance.isHit(0.05) ? span : span / 8;
    const ms = weather.minDelayMs + chance.unit() * late;
    return new Promise((resolve) => platform.after(ms, resolve));
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** A stream that one node has opened to another. */
interface OpenStream {
  readonly peer: string;
  readonly fail: (error: TransportError) => void;
}

export class MemoryTransport implements Transport {
  readonly peerId: string;
  /** Set for a node that lies. */
  meddle: Meddle | undefined;
  readonly #network: Network;
  readonly #allowed: (peerId: string) => boolean;
  readonly #dials: (peerId: string) => boolean;
  readonly #serving = new Map<string, ServeOptions>();
  readonly #listeners = new Set<PeerListener>();
  readonly #streams = new Set<OpenStream>();
  readonly #answering = new Map<string, number>();
  #isOver = false;

  constructor(
    network: Network,
    peerId: string,
    allowed: (peerId: string) => boolean,
    dials: (peerId: string) => boolean,
  ) {
    this.#network = network;
    this.peerId = peerId;
    this.#allowed = allowed;
    this.#dials = dials;
  }

  addresses(): string[] {
    return [`/memory/${this.peerId}`];
  }

  route(peerId: string): Route | null {
    return this.connected(peerId) ? { address: `/memory/${peerId}`, direction: 'outbound' } : null;
  }

  connected(peerId: string): boolean {
    return this.#network.isConnected(this.peerId, peerId);
  }

  async dial(peerId: string, signal?: AbortSignal): Promise<void> {
    const { platform } = this.#network.options;
    if (this.#isOver) throw new TransportError('closed', 'this node is gone');
    if (!this.#allowed(peerId)) throw new TransportError('forbidden', `${peerId} is not on our allow list`);
    if (this.connected(peerId)) return;
    if (!this.#dials(peerId)) throw new TransportError('bad_address', `no address of ${peerId}`);
    await this.#network.delay();
    const other = this.#network.find(peerId);
    if (this.#network.isCut(this.peerId, peerId)) {
      await new Promise<void>((resolve) => platform.after(DIAL_TIMEOUT_MS, resolve));
      throw new TransportError('timeout', `dialling ${peerId}`);
    }
    if (signal?.aborted === true) throw signal.reason;
    if (this.#isOver || other === undefined) throw new TransportError('dial_failed', `dialling ${peerId}: refused`);
    if (!other.allows(this.peerId)) throw new TransportError('refused', `${peerId} does not let us in`);
    this.#network.connect(this, other);
  }

  async *request(
    peerId: string,
    protocol: string,
    body: Uint8Array,
    options: RequestOptions,
  ): AsyncGenerator<Uint8Array> {
    const { signal } = options;
    signal?.throwIfAborted();
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    const gone = new AbortController();
    // Who answers is told too, also while nobody reads: a process that has died reads nothing any more.
    const fail = (error: TransportError): void => {
      failed.reject(error);
      gone.abort(error);
    };
    const stream = { peer: peerId, fail };
    const { platform } = this.#network.options;
    const timeout = (what: string) => (): void => failed.reject(new TransportError('timeout', what));
    let idle = platform.after(options.idleMs, timeout('no whole frame'));
    const total = options.totalMs === undefined ? null : platform.after(options.totalMs, timeout('not finished'));
    const onAbort = (): void => failed.reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#streams.add(stream);
    const frames = this.#open(peerId, protocol, body.slice(), gone);
    try {
      await Promise.race([this.dial(peerId, signal), failed.promise]);
      for (;;) {
        const next = await Promise.race([frames.next(), failed.promise]);
        if (next.done === true) return;
        if (next.value.byteLength > options.maxFrameBytes)
          throw new TransportError('frame_too_large', `a frame of ${next.value.byteLength} bytes`);
        idle.clear();
        yield next.value;
        idle = platform.after(options.idleMs, timeout('no whole frame'));
      }
    } finally {
      idle.clear();
      total?.clear();
      signal?.removeEventListener('abort', onAbort);
      this.#streams.delete(stream);
      gone.abort(new TransportError('closed', 'the request was given up'));
      frames.return(undefined).catch(() => {});
    }
  }

  async serve(protocol: string, options: ServeOptions): Promise<void> {
    this.#serving.set(protocol, options);
  }

  refreshAllowed(): void {}

  subscribe(listener: PeerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.end();
  }

  /** Nothing comes in or goes out any more. */
  end(): void {
    if (this.#isOver) return;
    this.#network.leave(this);
    this.#isOver = true;
    for (const { fail } of this.#streams) fail(new TransportError('closed', 'this node is gone'));
    this.#streams.clear();
    this.#listeners.clear();
  }

  allows(peerId: string): boolean {
    return !this.#isOver && this.#allowed(peerId);
  }

  tell(peerId: string, change: 'connected' | 'disconnected'): void {
    if (!this.#isOver) for (const listener of this.#listeners) listener(peerId, change);
  }

  resetStreams(peerId: string): void {
    for (const stream of this.#streams)
      if (stream.peer === peerId) stream.fail(new TransportError('reset', 'the connection is lost'));
  }

  async *#open(peerId: string, protocol: string, body: Uint8Array, gone: AbortController): AsyncGenerator<Uint8Array> {
    const { chance, platform, weather, onFault } = this.#network.options;
    await this.#carry(peerId, gone.signal);
    const other = this.#network.find(peerId);
    if (other === undefined) throw new TransportError('reset', 'the peer is gone');
    if (chance.isHit(weather.repeat)) {
      onFault('repeat');
      const brief = new AbortController();
      platform.after(REPEAT_MS, () => brief.abort(new TransportError('closed', 'nobody reads it')));
      void drain(other.#answer(protocol, body.slice(), this.peerId, brief), brief.signal);
    }
    for await (const frame of other.#answer(protocol, body, this.peerId, gone)) {
      if (other.#isOver) throw new TransportError('reset', 'the peer is gone');
      await this.#carry(peerId, gone.signal);
      this.#network.options.trace(`${protocol} ${frame.byteLength}`);
      yield frame.slice();
    }
  }

  /** One message on its way, whichever direction. */
  async #carry(peerId: string, gone: AbortSignal): Promise<void> {
    const { chance, weather, onFault } = this.#network.options;
    await this.#network.delay();
    if (chance.isHit(weather.reset)) {
      onFault('reset');
      throw new TransportError('reset', 'the stream was reset');
    }
    if (chance.isHit(weather.loss)) {
      onFault('loss');
      await never(gone);
    }
    if (this.#network.isCut(this.peerId, peerId)) await never(gone);
  }

  async *#answer(protocol: string, body: Uint8Array, from: string, gone: AbortController): AsyncGenerator<Uint8Array> {
    const serving = this.#serving.get(protocol);
    if (serving === undefined) throw new TransportError('unsupported_protocol', protocol);
    if (body.byteLength > serving.limits.maxRequestBytes) throw new TransportError('reset', 'too large a request');
    const key = `${from} ${protocol}`;
    const open = this.#answering.get(key) ?? 0;
    if (open >= serving.maxInboundStreams) throw new TransportError('reset', 'too many streams');
    this.#answering.set(key, open + 1);
    let isCounted = true;
    const release = (): void => {
      if (isCounted) this.#answering.set(key, (this.#answering.get(key) ?? 1) - 1);
      isCounted = false;
    };
    gone.signal.addEventListener('abort', release, { once: true });
    try {
      const frames = handled(serving, body, { peerId: from, remoteAddr: `/memory/${from}`, signal: gone.signal });
      yield* this.meddle === undefined ? frames : this.meddle(protocol, frames, from);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const reset = new TransportError('reset', failure.message, failure);
      serving.onError?.(reset, from);
      throw reset;
    } finally {
      release();
    }
  }
}

/** Pending until the stream is given up. */
function never(gone: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (gone.aborted) reject(gone.reason);
    gone.addEventListener('abort', () => reject(gone.reason), { once: true });
  });
}

async function* handled(
  { handler }: ServeOptions,
  body: Uint8Array,
  context: Parameters<ServeOptions['handler']>[1],
): AsyncGenerator<Uint8Array> {
  for await (const frame of handler(body, context)) yield frame;
}

async function drain(frames: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  try {
    for await (const _frame of frames) if (signal.aborted) return;
  } catch {
    // Nobody waits for it.
  }
}
