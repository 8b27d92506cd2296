import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { readNetwork } from '../../../src/core/address.ts';
import type { Resolve } from '../../../src/outbound/guarded-lookup.ts';
import { DialRule } from '../../../src/transport/dial-rule.ts';
import type { AllowedPeer } from '../../../src/transport/peers.ts';

const OWN = '12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue';
const THEIRS = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp';
const PEERS: readonly AllowedPeer[] = [
  { peerId: OWN, addresses: ['/dns4/partner.example/tcp/1', '/dns4/both.example/tcp/1'] },
  { peerId: THEIRS, addresses: ['/dns4/named.example/tcp/1', '/dns4/both.example/tcp/1'], addressesFrom: 'peer' },
];
const isDialled = (rule: DialRule, address: string): boolean => rule.fault(multiaddr(address)) === null;

test('addresses that an operator wrote may be inside, those that a partner named are public', () => {
  const rule = new DialRule(() => PEERS, []);
  for (const host of [
    '/ip4/10.0.0.1',
    '/ip4/127.0.0.1',
    '/ip6/::1',
    '/ip6/fd12::1',
    '/ip4/8.8.8.8',
    '/dns4/x.example',
  ]) {
    assert.ok(isDialled(rule, `${host}/tcp/1/p2p/${OWN}`), host);
    const isPublic = host.includes('8.8.8.8') || host.startsWith('/dns4');
    assert.equal(isDialled(rule, `${host}/tcp/1/p2p/${THEIRS}`), isPublic, host);
  }
  for (const host of [
    '/ip4/169.254.169.254',
    '/ip6/fd00:ec2::254',
    '/ip6/::ffff:169.254.169.254',
    '/ip6/fe80::1',
    '/ip4/0.0.0.0',
  ])
    for (const peerId of [OWN, THEIRS]) assert.ok(!isDialled(rule, `${host}/tcp/1/p2p/${peerId}`), host);
  for (const name of ['2130706433', '0x7f.1', '127.1', '0177.0.0.1'])
    assert.ok(!isDialled(rule, `/dns4/${name}/tcp/1/p2p/${THEIRS}`), name);
  assert.match(
    rule.fault(multiaddr(`/ip4/10.0.0.1/tcp/1/p2p/${THEIRS}`))?.message ?? '',
    /inside a private network, and it was named by somebody else/,
  );
});

test('what the operator allows is allowed for both', () => {
  const networks = ['10.0.0.0/8', '169.254.7.0/24'].map(readNetwork).filter((network) => network !== null);
  const rule = new DialRule(() => PEERS, networks);
  assert.ok(isDialled(rule, `/ip4/10.9.9.9/tcp/1/p2p/${THEIRS}`));
  assert.ok(isDialled(rule, `/ip4/169.254.7.1/tcp/1/p2p/${OWN}`));
  assert.ok(!isDialled(rule, `/ip4/169.254.8.1/tcp/1/p2p/${OWN}`));
});

test('a name is judged by who named it, when it is resolved', async () => {
  let address = '10.0.0.1';
  const resolve: Resolve = (_name, _options, done) => done(null, [{ address, family: 4 }]);
  const rule = new DialRule(() => PEERS, [], resolve);
  const look = (name: string): Promise<string> =>
    new Promise((done) => rule.lookup(name, {}, (error, found) => done(error?.code ?? String(found))));
  assert.equal(await look('partner.example'), '10.0.0.1');
  assert.equal(await look('named.example'), 'ERR_ADDRESS_REFUSED');
  assert.equal(await look('both.example'), 'ERR_ADDRESS_REFUSED');
  address = '127.0.0.1';
  assert.equal(await look('partner.example'), 'ERR_ADDRESS_REFUSED');
  assert.equal(await look('localhost'), '127.0.0.1');
  address = '169.254.169.254';
  for (const name of ['partner.example', 'localhost']) assert.equal(await look(name), 'ERR_ADDRESS_REFUSED');
});
