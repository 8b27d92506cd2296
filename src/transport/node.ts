import { noise } from '@chainsafe/libp2p-noise';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import type { Network } from '../core/address.ts';
import { DialRule } from './dial-rule.ts';
import { listenFaults, TransportError, toError } from './errors.ts';
import { Gate, type Refusal } from './gate.ts';
import { guardedYamux } from './guard.ts';
import { identityFromSeed } from './identity.ts';
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from './limits.ts';
import { type AllowedPeers, requireUsable } from './peers.ts';
import { Libp2pTransport, type Transport } from './transport.ts';

export interface TransportOptions {
  /** 32 bytes: the node's Ed25519 seed. */
  readonly seed: Uint8Array;
  /** Multiaddrs to listen on; empty for a node that only dials. */
  readonly listen: readonly string[];
  /** Multiaddrs to tell instead, e.g. behind a port forwarding. */
  readonly announce?: readonly string[];
  /** A live view: peers added or removed at run time; call `refreshAllowed()` after removing one. */
  readonly allowed: AllowedPeers;
  /** Networks that may be connected to besides, whoever names an address in them. */
  readonly allowedNetworks?: readonly Network[];
  /** 32 bytes: connections are made with nodes alone that have the same key. */
  readonly swarmKey?: Uint8Array | null;
  readonly limits?: Partial<TransportLimits>;
  /** Every refused inbound connection. The caller limits how often it writes these down. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** What no caller is waiting for, e.g. a peer that broke the rules of the multiplexer. */
  readonly onError?: (error: TransportError) => void;
  /** Instead of TCP, in tests. */
  readonly transports?: NonNullable<Libp2pOptions['transports']>;
}

/**
 * A started node: TCP, Noise, Yamux.
 *
 * @throws TransportError `bad_key`, `bad_address`, or `start_failed` (e.g. the port is taken)
 */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  for (const peer of options.allowed()) requireUsable(peer);
  const limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits };
  const onError = options.onError ?? (() => {});
  const dialRule = new DialRule(options.allowed, options.allowedNetworks ?? []);
  const gate = new Gate({ allowed: options.allowed, dialRule, limits, onRefused: options.onRefused ?? (() => {}) });
  const { privateKey } = await identityFromSeed(options.seed);
  try {
    const node = await createLibp2p({ privateKey, ...libp2pOptions(options, limits, { gate, dialRule }, onError) });
    return new Libp2pTransport(node, { gate, dialRule }, options.allowed, limits);
  } catch (thrown) {
    throw startFailure(options.listen, thrown);
  }
}

function startFailure(listen: readonly string[], thrown: unknown): TransportError {
  const where = listen.join(', ') || 'no address';
  const faults = thrown instanceof Error ? listenFaults(thrown.message) : [];
  const got = faults.length > 0 ? faults.join('; ') : toError(thrown, 'starting').message;
  const advice = 'stop what listens there, or name free addresses of this machine in listen.p2p';
  return new TransportError('start_failed', `expected to listen for peers on ${where}, got: ${got}; ${advice}`, thrown);
}

function libp2pOptions(
  options: TransportOptions,
  limits: TransportLimits,
  { gate, dialRule }: { readonly gate: Gate; readonly dialRule: DialRule },
  onError: (error: TransportError) => void,
): Libp2pOptions {
  const onViolation = (what: string): void =>
    onError(
      new TransportError('refused', `closed the connection of a peer that broke the multiplexer's rules: ${what}`),
    );
  return {
    addresses: { listen: [...options.listen], announce: [...(options.announce ?? [])] },
    transports: options.transports ?? [boundedTcp(limits, dialRule)],
    ...protectorOf(options.swarmKey ?? null),
    connectionEncrypters: [noise()],
    streamMuxers: [guardedYamux(limits.guard, onViolation)],
    connectionGater: gate,
    connectionManager: {
      maxConnections: limits.maxConnections,
      // The gate counts pending sockets itself, per source and in total, and reports what it refuses.
      maxIncomingPendingConnections: Number.MAX_SAFE_INTEGER,
      inboundConnectionThreshold: limits.maxInboundPerSecond,
      inboundUpgradeTimeout: limits.upgradeTimeoutMs,
      dialTimeout: limits.dialTimeoutMs,
      addressDialTimeout: limits.addressDialTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: limits.negotiationTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: limits.negotiationTimeoutMs,
    },
    connectionMonitor: { pingInterval: limits.pingIntervalMs, pingTimeout: { minTimeout: limits.pingTimeoutMs } },
    // The store never renews the time it first saw an address: an hour later it would forget all of them.
    peerStore: { maxAddressAge: Number.POSITIVE_INFINITY, maxPeerAge: Number.POSITIVE_INFINITY },
  };
}

/** What keeps all others out of a private network; null: there is none. */
export function protectorOf(swarmKey: Uint8Array | null): Pick<Libp2pOptions, 'connectionProtector'> {
  return swarmKey === null ? {} : { connectionProtector: preSharedKey({ psk: swarmKeyFile(swarmKey) }) };
}

/** The library takes the text of a key file, of which it reads the hexadecimal form alone. */
function swarmKeyFile(key: Uint8Array): Uint8Array {
  return Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(key).toString('hex')}\n`);
}

function boundedTcp(limits: TransportLimits, { lookup }: DialRule): ReturnType<typeof tcp> {
  // The library hands these to net.connect as they are; its type names a few of them.
  const dialOpts = { noDelay: true, lookup };
  return tcp({
    backlog: 128,
    maxConnections: limits.maxConnections + limits.maxPending,
    inboundSocketInactivityTimeout: limits.socketIdleMs,
    outboundSocketInactivityTimeout: limits.socketIdleMs,
    dialOpts,
  });
}
