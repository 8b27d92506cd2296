/** Which of a peer's addresses are dialled: by who named them, an address itself or behind a name. */
import type { LookupFunction } from 'node:net';
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr';
import { type AddressRule, isNumericName, type Network } from '../core/address.ts';
import { AddressRefused, guardedLookup, literalFault, type Resolve } from '../outbound/guarded-lookup.ts';
import { type AllowedPeer, type AllowedPeers, findAllowed } from './peers.ts';

const HOSTS: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6']);

export class DialRule {
  readonly #peers: AllowedPeers;
  readonly #networks: readonly Network[];
  /** For the sockets of the transport: a name is judged when it is resolved, by what it leads to then. */
  readonly lookup: LookupFunction;

  constructor(peers: AllowedPeers, networks: readonly Network[], resolve?: Resolve) {
    this.#peers = peers;
    this.#networks = networks;
    this.lookup = guardedLookup((name) => this.#ruleOfName(name), resolve);
  }

  /** Why an address is not dialled; null: it may be, unless it is a name that leads elsewhere. */
  fault(address: Multiaddr): AddressRefused | null {
    const peerId = address.getComponents().findLast(({ code }) => code === CODE_P2P)?.value;
    const peer = peerId === undefined ? undefined : findAllowed(this.#peers, peerId);
    const rule = this.#rule(peer);
    const host = hostOf(address);
    if (rule.from === 'peer' && isNumericName(host) && !isAddress(address))
      return new AddressRefused(`${host} is a number in the place of a name: not dialled`);
    return literalFault(host, rule);
  }

  #rule(peer: AllowedPeer | undefined): AddressRule {
    return { from: peer?.addressesFrom ?? 'operator', allowed: this.#networks };
  }

  /** The socket does not know whom it is for. Where a peer and the operator gave the same name, the peer did. */
  #ruleOfName(name: string): AddressRule {
    const isNamed = ({ addresses }: AllowedPeer): boolean => addresses.some((text) => text.split('/')[2] === name);
    return this.#rule(this.#peers().find((peer) => peer.addressesFrom === 'peer' && isNamed(peer)));
  }
}

function hostOf(address: Multiaddr): string {
  return address.getComponents().find(({ name }) => HOSTS.has(name))?.value ?? '';
}

function isAddress(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'ip4' || name === 'ip6');
}
