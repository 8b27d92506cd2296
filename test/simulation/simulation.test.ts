/** The simulator itself: the same seed gives the same run, and its checks can fail. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EvidenceStore } from '../../src/journal/evidence-store.ts';
import { Chance } from './chance.ts';
import { makeWorld, type World } from './mesh.ts';
import { Platform } from './platform.ts';
import { simulate } from './scenario.ts';

/** A run with crashes, a restored copy and a liar among others. */
const SEEDS = [2, 4, 10];
/** A liar's facts are refused in some of these. */
const LYING_SEEDS = Array.from({ length: 30 }, (_, i) => 21 + i);

let world: World;
before(async () => {
  world = await makeWorld();
});
after(() => world.remove());

test('two runs of a seed are the same, step by step', async () => {
  for (const seed of SEEDS) {
    const first = await simulate(seed, world);
    const second = await simulate(seed, world);
    assert.deepEqual(first.problems, []);
    assert.deepEqual(second, first);
  }
});

test('a fault of the product is found: evidence that is named and not kept', async (t) => {
  const { save } = EvidenceStore.prototype;
  t.after(() => Object.assign(EvidenceStore.prototype, { save }));
  Object.assign(EvidenceStore.prototype, { save: () => `sha256:${'0'.repeat(64)}` });
  for (const seed of LYING_SEEDS) {
    const { problems } = await simulate(seed, world);
    if (problems.some((problem) => problem.includes('lacks evidence'))) return;
  }
  assert.fail('in no run');
});

test('timers fire in order, at their time, and a delay that Node cannot keep fires at once', async () => {
  const platform = new Platform(0, new Chance(1));
  const fired: string[] = [];
  platform.after(20, () => fired.push(`late ${platform.elapsedMs}`));
  platform.after(10, () => fired.push(`early ${platform.elapsedMs}`));
  platform.after(2 ** 31, () => fired.push(`overflow ${platform.elapsedMs}`));
  platform.after(5, () => fired.push('never')).clear();
  await platform.advance(15);
  assert.deepEqual(fired, ['overflow 1', 'early 10']);
  await platform.advance(15);
  assert.deepEqual(fired, ['overflow 1', 'early 10', 'late 20']);
});
