import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MultiaddrConnection } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { DialRule } from '../../../src/transport/dial-rule.ts';
import { Gate, type Refusal } from '../../../src/transport/gate.ts';
import { peerIdOf } from '../../../src/transport/identity.ts';
import type { AllowedPeer } from '../../../src/transport/peers.ts';

const KEYS = [
  '3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
];
const [FRIEND, STRANGER] = KEYS.map((key) => peerIdFromString(peerIdOf(Buffer.from(key, 'hex')))) as [never, never];
const LIMITS = { maxPending: 10, maxPendingPerSource: 4, maxConnectionsPerPeer: 2 };

const connectionFrom = (address: string): MultiaddrConnection =>
  Object.assign(new EventTarget(), { remoteAddr: multiaddr(address) }) as unknown as MultiaddrConnection;
const close = (connection: MultiaddrConnection): boolean => connection.dispatchEvent(new Event('close'));

function setUp() {
  const refused: Refusal[] = [];
  const allowed: AllowedPeer[] = [{ peerId: String(FRIEND), addresses: ['/ip4/192.0.2.7/tcp/4710'] }];
  const dialRule = new DialRule(() => allowed, []);
  const gate = new Gate({
    allowed: () => allowed,
    dialRule,
    limits: LIMITS,
    onRefused: (refusal) => refused.push(refusal),
  });
  return { gate, refused, allowed };
}

test('unproved sockets are counted per IPv4 address and per IPv6 /64', () => {
  const { gate, refused } = setUp();
  const v4 = Array.from({ length: 5 }, (_, i) => connectionFrom(`/ip4/192.0.2.1/tcp/${i + 1}`));
  assert.deepEqual(v4.map(gate.denyInboundConnection), [false, false, false, false, true]);
  const v6 = Array.from({ length: 5 }, (_, i) => connectionFrom(`/ip6/2001:db8:0:7::${i + 1}/tcp/1`));
  assert.deepEqual(v6.map(gate.denyInboundConnection), [false, false, false, false, true]);
  assert.equal(gate.denyInboundConnection(connectionFrom('/ip6/2001:db8:0:8::1/tcp/1')), false);
  assert.deepEqual(
    refused.map(({ reason }) => reason),
    ['too_many_pending', 'too_many_pending'],
  );
  assert.equal(refused[0]?.remoteAddr, '/ip4/192.0.2.1/tcp/5');
});

test('unproved sockets are bounded in total, and a closed or proved one frees its place once', () => {
  const { gate } = setUp();
  const all = Array.from({ length: 10 }, (_, i) => connectionFrom(`/ip4/192.0.2.${i}/tcp/1`));
  assert.ok(all.every((connection) => !gate.denyInboundConnection(connection)));
  const late = (n: number): boolean => gate.denyInboundConnection(connectionFrom(`/ip4/198.51.100.${n}/tcp/1`));
  assert.equal(late(1), true);
  close(all[0]!);
  close(all[0]!);
  assert.equal(gate.denyInboundEncryptedConnection(FRIEND, all[1]!), false);
  close(all[1]!);
  assert.deepEqual([late(2), late(3), late(4)], [false, false, true]);
});

test('a proved key decides: strangers out, each friend a few connections, dialled ones counted too', () => {
  const { gate, refused } = setUp();
  const inbound = (): MultiaddrConnection => connectionFrom('/ip4/192.0.2.7/tcp/9');
  assert.equal(gate.denyInboundEncryptedConnection(STRANGER, inbound()), true);
  const first = inbound();
  assert.equal(gate.denyInboundEncryptedConnection(FRIEND, first), false);
  assert.equal(gate.denyOutboundEncryptedConnection(FRIEND, inbound()), false);
  assert.equal(gate.denyInboundEncryptedConnection(FRIEND, inbound()), true);
  close(first);
  assert.equal(gate.denyInboundEncryptedConnection(FRIEND, inbound()), false);
  assert.deepEqual(
    refused.map(({ peerId, reason }) => `${peerId === String(FRIEND)} ${reason}`),
    ['false unknown_peer', 'true too_many_connections'],
  );
});

test('the allow list is looked at each time', () => {
  const { gate, allowed } = setUp();
  assert.deepEqual([gate.denyDialPeer(FRIEND), gate.denyDialPeer(STRANGER)], [false, true]);
  allowed.pop();
  assert.equal(gate.denyDialPeer(FRIEND), true);
  assert.equal(gate.denyOutboundEncryptedConnection(FRIEND, connectionFrom('/ip4/192.0.2.7/tcp/1')), true);
  assert.equal(gate.denyInboundEncryptedConnection(FRIEND, connectionFrom('/ip4/192.0.2.7/tcp/1')), true);
});

test('only configured addresses may be remembered', () => {
  const { gate } = setUp();
  const keeps = (peer: never, address: string): unknown => gate.filterMultiaddrForPeer(peer, multiaddr(address));
  assert.equal(keeps(FRIEND, '/ip4/192.0.2.7/tcp/4710'), true);
  assert.equal(keeps(FRIEND, `/ip4/192.0.2.7/tcp/4710/p2p/${FRIEND}`), true);
  assert.equal(keeps(FRIEND, '/ip4/192.0.2.7/tcp/4711'), false);
  assert.equal(keeps(STRANGER, '/ip4/192.0.2.7/tcp/4710'), false);
});

test('a closed gate lets nobody in and reports nothing', () => {
  const { gate, refused } = setUp();
  gate.close();
  const connection = connectionFrom('/ip4/192.0.2.7/tcp/1');
  assert.equal(gate.denyInboundConnection(connection), true);
  assert.equal(gate.denyInboundEncryptedConnection(FRIEND, connection), true);
  assert.equal(gate.denyOutboundEncryptedConnection(FRIEND, connection), true);
  assert.deepEqual(refused, []);
});
