/**
 * Every animal of the zoo against one real node: the verdict that its entry names, within a time and with a bound on what the
 * node grows by. Those that wait together wait at the same time; those that work as fast as they can come one by one.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Bench, type NodeProcess } from '../../support/node-process.ts';
import type { Animal, InsiderAnimal } from './animal.ts';
import { ANIMALS, tables, WITHOUT } from './catalogue.ts';
import { type Cage, release, releaseInto, type Verdict } from './release.ts';
import { Victim } from './victim.ts';

const SETTINGS = ['federation.poll_interval_s=1', 'anchor.interval=20', 'anchor.max_age_s=1'];
const DEADLINE_MS = 90_000;
/** One heavy animal, or all that wait together. */
const MAX_GROWTH_MIB = 200;
const FACTS = 60;
const THREATS = [...readFileSync('docs/threat-model.md', 'utf8').matchAll(/^\| (\d+) \|/gm)].map((row) =>
  Number(row[1]),
);

const isInsider = (animal: Animal): animal is InsiderAnimal => animal.kind === 'insider';
const isHeavy = (animal: Animal): boolean => 'isHeavy' in animal && animal.isHeavy;

test('each threat has its animals or a reason why there is none, and docs/zoo.md says so', () => {
  const names = ANIMALS.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const threat of THREATS) {
    const has = ANIMALS.some(({ threats }) => threats.includes(threat));
    assert.equal(has, WITHOUT[threat] === undefined, `threat ${threat}: animals or a reason, not both`);
  }
  assert.ok(readFileSync('docs/zoo.md', 'utf8').endsWith(tables(THREATS)), 'run: npm run zoo -- doc');
});

test('the zoo against one node', async (t) => {
  const bench = new Bench(t);
  const node = await (await bench.node('victim.example', SETTINGS)).start();
  const facts = Array.from({ length: FACTS }, (_, i) => factOf(node, i));
  assert.equal((await node.post('/v1/facts', { facts })).body.stored, FACTS);
  const { nodeId, peerId, address, url, token: key, pid } = node;
  const victim = new Victim({ nodeId, peerId, address, url, key, pid });
  const cage: Cage = {
    host: '127.0.0.1',
    deadlineMs: DEADLINE_MS,
    admit: (name, file) => {
      node.writePeer(name, file);
      return () => node.removePeer(name);
    },
  };
  const one = async (animal: Exclude<Animal, InsiderAnimal>): Promise<Verdict> => release(animal, victim, cage);

  const alive = ANIMALS.filter((animal) => !isInsider(animal));
  for (const animal of alive.filter(isHeavy)) await t.test(animal.name, async (t) => check(t, await one(animal)));
  const together = alive
    .filter((animal) => !isHeavy(animal))
    .map((animal) => {
      const verdict = one(animal);
      // It is looked at in its turn; one that fails before that is not unhandled.
      verdict.catch(() => undefined);
      return [animal, verdict] as const;
    });
  for (const [animal, verdict] of together) await t.test(animal.name, async (t) => check(t, await verdict));
  assert.equal(await node.stop(), 0);
  assert.deepEqual((await node.fsck()).problems, []);
  for (const animal of ANIMALS.filter(isInsider))
    await t.test(animal.name, async (t) => check(t, await releaseInto(animal, node.dir)));
});

function check(t: { diagnostic(text: string): void }, { findings, seconds, grownMiB }: Verdict): void {
  t.diagnostic(`${seconds.toFixed(1)} s, ${grownMiB === null ? '' : `${grownMiB.toFixed(0)} MiB`}`);
  assert.deepEqual(findings, []);
  assert.ok((grownMiB ?? 0) < MAX_GROWTH_MIB, `the node grew by ${grownMiB} MiB`);
}

function factOf({ nodeId }: NodeProcess, i: number): object {
  return {
    entity: `${nodeId}/thing/${i}`,
    relation: 'test:state',
    value: { type: 'text', v: `${i} ${'x'.repeat(10_000)}` },
    source: `${nodeId}/agent/a`,
    scope: 'public',
  };
}
