/** Texts that name something outside this file: addresses, peers, feeds. Each check says what is wrong, or null. */

import { isIP } from 'node:net';
import { readNetwork } from '../core/address.ts';
import { isDrillAuthority } from '../core/drill.ts';
import { isAuthority, isNodeId } from '../core/node-id.ts';
import { parseFeed } from '../core/scope.ts';
import { shortened } from '../core/shortened.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Identity multihash of 36 bytes: a protobuf with key type 1 (Ed25519) and 32 bytes of key. */
const ED25519_ID_HEX = '2408011220';
const OF_DRILLS = 'names drill-….invalid are those of this node’s own drills';
const MAX_PORT = 65_535;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** Name of a garden that facts may be written to. */
export const GARDEN: RegExp = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_GARDEN_MEMBERS = 256;
const HOST_PROTOCOLS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6'];

/** A node id, `stigmem://` and a lower-case host name. */
export function nodeIdFault(text: string): string | null {
  if (isDrillAuthority(text.replace('stigmem://', ''))) return OF_DRILLS;
  if (isNodeId(text)) return null;
  if (!text.startsWith('stigmem://')) return 'it does not start with stigmem://';
  if (isNodeId(text.toLowerCase())) return 'a node id is written in lower case';
  return 'behind stigmem:// stands a host name (letters, digits, hyphens, dots), an optional port and nothing else';
}

/** An authority such as `acme.example`. */
export function authorityFault(text: string): string | null {
  if (isDrillAuthority(text)) return OF_DRILLS;
  if (isAuthority(text)) return null;
  return text.includes('://')
    ? 'write the name alone, without stigmem://'
    : 'it is a lower-case host name, optionally with a port';
}

/** An address this node can listen on or dial: TCP over IP or DNS, optionally with `/p2p/<peer id>` at the end. */
export function addressFault(text: string): string | null {
  const [empty, protocol = '', host = '', tcp, port = '', p2p, peerId = '', ...rest] = text.split('/');
  if (empty !== '' || !HOST_PROTOCOLS.includes(protocol)) {
    return `it starts with one of ${HOST_PROTOCOLS.map((name) => `/${name}/`).join(' ')}`;
  }
  const version = isIP(host);
  if (protocol === 'ip4' && version !== 4) return `${named(host)} is no IPv4 address`;
  if (protocol === 'ip6' && version !== 6) return `${named(host)} is no IPv6 address`;
  if (protocol.startsWith('dns') && !HOST_NAME.test(host)) return `${named(host)} is no host name`;
  if (tcp !== 'tcp') return 'behind the host stands /tcp/<port>: peers speak TCP';
  if (!/^(0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > MAX_PORT) return `${named(port)} is no port`;
  if (p2p === undefined) return null;
  if (p2p !== 'p2p') return `/${named(p2p)} is not spoken; only TCP is`;
  return rest.length > 0 ? 'nothing stands behind the peer id' : peerIdFault(peerId);
}

/** A host name without port, lower case; `*.acme.example` is any one name in that place. */
export function hostNameFault(text: string): string | null {
  if (text !== text.toLowerCase()) return 'it is written in lower case';
  return HOST_NAME.test(text.replace(/^\*\./, '')) ? null : 'it is a host name, without a scheme and a port';
}

/** A network such as `10.0.0.0/8`, or one address. */
export function networkFault(text: string): string | null {
  return readNetwork(text) === null ? 'it is an IP address with the length of its prefix: 10.0.0.0/8, fd00::/8' : null;
}

/** A part of an address as a message names it. */
function named(part: string): string {
  return part === '' ? 'nothing' : shortened(part, 60);
}

/** The peer id at the end of an address, or null. The address must have passed {@link addressFault}. */
export function peerIdIn(address: string): string | null {
  return /\/p2p\/([^/]+)$/.exec(address)?.[1] ?? null;
}

/**
 * A peer id that contains an Ed25519 key: base58btc of an identity multihash of a protobuf key. Checked here and not by
 * libp2p because every command reads peer files, and loading libp2p takes longer than most of them.
 *
 * @see https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
 */
export function peerIdFault(text: string): string | null {
  // One leading "1" stands for the multihash's leading zero byte; the number behind it must not start with another.
  const digits = /^1([2-9A-HJ-NP-Za-km-z][1-9A-HJ-NP-Za-km-z]{50})$/.exec(text)?.[1];
  let value = 0n;
  for (const digit of digits ?? '') value = value * 58n + BigInt(BASE58.indexOf(digit));
  if (value.toString(16).startsWith(ED25519_ID_HEX) && value.toString(16).length === ED25519_ID_HEX.length + 64)
    return null;
  return /^(Qm|16Uiu)/.test(text)
    ? 'it is the id of another kind of key; ids of Ed25519 keys start with 12D3Koo'
    : 'it is not a peer id: copy it from the partner’s `peer show self`';
}

/** A feed that a grant can name: what the serving node asserts, in a scope or in one garden of a scope; or relays. */
export function grantedFeedFault(text: string): string | null {
  const feed = parseFeed(text);
  if (!feed.ok) return 'a feed is public, company or team, or one of these with a garden: company/incident-42';
  if (feed.value.scope === 'local') return 'local facts never leave their node';
  const isRelayed = feed.value.kind === 'received';
  return isRelayed && feed.value.scope !== 'public' ? 'only public facts of third nodes are relayed' : null;
}

/** A garden and its members, joined by spaces: `incident-42 stigmem://globex.example`. */
export function gardenMembersFault(text: string): string | null {
  const [garden = '', ...members] = text.split(' ');
  if (!GARDEN.test(garden)) return 'it begins with the name of a garden';
  if (members.length > MAX_GARDEN_MEMBERS) return `a garden has at most ${MAX_GARDEN_MEMBERS} members`;
  const strange = members.find((member) => !isNodeId(member));
  return strange === undefined ? null : `${JSON.stringify(strange)} is no node id`;
}

/** Loopback names and addresses: what only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

/** Why a text is no Ed25519 verifier key; null: it is one. */
export function logKeyFault(value: string): string | null {
  const key = parseVerifierKey(value);
  if (!key.ok) return 'it has three parts joined by +, and the second is the key id of the others';
  return key.value.algorithm === ALG_ED25519 ? null : 'it is no Ed25519 key';
}

/** Why a text is no URL of a server; null: it is one, or empty. */
export function urlFault(value: string): string | null {
  if (value === '') return null;
  const url = URL.parse(value);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'it starts with http:// or https://';
  return url.search === '' && url.hash === '' ? null : 'it has no query and no fragment';
}
