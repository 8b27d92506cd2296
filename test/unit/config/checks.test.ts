import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import fc from 'fast-check';
import { addressFault, isLoopback, peerIdFault, peerIdIn } from '../../../src/config/checks.ts';
import { peerIdOf } from '../../../src/transport/identity.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('every peer id of an Ed25519 key passes, and none with one character changed to another key type or length', () => {
  fc.assert(
    fc.property(key, (bytes) => {
      const id = peerIdOf(bytes);
      assert.equal(peerIdFault(id), null);
      assert.notEqual(peerIdFault(id.slice(0, -1)), null);
      assert.notEqual(peerIdFault(`${id}1`), null);
      assert.notEqual(peerIdFault(`1${id}`), null);
      assert.notEqual(peerIdFault(`13${id.slice(2)}`), null);
    }),
  );
});

for (const text of [
  '',
  '1',
  '12D3KooW',
  'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
  '16Uiu2HAm…',
  'bafzaa',
  `1${'z'.repeat(51)}`,
]) {
  test(`${JSON.stringify(text)} is no peer id`, () => assert.notEqual(peerIdFault(text), null));
}

const GOOD = [
  '/ip4/127.0.0.1/tcp/0',
  '/ip4/192.0.2.1/tcp/65535',
  '/ip6/::1/tcp/4101',
  '/ip6/2001:db8::7/tcp/1',
  '/dns4/peerd.acme.example/tcp/4101',
  '/dns6/a/tcp/1',
  '/dns/localhost/tcp/4101',
  `/ip4/127.0.0.1/tcp/1/p2p/${peerIdOf(new Uint8Array(32))}`,
];
for (const text of GOOD) {
  test(`${text} is an address, for libp2p too`, () => {
    assert.equal(addressFault(text), null);
    assert.equal(multiaddr(text).toString(), text);
  });
}

const BAD: readonly [text: string, reason: RegExp][] = [
  ['', /starts with one of/],
  ['ip4/127.0.0.1/tcp/1', /starts with one of/],
  ['/unix/tmp/tcp/1', /starts with one of/],
  ['/ip4/::1/tcp/1', /no IPv4/],
  ['/ip4/127.1/tcp/1', /no IPv4/],
  ['/ip4//tcp/1', /nothing is no IPv4/],
  ['/ip6/127.0.0.1/tcp/1', /no IPv6/],
  ['/dns4/-x/tcp/1', /no host name/],
  ['/dns4/a b/tcp/1', /no host name/],
  ['/ip4/127.0.0.1', /\/tcp\/<port>/],
  ['/ip4/127.0.0.1/udp/1', /\/tcp\/<port>/],
  ['/ip4/127.0.0.1/tcp', /no port/],
  ['/ip4/127.0.0.1/tcp/65536', /no port/],
  ['/ip4/127.0.0.1/tcp/01', /no port/],
  ['/ip4/127.0.0.1/tcp/-1', /no port/],
  ['/ip4/127.0.0.1/tcp/1/ws', /\/ws is not spoken/],
  ['/ip4/127.0.0.1/tcp/1/p2p/x', /not a peer id/],
  [`${GOOD.at(-1)}/p2p-circuit`, /nothing stands behind/],
];
for (const [text, reason] of BAD) {
  test(`${JSON.stringify(text)} is no address: ${reason.source}`, () => assert.match(addressFault(text) ?? '', reason));
}

test('whatever passes, libp2p takes', () => {
  const part = fc.constantFrom('ip4', 'ip6', 'dns4', '127.0.0.1', '::1', 'a.b', 'tcp', '1', '65536', 'p2p', '', 'ws');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
      const text = `/${parts.join('/')}`;
      if (addressFault(text) === null) multiaddr(text);
    }),
    { numRuns: 5_000 },
  );
});

test('the peer id of an address is what stands behind /p2p/', () => {
  assert.equal(peerIdIn('/ip4/127.0.0.1/tcp/1'), null);
  assert.equal(peerIdIn(GOOD.at(-1) ?? ''), peerIdOf(new Uint8Array(32)));
});

test('loopback is what only this machine reaches', () => {
  assert.deepEqual(['127.0.0.1', '[::1]', 'Localhost'].map(isLoopback), [true, true, true]);
  assert.deepEqual(['0.0.0.0', '::', '127.0.0.1.example', ''].map(isLoopback), [false, false, false, false]);
});
