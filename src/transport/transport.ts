import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { untraced } from '../observe/trace.ts';
import { Answerer, type ServeOptions } from './answer.ts';
import { deadline } from './deadline.ts';
import type { DialRule } from './dial-rule.ts';
import { TransportError, toError } from './errors.ts';
import type { Gate } from './gate.ts';
import type { TransportLimits } from './limits.ts';
import { type AllowedPeer, type AllowedPeers, dialAddresses, findAllowed } from './peers.ts';
import { type RequestOptions, request } from './request.ts';

/** Told when the first connection to a peer has opened or the last one has closed. */
export type PeerListener = (peerId: string, change: 'connected' | 'disconnected') => void;

/** The other end of a connection, and who opened it. */
export interface Route {
  /** Multiaddr. */
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
}

/** Bytes to and from allowed peers. Knows nothing of what the bytes mean. */
export interface Transport {
  /** Our own, `12D3Koo…` */
  readonly peerId: string;
  /** The multiaddrs we are reachable at, each ending in our peer id. */
  addresses(): string[];
  connected(peerId: string): boolean;
  /** How the newest open connection to a peer came about; null: there is none. */
  route(peerId: string): Route | null;
  /**
   * Opens a connection unless there is one. Success does not mean that the peer lets us in: it decides a moment later.
   *
   * @throws TransportError `forbidden`, `bad_address`, `dial_failed`, `timeout`; the signal's reason
   */
  dial(peerId: string, signal?: AbortSignal): Promise<void>;
  /**
   * Asks a peer over an open connection, or dials it. Yields the frames of the answer; leaving the loop gives it up.
   *
   * @throws TransportError as dial(), and `refused`, `unsupported_protocol`, `busy`, `reset`, `truncated`, `closed`,
   *   `frame_too_large`, `frame_malformed`
   */
  request(peerId: string, protocol: string, body: Uint8Array, options: RequestOptions): AsyncGenerator<Uint8Array>;
  /** Answers requests of this protocol until stop(). Once per protocol. */
  serve(protocol: string, options: ServeOptions): Promise<void>;
  /** Cuts the connections of peers that are no longer allowed. */
  refreshAllowed(): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: PeerListener): () => void;
  /** Takes nothing new, gives what is being answered `graceMs` to finish, then closes everything. */
  stop(options: { readonly graceMs: number }): Promise<void>;
}

export class Libp2pTransport implements Transport {
  readonly peerId: string;
  readonly #node: Libp2p;
  readonly #gate: Gate;
  readonly #dialRule: DialRule;
  readonly #allowed: AllowedPeers;
  readonly #limits: TransportLimits;
  readonly #answerers = new Map<string, Answerer>();
  readonly #connect = (peerId: string, signal: AbortSignal): Promise<Connection> => this.#connection(peerId, signal);

  constructor(
    node: Libp2p,
    { gate, dialRule }: { readonly gate: Gate; readonly dialRule: DialRule },
    allowed: AllowedPeers,
    limits: TransportLimits,
  ) {
    this.peerId = node.peerId.toString();
    this.#node = node;
    this.#gate = gate;
    this.#dialRule = dialRule;
    this.#allowed = allowed;
    this.#limits = limits;
  }

  addresses(): string[] {
    return this.#node.getMultiaddrs().map((address) => address.toString());
  }

  connected(peerId: string): boolean {
    return this.#newestConnection(peerId) !== undefined;
  }

  route(peerId: string): Route | null {
    const connection = this.#newestConnection(peerId);
    if (connection === undefined) return null;
    return { address: connection.remoteAddr.toString(), direction: connection.direction };
  }

  async dial(peerId: string, signal?: AbortSignal): Promise<void> {
    const limit = deadline(this.#limits.dialTimeoutMs, `dialling ${peerId}`, signal);
    try {
      await this.#connection(peerId, limit.signal);
    } finally {
      limit.clear();
    }
  }

  request(peerId: string, protocol: string, body: Uint8Array, options: RequestOptions): AsyncGenerator<Uint8Array> {
    return request(this.#connect, peerId, protocol, body, options);
  }

  async serve(protocol: string, options: ServeOptions): Promise<void> {
    const isAllowed = (peerId: string): boolean => {
      const peer = findAllowed(this.#allowed, peerId);
      return peer !== undefined && (peer.only === undefined || peer.only === protocol);
    };
    const answerer = new Answerer(protocol, options, isAllowed);
    // No middleware, ever: the library appends the handler to a shared list at each stream and calls it that often.
    await this.#node.handle(protocol, answerer.onStream, { maxInboundStreams: options.maxInboundStreams });
    this.#answerers.set(protocol, answerer);
  }

  refreshAllowed(): void {
    for (const connection of this.#node.getConnections()) {
      if (findAllowed(this.#allowed, connection.remotePeer.toString()) === undefined)
        connection.abort(new TransportError('forbidden', 'the peer was removed from our allow list'));
    }
  }

  subscribe(listener: PeerListener): () => void {
    // Not 'peer:connect' and 'peer:disconnect': they follow the library's list, which may keep a closed connection.
    const openTo = (peer: PeerId): number => this.#openConnections(peer).length;
    const onOpen = ({ detail }: CustomEvent<Connection>): void => {
      if (openTo(detail.remotePeer) === 1) listener(detail.remotePeer.toString(), 'connected');
    };
    const onClose = ({ detail }: CustomEvent<Connection>): void => {
      if (openTo(detail.remotePeer) === 0) listener(detail.remotePeer.toString(), 'disconnected');
    };
    this.#node.addEventListener('connection:open', onOpen);
    this.#node.addEventListener('connection:close', onClose);
    return () => {
      this.#node.removeEventListener('connection:open', onOpen);
      this.#node.removeEventListener('connection:close', onClose);
    };
  }

  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#gate.close();
    await this.#node.unhandle([...this.#answerers.keys()]);
    await this.#answeredWithin(graceMs);
    for (const answerer of this.#answerers.values())
      answerer.abort(new TransportError('closed', 'this node is stopping'));
    await this.#node.stop();
  }

  async #answeredWithin(graceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, graceMs);
    const answered = Promise.all([...this.#answerers.values()].map((answerer) => answerer.idle()));
    await Promise.race([answered, promise]);
    clearTimeout(timer);
  }

  /** The newest open connection, or a new one to the peer's configured addresses. */
  async #connection(peerId: string, signal: AbortSignal): Promise<Connection> {
    const peer = findAllowed(this.#allowed, peerId);
    if (peer === undefined) throw new TransportError('forbidden', `${peerId} is not on our allow list`);
    const open = this.#newestConnection(peerId);
    if (open !== undefined) return open;
    if (peer.addresses.length === 0)
      throw new TransportError('bad_address', `${peerId} is not connected and no address is configured to dial it`);
    try {
      // Addresses, not the peer id: the library's own address book forgets.
      // The connection outlives who needed it first, and carries what others ask of us.
      return await untraced(() => this.#node.dial(this.#dialled(peer), { signal }));
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw dialError(thrown, peerId, peer.addresses);
    }
  }

  /** @throws TransportError `forbidden` when none of the addresses may be dialled */
  #dialled(peer: AllowedPeer): Multiaddr[] {
    const judged = dialAddresses(peer).map((address) => ({ address, fault: this.#dialRule.fault(address) }));
    const open = judged.filter(({ fault }) => fault === null);
    const [first] = judged;
    if (open.length === 0 && first?.fault != null)
      throw new TransportError('forbidden', `dialling ${peer.peerId}: ${first.fault.message}`, first.fault);
    return open.map(({ address }) => address);
  }

  #newestConnection(peerId: string): Connection | undefined {
    const open = this.#openConnections(peerIdFromString(peerId));
    return open.toSorted((a, b) => b.timeline.open - a.timeline.open)[0];
  }

  #openConnections(peer: PeerId): Connection[] {
    return this.#node.getConnections(peer).filter(({ status }) => status === 'open');
  }
}

function dialError(thrown: unknown, peerId: string, addresses: readonly string[]): TransportError {
  const known = toError(thrown, `dialling ${peerId}`);
  if (known.code !== 'closed' && known.code !== 'reset') return known;
  const reasons = thrown instanceof AggregateError ? thrown.errors.map(String).join('; ') : known.message;
  const message = `dialling ${peerId} at ${addresses.join(', ')}: ${reasons}; is it up, and is the address right?`;
  return new TransportError('dial_failed', message, thrown);
}
