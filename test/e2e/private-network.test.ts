/** A private network of whole nodes: partners with the key exchange facts, one without it is a stranger, whatever its peer file. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Bench, type NodeProcess } from '../support/node-process.ts';

const SETTINGS = ['federation.poll_interval_s=1', 'network.private_key_file=keys/swarm.key'];

async function inNetwork(bench: Bench, authority: string, byte: number): Promise<NodeProcess> {
  const node = await bench.node(authority, SETTINGS);
  const key = `/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.alloc(32, byte).toString('hex')}\n`;
  writeFileSync(join(node.dir, 'keys', 'swarm.key'), key, { mode: 0o600 });
  return node.start();
}

test('facts flow among those with the key, and nobody else gets to speak, not even by a code', async (t) => {
  const bench = new Bench(t);
  const [a, b, outside] = await Promise.all([
    inNetwork(bench, 'a.example', 1),
    inNetwork(bench, 'b.example', 1),
    inNetwork(bench, 'outside.example', 2),
  ]);
  const fact = {
    entity: `${a.nodeId}/h`,
    relation: 'a:b',
    value: { type: 'string', v: 'x' },
    source: `${a.nodeId}/op`,
    scope: 'public',
  };
  assert.equal((await a.post('/v1/facts', fact)).status, 201);
  a.writePeer('b', b.asPeer({ share: ['public'] }));
  a.writePeer('outside', outside.asPeer({ share: ['public'] }));
  for (const node of [b, outside]) node.writePeer('a', a.asPeer({ accept: ['public'] }));
  await b.peerUntil('a', 'has given everything', ({ accepted, state }) => accepted === 1 && state === 'current');
  const stranger = await outside.peerUntil('a', 'cannot be reached', ({ last_error }) => last_error !== null);
  assert.match(stranger.last_error ?? '', /network\.private_key_file|closed|in time/);
  assert.equal(stranger.accepted, 0);
  const refused = (await a.audit('')).filter(({ event_type }) => event_type === 'connection_refused');
  assert.deepEqual(refused, [], 'nobody proved a key');

  const invited = await a.post('/v1/federation/invites', { share: ['public'], accept: ['public'] });
  const joined = await outside.post('/v1/federation/join', { code: invited.body.code });
  assert.ok([409, 502].includes(joined.status), JSON.stringify(joined.body));
  assert.match(joined.body.detail.code, /^(?:unreachable|not_let_in)$/);
});
