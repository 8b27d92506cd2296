/** IP addresses: what an address is, and whether a node may connect to it. Pure; names are not resolved here. */

export type AddressClass =
  | 'public'
  | 'loopback'
  /** RFC 1918, RFC 6598, unique local: somebody's inside. */
  | 'private'
  | 'link_local'
  /** Where clouds hand out credentials to whoever asks from the machine. */
  | 'metadata'
  | 'multicast'
  | 'unspecified'
  /** Documentation, benchmarks, tunnels without an address of a host in them. */
  | 'reserved';

/** A network as `10.0.0.0/8` or `fd00::/8`, read. */
export interface Network {
  /** 16 bytes; IPv4 in its mapped form. */
  readonly bytes: Uint8Array;
  /** Of the 128. */
  readonly bits: number;
}

export interface AddressRule {
  /** Who named the address, or the name that led to it. */
  readonly from: 'operator' | 'peer';
  /** What the operator allows besides. */
  readonly allowed: readonly Network[];
}

const V4_BITS = 96;
/** ::ffff:0:0/96, an IPv4 address written as IPv6. */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255);

/** The first that contains an address decides. */
const V4_CLASSES = networks({
  '0.0.0.0/8': 'unspecified',
  '168.63.129.16/32': 'metadata', // Azure, in the middle of public addresses
  '169.254.169.254/32': 'metadata',
  '169.254.170.2/32': 'metadata',
  '169.254.170.23/32': 'metadata',
  '100.100.100.200/32': 'metadata',
  '192.0.0.192/32': 'metadata',
  '10.0.0.0/8': 'private',
  '100.64.0.0/10': 'private',
  '127.0.0.0/8': 'loopback',
  '169.254.0.0/16': 'link_local',
  '172.16.0.0/12': 'private',
  '192.0.0.0/24': 'reserved',
  '192.0.2.0/24': 'reserved',
  '192.88.99.0/24': 'reserved',
  '192.168.0.0/16': 'private',
  '198.18.0.0/15': 'reserved',
  '198.51.100.0/24': 'reserved',
  '203.0.113.0/24': 'reserved',
  '224.0.0.0/4': 'multicast',
  '240.0.0.0/4': 'reserved',
});
const V6_CLASSES = networks({
  '::/128': 'unspecified',
  '::1/128': 'loopback',
  'fd00:ec2::254/128': 'metadata',
  'fd00:ec2::23/128': 'metadata',
  'fd20:ce::254/128': 'metadata',
  '64:ff9b:1::/48': 'private',
  '100::/64': 'reserved',
  '2001::/23': 'reserved',
  '2001:db8::/32': 'reserved',
  '3fff::/20': 'reserved',
  '5f00::/16': 'reserved',
  'fc00::/7': 'private',
  'fe80::/10': 'link_local',
  'fec0::/10': 'private',
  'ff00::/8': 'multicast',
});
/** Networks whose addresses carry an IPv4 address, and at which byte: what answers there is that address. */
const CARRIERS: readonly (readonly [Network, number])[] = [
  carrier('::ffff:0:0/96', 12),
  carrier('::ffff:0:0:0/96', 12), // SIIT, RFC 2765
  carrier('64:ff9b::/96', 12), // NAT64, RFC 6052
  carrier('2002::/16', 2), // 6to4, RFC 3056
  carrier('::/96', 12), // IPv4-compatible, RFC 4291; :: and ::1 are looked up before
];

/** 16 bytes; null for a text that is no address in the usual form. Zone ids are cut. */
export function parseAddress(text: string): Uint8Array | null {
  const v4 = parseV4(text);
  if (v4 !== null) return Uint8Array.of(...MAPPED, ...v4);
  return parseV6(text.replace(/%[^%]*$/, ''));
}

/** `10.0.0.0/8`, `fd00::/8` or an address alone; null for another text. */
export function readNetwork(text: string): Network | null {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === null || rest.length > 0) return null;
  const offset = address.includes(':') ? 0 : V4_BITS;
  if (length === undefined) return { bytes, bits: 128 };
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > 128 - offset) return null;
  return { bytes, bits: Number(length) + offset };
}

export function classifyAddress(bytes: Uint8Array): AddressClass {
  if (!startsWith(bytes, MAPPED)) {
    const own = V6_CLASSES.find(([network]) => contains(network, bytes));
    if (own !== undefined) return own[1];
  }
  const found = CARRIERS.find(([network]) => contains(network, bytes));
  if (found === undefined) return 'public';
  const inner = Uint8Array.of(...MAPPED, ...bytes.subarray(found[1], found[1] + 4));
  return V4_CLASSES.find(([network]) => contains(network, inner))?.[1] ?? 'public';
}

/** What nobody has reason to write down as a partner, a witness or a log. */
const NEVER: ReadonlySet<AddressClass> = new Set(['metadata', 'link_local', 'multicast', 'unspecified']);

/**
 * Whether a node may connect to an address. Addresses of the operator's own configuration may be anywhere but where no
 * partner is; what others name has to be public, unless the operator allows more.
 *
 * @param address as the socket will have it
 * @param name that was resolved to it; null: the address was written itself
 * @returns why not, as what the address is; null: it may
 */
export function whyNotConnect(
  address: string,
  name: string | null,
  rule: AddressRule,
): AddressClass | 'malformed' | null {
  const bytes = parseAddress(address);
  if (bytes === null) return 'malformed';
  if (rule.allowed.some((network) => contains(network, bytes))) return null;
  const found = classifyAddress(bytes);
  if (found === 'public') return null;
  if (rule.from === 'peer' || NEVER.has(found)) return found;
  // Who serves a name may point it at us at any time: a name of somebody else does not lead to this machine.
  const isOwnName = name === null || /^(?:.*\.)?localhost\.?$/i.test(name);
  return found === 'loopback' && !isOwnName ? found : null;
}

/** A name whose last part is a number is read as an IPv4 address by resolvers: `2130706433`, `0x7f.1`, `0177.0.0.1`. */
export function isNumericName(name: string): boolean {
  const last = name.replace(/\.$/, '').split('.').at(-1) ?? '';
  return /^(?:[0-9]+|0x[0-9a-f]*)$/i.test(last);
}

function contains({ bytes, bits }: Network, address: Uint8Array): boolean {
  for (let at = 0; at < bits; at += 8) {
    const mask = bits - at >= 8 ? 0xff : (0xff << (8 - (bits - at))) & 0xff;
    if (((bytes[at / 8] ?? 0) & mask) !== ((address[at / 8] ?? 0) & mask)) return false;
  }
  return true;
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.every((byte, at) => bytes[at] === byte);
}

/** Decimal, without leading zeros: the other spellings mean one address here and another one there. */
function parseV4(text: string): readonly number[] | null {
  const parts = text.split('.');
  const bytes = parts.map(Number);
  const isWritten = parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part));
  return parts.length === 4 && isWritten && bytes.every((byte) => byte < 256) ? bytes : null;
}

function parseV6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (!text.includes(':') || halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(groupBytes)));
  // An IPv4 address stands at the end alone.
  if (head === undefined || (tail !== undefined && halves[0]?.includes('.') === true)) return null;
  const all = [...head, ...(tail ?? [])];
  if (all.includes(null)) return null;
  const missing = 16 - all.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return null;
  return Uint8Array.of(...known(head), ...Array(missing).fill(0), ...known(tail ?? []));
}

/** The two bytes of a group, or the four of an IPv4 address at the end; null for neither. */
function groupBytes(group: string, at: number, groups: readonly string[]): readonly (number | null)[] {
  if (group.includes('.') && at === groups.length - 1) return parseV4(group) ?? [null];
  if (!/^[0-9a-f]{1,4}$/i.test(group)) return [null];
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function known(bytes: readonly (number | null)[]): number[] {
  return bytes.map((byte) => byte ?? 0);
}

function networks(table: Readonly<Record<string, AddressClass>>): readonly (readonly [Network, AddressClass])[] {
  return Object.entries(table).map(([text, found]) => [required(readNetwork(text)), found]);
}

function carrier(text: string, at: number): readonly [Network, number] {
  return [required(readNetwork(text)), at];
}

function required(network: Network | null): Network {
  if (network === null) throw new TypeError('a network of the table cannot be read');
  return network;
}
