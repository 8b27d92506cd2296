import { peerIdFromString } from '@libp2p/peer-id';
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { TransportError } from './errors.ts';

/** A peer that may connect to us, and that we may dial. */
export interface AllowedPeer {
  /** `12D3Koo…` */
  readonly peerId: string;
  /** Multiaddrs, with or without `/p2p/<peer id>`; empty if the peer always calls us. */
  readonly addresses: readonly string[];
  /** Who named them; absent: the operator. Those that the peer itself named are dialled only where that is harmless. */
  readonly addressesFrom?: 'operator' | 'peer';
  /** The one protocol that it may open streams of; absent: all. */
  readonly only?: string;
}

/** The peers allowed at this moment. Called for every connection and request, so it must be cheap. */
export type AllowedPeers = () => readonly AllowedPeer[];

export function findAllowed(allowed: AllowedPeers, peerId: string): AllowedPeer | undefined {
  return allowed().find((peer) => peer.peerId === peerId);
}

/**
 * The peer's addresses, each ending in its peer id, so that whoever else answers there is refused.
 *
 * @throws TransportError `bad_address`
 */
export function dialAddresses(peer: AllowedPeer): Multiaddr[] {
  return peer.addresses.map((text) => dialAddress(peer.peerId, text));
}

function dialAddress(peerId: string, text: string): Multiaddr {
  const address = parse(text);
  const named = address.getComponents().findLast((component) => component.code === CODE_P2P)?.value;
  if (named === undefined) return address.encapsulate(`/p2p/${peerId}`);
  if (named !== peerId) throw new TransportError('bad_address', `${text} names another peer than ${peerId}`);
  return address;
}

/** True if the two multiaddrs are the same place, whatever peer ids they end in. */
export function samePlace(configured: string, address: Multiaddr): boolean {
  return parse(configured).decapsulateCode(CODE_P2P).equals(address.decapsulateCode(CODE_P2P));
}

/** @throws TransportError `bad_address` or `bad_key` for what a config should never have let through */
export function requireUsable(peer: AllowedPeer): void {
  try {
    peerIdFromString(peer.peerId);
  } catch (thrown) {
    throw new TransportError('bad_key', `not a peer id: ${peer.peerId}`, thrown);
  }
  dialAddresses(peer);
}

function parse(text: string): Multiaddr {
  try {
    return multiaddr(text);
  } catch (thrown) {
    throw new TransportError(
      'bad_address',
      `not a multiaddr: ${text} (expected, e.g., /ip4/192.0.2.7/tcp/4710)`,
      thrown,
    );
  }
}
