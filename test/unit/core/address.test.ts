import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AddressRule,
  classifyAddress,
  isNumericName,
  parseAddress,
  readNetwork,
  whyNotConnect,
} from '../../../src/core/address.ts';

const OPERATOR: AddressRule = { from: 'operator', allowed: [] };
const PEER: AddressRule = { from: 'peer', allowed: [] };

/** Every way to write an IPv4 address into an IPv6 one, as what would answer there is that address. */
function embedded(v4: string): string[] {
  const hex = Buffer.from(v4.split('.').map(Number)).toString('hex');
  const [high, low] = [hex.slice(0, 4), hex.slice(4)];
  const shapes = [`::ffff:${v4}`, `::ffff:${high}:${low}`, `0:0:0:0:0:ffff:${v4}`, `::ffff:0:${v4}`, `64:ff9b::${v4}`];
  return [...shapes, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::1`];
}

const CLASSES: readonly (readonly [string, string])[] = [
  ['8.8.8.8', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.0', 'public'],
  ['100.63.255.255', 'public'],
  ['126.255.255.255', 'public'],
  ['128.0.0.0', 'public'],
  ['223.255.255.255', 'public'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.255', 'loopback'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['100.127.255.255', 'private'],
  ['169.254.0.1', 'link_local'],
  ['169.254.169.254', 'metadata'],
  ['169.254.170.2', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['255.255.255.255', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['198.19.0.1', 'reserved'],
];
const CLASSES_V6: readonly (readonly [string, string])[] = [
  ['2606:4700::1111', 'public'],
  ['2a00::', 'public'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['::', 'unspecified'],
  ['fe80::1', 'link_local'],
  ['fe80::1%eth0', 'link_local'],
  ['febf::', 'link_local'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['fec0::1', 'private'],
  ['64:ff9b:1::10.0.0.1', 'private'],
  ['fd00:ec2::254', 'metadata'],
  ['FD00:0EC2:0:0:0:0:0:0254', 'metadata'],
  ['ff02::1', 'multicast'],
  ['2001:db8::1', 'reserved'],
  ['2001::1', 'reserved'],
  ['100::1', 'reserved'],
  ['::127.0.0.1', 'loopback'],
];

const classOf = (text: string): string | undefined => {
  const bytes = parseAddress(text);
  return bytes === null ? undefined : classifyAddress(bytes);
};

test('what an address is, at the edges of each network', () => {
  for (const [address, expected] of [...CLASSES, ...CLASSES_V6]) assert.equal(classOf(address), expected, address);
});

test('an IPv4 address inside an IPv6 one is what it is: mapped, translated, NAT64, 6to4', () => {
  for (const [v4, expected] of CLASSES)
    for (const address of embedded(v4)) assert.equal(classOf(address), expected, address);
});

test('other spellings are no addresses: octal, hexadecimal, short and long ones', () => {
  const loose = [
    '0177.0.0.1',
    '0x7f.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '127.0.0.01',
    '127.0.0.1.',
    ' 127.0.0.1',
  ];
  for (const text of [
    ...loose,
    '256.1.1.1',
    '1.2.3',
    '',
    '::1::',
    ':::',
    '1:2:3:4:5:6:7',
    '12345::',
    '::1.2.3',
    '1.2.3.4::',
    'g::',
  ])
    assert.equal(parseAddress(text), null, text);
  for (const name of ['2130706433', '0x7f.1', '127.1', '0177.0.0.1', 'a.0x7f', '1.', 'x.08'])
    assert.ok(isNumericName(name), name);
  for (const name of ['peerd.acme.example', '127.0.0.1.nip.io', '1.a', 'cafe', 'x.0xg'])
    assert.ok(!isNumericName(name), name);
});

test('every text that Node takes for an address is read, to the same bytes', () => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((v4) => `::ffff:${v4}`),
    fc.string({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = parseAddress(text);
      if (text.includes('%')) return;
      assert.equal(bytes !== null, isIP(text) !== 0, text);
      if (bytes === null) return;
      const written = Array.from({ length: 8 }, (_, i) => Buffer.from(bytes).toString('hex', i * 2, i * 2 + 2)).join(
        ':',
      );
      const list = new BlockList();
      list.addAddress(written, 'ipv6');
      assert.ok(list.check(isIP(text) === 4 ? `::ffff:${text}` : text, 'ipv6'), text);
    }),
    { numRuns: 2_000 },
  );
});

test('networks contain what Node says they contain', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (base, address, bits) => {
      const list = new BlockList();
      list.addSubnet(base, bits, 'ipv4');
      const network = readNetwork(`${base}/${bits}`);
      assert.ok(network !== null);
      const isOpen = whyNotConnect(address, null, { from: 'peer', allowed: [network] }) === null;
      assert.equal(isOpen, list.check(address) || classOf(address) === 'public');
    }),
    { numRuns: 500 },
  );
  for (const text of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '::/129', '10.0.0.0/8/8', 'x/8', '10.0.0.0/'])
    assert.equal(readNetwork(text), null, text);
});

test('who names an address decides: a partner public ones alone, an operator all but where no partner is', () => {
  for (const [address, found] of [...CLASSES, ...CLASSES_V6]) {
    assert.equal(whyNotConnect(address, null, PEER), found === 'public' ? null : found, address);
    const never = ['metadata', 'link_local', 'multicast', 'unspecified'].includes(found);
    assert.equal(whyNotConnect(address, null, OPERATOR), never ? found : null, address);
  }
});

test('a name of somebody else does not lead to this machine; localhost does, where the operator wrote it', () => {
  for (const name of ['peerd.globex.example', 'localhost.evil.example', 'xlocalhost'])
    assert.equal(whyNotConnect('127.0.0.1', name, OPERATOR), 'loopback', name);
  for (const name of ['localhost', 'a.localhost', 'LOCALHOST.'])
    assert.equal(whyNotConnect('::1', name, OPERATOR), null, name);
  assert.equal(whyNotConnect('10.0.0.7', 'peerd.globex.internal', OPERATOR), null);
  assert.equal(whyNotConnect('127.0.0.1', 'localhost', PEER), 'loopback');
});
