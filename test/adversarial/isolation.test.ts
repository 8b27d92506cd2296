/** One honest peer among many hostile ones: its facts arrive, whatever the others do meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostileProcess } from '../support/hostile-process.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { HOLDERS, KIND_NAMES } from './stalling-lies.ts';

const MODULE = new URL('./stalling-lies.ts', import.meta.url).href;
/** Fewer than there are peers that never let go. */
const PARALLEL_PULLS = 3;
const FACTS = 200;
const ROUNDS = 4;
const MAX_GROWTH_MIB = 250;
/** Held so that a peer that reads nothing has more to leave unread than all buffers take. */
const BULK = 'x'.repeat(60_000);

test('an honest peer among hostile ones', async (t) => {
  assert.ok(HOLDERS.length > PARALLEL_PULLS);
  const bench = new Bench(t);
  const settings = ['federation.poll_interval_s=1', `federation.max_parallel_pulls=${PARALLEL_PULLS}`];
  const [victim, honest, ...hostile] = await Promise.all([
    bench.node('victim.example', settings).then((node) => node.start()),
    bench.node('honest.example').then((node) => node.start()),
    // Each kind that only waits shares a process; those that work for their harm have one of their own.
    ...groups().map((names) => HostileProcess.start(bench, MODULE, names)),
  ]);
  const processOf = (name: string): HostileProcess => hostile[groups().findIndex((names) => names.includes(name))]!;
  for (let i = 0; i < 400; i++) assert.equal((await victim.post('/v1/facts', bulk(i))).status, 201);
  const before = victim.memory();

  for (const name of KIND_NAMES)
    victim.writePeer(name, processOf(name).asPeer(name, { accept: ['public'], share: ['public'] }));
  await bench.until('every place for pulls is held', async () => {
    const reports = await Promise.all(HOLDERS.map((name) => processOf(name).report(name)));
    return reports.filter(({ asked }) => (asked['pull'] ?? 0) > 0).length >= PARALLEL_PULLS || undefined;
  });
  await processOf('never-reads').call('never-reads', victim);

  await t.test('its facts arrive while the hostile ones are at it', async () => {
    honest.writePeer('victim', victim.asPeer({ share: ['public'] }));
    victim.writePeer('honest', honest.asPeer({ accept: ['public'] }));
    for (let round = 1; round <= ROUNDS; round++) await assertArrives(victim, honest, round);
  });
  await t.test('every hostile peer has had its chance, and the node says what it waits for', async () => {
    for (const name of KIND_NAMES) await assertKnown(bench, victim, processOf(name), name);
  });
  await t.test('the node has stayed small, answers, and stops', async () => {
    const now = victim.memory();
    if (now !== null && before !== null)
      assert.ok(now.peakMiB - before.nowMiB < MAX_GROWTH_MIB, `it grew from ${before.nowMiB} to ${now.peakMiB} MiB`);
    t.diagnostic(`memory: ${JSON.stringify({ before, now })}`);
    await assertArrives(victim, honest, ROUNDS + 1);
    assert.equal(await victim.stop(), 0);
    assert.deepEqual((await victim.fsck()).problems, []);
  });
});

function groups(): readonly (readonly string[])[] {
  const busy = ['endless-pages', 'grows-for-ever', 'never-reads', 'drips'];
  return [KIND_NAMES.filter((name) => !busy.includes(name)), ...busy.map((name) => [name])];
}

function bulk(i: number): object {
  const value = { type: 'text', v: `${i} ${BULK}` };
  return {
    entity: `stigmem://victim.example/bulk/${i}`,
    relation: 'test:bulk',
    value,
    source: 'stigmem://victim.example/a',
    scope: 'public',
  };
}

async function assertArrives(victim: NodeProcess, honest: NodeProcess, round: number): Promise<void> {
  const facts = Array.from({ length: FACTS }, (_, i) => ({
    entity: `stigmem://honest.example/thing/${round}-${i}`,
    relation: 'test:state',
    value: { type: 'text', v: 'as it is' },
    source: 'stigmem://honest.example/agent/a',
    scope: 'public',
  }));
  assert.equal((await honest.post('/v1/facts', { facts })).body.stored, FACTS);
  const peer = await victim.peerUntil(
    'honest',
    `has given ${round * FACTS} facts`,
    (now) => now.accepted === round * FACTS,
  );
  assert.deepEqual([peer.refused, peer.cursors[0]?.after], [0, round * FACTS]);
}

async function assertKnown(bench: Bench, victim: NodeProcess, hostile: HostileProcess, name: string): Promise<void> {
  await bench.until(`${name} was asked`, async () => (await hostile.report(name)).asked['hello']);
  const peer = await victim.peer(name);
  assert.ok(peer !== undefined);
  if (peer.state !== 'current') assert.match(peer.waiting_on ?? '', /\w+ \w+/, `${name} is ${peer.state}`);
}
