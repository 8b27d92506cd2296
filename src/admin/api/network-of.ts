/** An IPv6 address is one of 2⁶⁴ that whoever has it can choose. */
const V6_GROUPS = 4;

/** What callers are told apart by: an IPv4 address as it is, an IPv6 address by its /64. */
export function networkOf(address: string): string {
  const v4 = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (v4 !== undefined || !address.includes(':')) return v4 ?? address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const behind = (tail ?? '').split(':').filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - groups.length - behind.length;
  return [...groups, ...Array(Math.max(0, zeros)).fill('0'), ...behind].slice(0, V6_GROUPS).join(':');
}
