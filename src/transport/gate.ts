/**
 * Who gets in. Strangers are refused as soon as Noise has proved who they are and before a multiplexer exists, so they
 * never reach a protocol; sockets that prove nothing are few per source, or ten silent ones would lock everybody out.
 */
import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { DialRule } from './dial-rule.ts';
import type { TransportLimits } from './limits.ts';
import { endWithConnection } from './lingering.ts';
import { type AllowedPeers, findAllowed, samePlace } from './peers.ts';

export type RefusalReason = 'unknown_peer' | 'too_many_pending' | 'too_many_connections';

/** One refused inbound connection. The caller limits how often it writes these down: strangers can make many. */
export interface Refusal {
  readonly remoteAddr: string;
  /** Absent while the peer has not proved its key. */
  readonly peerId?: string;
  readonly reason: RefusalReason;
}

export interface GateOptions {
  readonly allowed: AllowedPeers;
  readonly dialRule: Pick<DialRule, 'fault'>;
  readonly limits: Pick<TransportLimits, 'maxPending' | 'maxPendingPerSource' | 'maxConnectionsPerPeer'>;
  readonly onRefused: (refusal: Refusal) => void;
}

const CODE_IP4 = 4;
const CODE_IP6 = 41;

/** Members that come and go, counted by key. */
class Tally {
  readonly #counts = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Counts one in; the returned function counts it out, once. */
  enter(key: string): () => void {
    let counted = true;
    this.#counts.set(key, this.of(key) + 1);
    this.#total++;
    return () => {
      if (!counted) return;
      counted = false;
      this.#total--;
      const left = this.of(key) - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    };
  }
}

/** The hooks that libp2p calls for every connection; `true` denies. */
export class Gate implements ConnectionGater {
  readonly #options: GateOptions;
  readonly #pending = new Tally();
  readonly #perPeer = new Tally();
  readonly #provedKey = new WeakMap<MultiaddrConnection, () => void>();
  #closed = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** From now on nobody gets in: a peer that dials again while we stop would keep the process alive. */
  close(): void {
    this.#closed = true;
  }

  // Arrow functions: libp2p takes some of the hooks off the object before it calls them.
  readonly denyDialPeer = (peer: PeerId): boolean => this.#isStranger(peer);
  readonly denyDialMultiaddr = (address: Multiaddr): boolean => this.#options.dialRule.fault(address) !== null;
  readonly denyOutboundEncryptedConnection = (peer: PeerId, connection: MultiaddrConnection): boolean => {
    if (this.#closed || this.#isStranger(peer)) return true;
    this.#countPeer(peer.toString(), connection);
    endWithConnection(connection);
    return false;
  };

  /** Before any cryptography: how many sockets of this source are still unproved? */
  readonly denyInboundConnection = (connection: MultiaddrConnection): boolean => {
    if (this.#closed) return true;
    const { limits } = this.#options;
    const source = sourceOf(connection);
    if (this.#pending.of(source) >= limits.maxPendingPerSource || this.#pending.total >= limits.maxPending)
      return this.#refuse(connection, 'too_many_pending');
    const leave = this.#pending.enter(source);
    connection.addEventListener('close', leave, { once: true });
    endWithConnection(connection);
    this.#provedKey.set(connection, leave);
    return false;
  };

  /** After Noise: the peer id is proved. */
  readonly denyInboundEncryptedConnection = (peer: PeerId, connection: MultiaddrConnection): boolean => {
    this.#provedKey.get(connection)?.();
    if (this.#closed) return true;
    if (this.#isStranger(peer)) return this.#refuse(connection, 'unknown_peer', peer);
    if (this.#perPeer.of(peer.toString()) >= this.#options.limits.maxConnectionsPerPeer)
      return this.#refuse(connection, 'too_many_connections', peer);
    this.#countPeer(peer.toString(), connection);
    return false;
  };

  /** Only configured addresses get into the peer store, whatever a peer says of itself. */
  readonly filterMultiaddrForPeer: NonNullable<ConnectionGater['filterMultiaddrForPeer']> = (peer, address) =>
    findAllowed(this.#options.allowed, peer.toString())?.addresses.some((text) => samePlace(text, address)) ?? false;

  #isStranger(peer: PeerId): boolean {
    return findAllowed(this.#options.allowed, peer.toString()) === undefined;
  }

  /** Counted here, not from the list of open connections: one may hang between its key and its multiplexer. */
  #countPeer(peerId: string, connection: MultiaddrConnection): void {
    connection.addEventListener('close', this.#perPeer.enter(peerId), { once: true });
  }

  #refuse(connection: MultiaddrConnection, reason: RefusalReason, peer?: PeerId): true {
    const remoteAddr = connection.remoteAddr.toString();
    this.#options.onRefused({ remoteAddr, reason, ...(peer === undefined ? {} : { peerId: peer.toString() }) });
    return true;
  }
}

/** An IPv4 address, or an IPv6 /64: one host owns at least that much. */
function sourceOf(connection: MultiaddrConnection): string {
  const bytes = Buffer.from(connection.remoteAddr.bytes);
  if (bytes[0] === CODE_IP4) return bytes.toString('hex', 1, 5);
  if (bytes[0] === CODE_IP6) return bytes.toString('hex', 1, 9);
  return String(connection.remoteAddr.getComponents()[0]?.value);
}
