import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { readNetwork } from '../../../src/core/address.ts';
import { entry, start, startTwo } from './harness.ts';

test('no socket is opened to an address, or behind a name, that a partner named and that is not public', async (t) => {
  let connections = 0;
  const inside = createServer(() => {
    connections += 1;
  });
  inside.listen(0, '127.0.0.1');
  await once(inside, 'listening');
  t.after(() => inside.close());
  const { port } = inside.address() as AddressInfo;
  const { server } = await startTwo(t);
  for (const [host, code] of [
    ['/ip4/127.0.0.1', 'forbidden'],
    ['/ip6/::ffff:127.0.0.1', 'forbidden'],
    ['/dns4/localhost', 'dial_failed'],
    ['/dns/localhost', 'dial_failed'],
    ['/dns4/2130706433', 'forbidden'],
  ] as const) {
    const named = { peerId: server.peerId, addresses: [`${host}/tcp/${port}`], addressesFrom: 'peer' as const };
    const client = await start(t, 'client', [named], { listen: [] });
    await assert.rejects(client.dial(server.peerId), (error) => {
      assert.ok(error instanceof Error && 'code' in error);
      assert.equal(error.code, code, host);
      assert.match(error.message, /not connected to|not dialled/, host);
      return true;
    });
  }
  assert.equal(connections, 0);
});

test('an operator’s own localhost is dialled, and a network that is allowed, whoever named it', async (t) => {
  const { server } = await startTwo(t);
  const port = /tcp\/(\d+)/.exec(server.addresses()[0] ?? '')?.[1];
  const written = { peerId: server.peerId, addresses: [`/dns4/localhost/tcp/${port}`] };
  await (await start(t, 'client', [written], { listen: [] })).dial(server.peerId);
  const network = readNetwork('127.0.0.0/8');
  assert.ok(network !== null);
  const named = { ...entry(server), addressesFrom: 'peer' as const };
  await (await start(t, 'client', [named], { listen: [], allowedNetworks: [network] })).dial(server.peerId);
});
