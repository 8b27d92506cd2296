import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainBetween, keysOfChain, successorsOf } from '../../../src/verify/key-chain.ts';
import type { OpenedSuccession } from '../../../src/wire/succession.ts';

const NOW_MS = Date.parse('2026-06-01T00:00:00Z');
const at = (
  old: string,
  next: string,
  effective_at = '2026-01-01T00:00:00Z',
  use: OpenedSuccession['use'] = 'log',
) => ({
  nodeId: 'stigmem://acme.example',
  note: `${old}->${next}`,
  old,
  new: next,
  effective_at,
  overlap_until: effective_at,
  use,
  v: 1 as const,
});
const notes = (links: readonly OpenedSuccession[] | null): readonly string[] | undefined =>
  links?.map(({ note }) => note);

test('a chain leads over every step, in any order of the statements, and never backwards', () => {
  const all = [at('b', 'c'), at('a', 'b'), at('a', 'x')];
  assert.deepEqual(notes(chainBetween(all, 'log', { from: 'a', to: 'c' }, NOW_MS)), ['a->b', 'b->c']);
  assert.deepEqual(notes(chainBetween(all, 'log', { from: 'a', to: 'a' }, NOW_MS)), []);
  assert.equal(chainBetween(all, 'log', { from: 'c', to: 'a' }, NOW_MS), null);
  assert.equal(chainBetween(all, 'log', { from: 'x', to: 'c' }, NOW_MS), null);
});

test('statements of another use, of the future or in a circle lead nowhere', () => {
  assert.equal(chainBetween([at('a', 'b', undefined, 'node')], 'log', { from: 'a', to: 'b' }, NOW_MS), null);
  assert.equal(chainBetween([at('a', 'b', '2026-07-01T00:00:00Z')], 'log', { from: 'a', to: 'b' }, NOW_MS), null);
  assert.equal(chainBetween([at('a', 'b'), at('b', 'a')], 'log', { from: 'a', to: 'c' }, NOW_MS), null);
  assert.deepEqual(notes(successorsOf([at('a', 'b'), at('b', 'a')], 'log', 'a', NOW_MS)), ['a->b']);
});

test('a chain that is too long is not followed', () => {
  const long = Array.from({ length: 70 }, (_, i) => at(`k${i}`, `k${i + 1}`));
  assert.equal(chainBetween(long, 'log', { from: 'k0', to: 'k64' }, NOW_MS)?.length, 64);
  assert.equal(chainBetween(long, 'log', { from: 'k0', to: 'k70' }, NOW_MS), null);
});

test('a key stands for those before and after it, whenever they take effect', () => {
  const all = [at('a', 'b'), at('b', 'c', '2027-01-01T00:00:00Z'), at('x', 'y')];
  assert.deepEqual(new Set(keysOfChain(all, 'log', 'b')), new Set(['a', 'b', 'c']));
  assert.deepEqual(keysOfChain(all, 'log', 'z'), ['z']);
});
