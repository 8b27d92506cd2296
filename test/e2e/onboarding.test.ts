/** Two operators become partners, each on a terminal: two commands. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { Terminal, wordsOn } from '../support/terminal.ts';

const UNTIL = '2099-12-31';

async function twoNodes(t: TestContext): Promise<{ bench: Bench; acme: NodeProcess; globex: NodeProcess }> {
  const bench = new Bench(t);
  const settings = ['federation.poll_interval_s=1', 'gardens=incident-42'];
  const [acme, globex] = await Promise.all([
    bench.node('acme.example', settings),
    bench.node('globex.example', settings),
  ]);
  await Promise.all([acme.start(), globex.start()]);
  await Promise.all([assertFacts(acme, 12), assertFacts(globex, 3)]);
  return { bench, acme, globex };
}

async function assertFacts(node: NodeProcess, count: number): Promise<void> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `${node.nodeId}/host/h${i}`,
    relation: 'ops:state',
    value: { type: 'text', v: `up ${i}` },
    source: `${node.nodeId}/operator`,
    scope: 'public',
  }));
  const { status } = await node.post('/v1/facts', { facts });
  assert.ok(status < 300);
}

test('invite and join on two terminals: the same words, two times yes, facts in both directions in under a minute', async (t) => {
  const { acme, globex } = await twoNodes(t);
  const startedMs = performance.now();
  const share = ['--share', 'public,company/incident-42', '--accept', 'public', '--until', UNTIL];
  const inviting = new Terminal(t, ['peer', 'invite', ...share, '--data', acme.dir]);
  const [code] = await inviting.shows(/stigmem1[a-z2-7]+/);
  const joining = new Terminal(t, ['peer', 'join', code, '--data', globex.dir]);
  await Promise.all([joining.shows(/yes or no: $/), inviting.shows(/yes or no: $/)]);

  const [there, here] = [wordsOn(joining.screen), wordsOn(inviting.screen)];
  assert.equal(here.length, 12, inviting.screen);
  assert.deepEqual(there, here);
  for (const check of ['reach', 'key', 'clock', 'versions', 'grants', 'partner'])
    for (const { screen } of [inviting, joining]) assert.match(screen, new RegExp(`ok +${check} `));
  assert.match(inviting.screen, /You will receive about 3 facts \(of public\), they about 12 \(of public, company/);
  assert.match(joining.screen, /You will receive about 12 facts \(of public, company\/incident-42\), they about 3/);
  assert.match(joining.screen, /The grants end at 2100-01-01T00:00:00/);

  inviting.type('yes');
  assert.equal(await inviting.ended(), 0, inviting.screen);
  // One yes is not enough: the other side has not let us in yet.
  assert.equal((await globex.get('/v1/federation/peers')).body.peers.length, 0);
  joining.type('yes');
  assert.equal(await joining.ended(), 0, joining.screen);
  const [atAcme, atGlobex] = await Promise.all([
    acme.peerUntil('globex', 'has given its facts', ({ accepted }) => accepted === 3),
    globex.peerUntil('acme', 'has given its facts', ({ accepted }) => accepted === 12),
  ]);
  const seconds = (performance.now() - startedMs) / 1_000;
  t.diagnostic(`from invite to facts in both directions: ${seconds.toFixed(1)} s`);
  // Under a minute on a machine that has nothing else to do.
  assert.ok(seconds < 180, `${seconds} s`);
  assert.deepEqual([atAcme.refused, atGlobex.refused], [0, 0]);
  const file = readFileSync(join(acme.dir, 'peers', 'globex.toml'), 'utf8');
  assert.match(
    file,
    /share = \[\{ feed = "public", not_after = "2100-01-01T00:00:00.000Z" \}, \{ feed = "company\/inc/,
  );
  assert.deepEqual(
    (await acme.audit('peer_id=stigmem://globex.example')).map(({ event_type }) => event_type).slice(0, 2),
    ['invite_used', 'peer_confirmed'],
  );
});
