/** A peer whose declaration is refused, again and again; and one that greets more often than it may. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { HostilePeer } from '../../src/drill/hostile-peer.ts';
import { createTransport } from '../../src/transport/node.ts';
import { encodeClosureRequest } from '../../src/wire/closure.ts';
import { encodeHello } from '../../src/wire/hello.ts';
import { CLOSURE_PROTOCOL, HELLO_PROTOCOL } from '../../src/wire/protocols.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { logVkeyIn, NAMED_KEY } from '../support/log-vkey.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const LIMITS = { idleMs: 10_000, totalMs: 10_000, maxFrameBytes: 65_536 };

async function started(t: TestContext): Promise<MeshNode> {
  const node = await MeshNode.create('globex.example').then((made) => made.start());
  t.after(() => node.stop());
  return node;
}

test('a declaration that is refused again and again has one record a minute, with the number of those between', async (t) => {
  const node = await started(t);
  const peer = new HostilePeer('acme.example', { log: new HonestPeer({ authority: 'acme.example' }) });
  t.after(() => peer.close());
  const { nodeId, peerId, address } = await peer.listen();
  const logKey = logVkeyIn(node.folder.dir);
  node.writePeer('acme', { nodeId, peerId, addresses: [address], accept: ['public'], logKey });
  await until('it was greeted five times', () => {
    node.federation.sessions.contact(peerId);
    return (peer.report().asked['hello'] ?? 0) >= 5;
  });
  const records = await node.audit('peer_declaration_refused');
  assert.deepEqual(
    records.map(({ reason, detail }) => [reason, detail['suppressed']]),
    [['log_key_mismatch', 0]],
  );
});

test('a peer that greets all the time is not answered all the time, and its other requests are', async (t) => {
  const node = await started(t);
  const [address = ''] = node.federation.addresses();
  const allowed = [{ peerId: node.folder.peerId, addresses: [address] }];
  const peer = await createTransport({ seed: new Uint8Array(32).fill(7), listen: [], allowed: () => allowed });
  t.after(() => peer.stop({ graceMs: 0 }));
  node.writePeer('acme', { nodeId: 'stigmem://acme.example', peerId: peer.peerId, addresses: [], logKey: NAMED_KEY });
  await until('it is let in', () => node.federation.files().has('acme'));
  const hello = encodeHello({
    clock_ms: 0,
    declaration: 'none',
    heads: [],
    protocols: [],
    successions: [],
    software: 'test',
  });
  const ask = async (protocol: string, request: Uint8Array): Promise<boolean> => {
    const frames = peer.request(node.folder.peerId, protocol, request, {
      ...LIMITS,
      signal: AbortSignal.timeout(10_000),
    });
    try {
      for await (const _ of frames) return true;
    } catch {}
    return false;
  };
  let answered = 0;
  let refused = 0;
  // Fewer than the multiplexer lets through at once: it must be the rate of greetings that ends it.
  for (let asked = 0; asked < 300 && refused === 0; asked++) {
    if (await ask(HELLO_PROTOCOL, hello)) answered++;
    else refused++;
  }
  t.diagnostic(`${answered} were answered`);
  assert.ok(answered >= 50, 'a burst is answered');
  assert.equal(refused, 1, 'and not everything');
  assert.ok(node.federation.connected(peer.peerId), 'the connection stays');
  assert.ok(await ask(CLOSURE_PROTOCOL, encodeClosureRequest({ feeds: ['public'] })), 'another protocol is');
  await until('it is answered again', () => ask(HELLO_PROTOCOL, hello));
});
