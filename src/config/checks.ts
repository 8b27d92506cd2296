/** Texts that name something outside this file: addresses, peers, feeds. Each check says what is wrong, or null. */
import { isIP } from 'node:net';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { isAuthority, isNodeId } from '../core/node-id.ts';
import { parseFeed } from '../core/scope.ts';

const HOST_PROTOCOLS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6'];

/** A node id, `stigmem://` and a lower-case host name. */
export function nodeIdFault(text: string): string | null {
  if (isNodeId(text)) return null;
  if (!text.startsWith('stigmem://')) return 'it does not start with stigmem://';
  if (isNodeId(text.toLowerCase())) return 'a node id is written in lower case';
  return 'behind stigmem:// stands a host name (letters, digits, hyphens, dots), an optional port and nothing else';
}

/** An authority such as `acme.example`. */
export function authorityFault(text: string): string | null {
  if (isAuthority(text)) return null;
  return text.includes('://')
    ? 'write the name alone, without stigmem://'
    : 'it is a lower-case host name, optionally with a port';
}

/** An address this node can listen on or dial: TCP over IP or DNS, optionally with `/p2p/<peer id>` at the end. */
export function addressFault(text: string): string | null {
  const start = `it starts with one of ${HOST_PROTOCOLS.map((name) => `/${name}/`).join(' ')}`;
  if (!text.startsWith('/')) return start;
  let parts: readonly { readonly name: string; readonly value?: string }[];
  try {
    parts = multiaddr(text).getComponents();
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  const [host, port, peer, ...rest] = parts;
  if (host === undefined || !HOST_PROTOCOLS.includes(host.name)) return start;
  if (port === undefined || port.name !== 'tcp') return 'behind the host stands /tcp/<port>: peers speak TCP';
  if (peer !== undefined && peer.name !== 'p2p') return `/${peer.name} is not spoken; only TCP is`;
  return rest.length > 0 ? 'nothing stands behind the peer id' : null;
}

/** The peer id at the end of an address, or null. The address must have passed {@link addressFault}. */
export function peerIdIn(address: string): string | null {
  return /\/p2p\/([^/]+)$/.exec(address)?.[1] ?? null;
}

/** A peer id that contains an Ed25519 key. */
export function peerIdFault(text: string): string | null {
  try {
    const { type } = peerIdFromString(text);
    return type === 'Ed25519' ? null : `it is an id of type ${type}; ids of Ed25519 keys start with 12D3Koo`;
  } catch {
    return 'it is not a peer id: copy it from the partner’s `peer show self`';
  }
}

/** A feed that a grant can name: facts asserted by the serving node itself, in a scope or in one garden of a scope. */
export function grantedFeedFault(text: string): string | null {
  const feed = parseFeed(text);
  if (!feed.ok) return 'a feed is public, company or team, or one of these with a garden: company/incident-42';
  if (feed.value.scope === 'local') return 'local facts never leave their node';
  return feed.value.kind === 'received' ? 'this version does not relay facts of third nodes' : null;
}

/** Loopback names and addresses: what only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}
