import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  consistencyProof,
  inclusionProof,
  pageProof,
  rootOf,
  rootOfPage,
  tilesOf,
} from '../../../src/merkle/leaf-list.ts';
import { leafOf, pickIndexes, randomOf, SlowTree } from './slow-tree.ts';

const SIZES = [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 600];
const MOST = Math.max(...SIZES);
const leaves = Array.from({ length: MOST }, (_, index) => leafOf(index));
const slow = SlowTree.dense(MOST);

test('roots and proofs of a list are those of the definitions, at its end and before it', () => {
  const random = randomOf(7);
  for (const size of SIZES) {
    for (const list of [leaves, leaves.slice(0, size)]) assert.deepEqual(rootOf(list, size), slow.root(0, size));
    if (size === 0) continue;
    const index = Math.floor(random() * size);
    assert.deepEqual(inclusionProof(leaves, index, size), slow.inclusion(index, 0, size));
    const old = Math.floor(random() * (size + 1));
    assert.deepEqual(consistencyProof(leaves, old, size), slow.consistency(old, size));
    const indexes = pickIndexes(size, 12, random);
    const proof = pageProof(leaves, indexes, size);
    assert.deepEqual(proof, slow.page(indexes, 0, size));
    const listed = indexes.map(leafOf);
    assert.deepEqual(rootOfPage(size, indexes, listed, proof), { ok: true, value: slow.root(0, size) });
  }
});

test('what is not in the list cannot be proved', () => {
  assert.throws(() => rootOf(leaves, MOST + 1), RangeError);
  assert.throws(() => rootOf([Buffer.alloc(31)]), RangeError);
  assert.throws(() => inclusionProof(leaves, 3, 3), RangeError);
  assert.throws(() => consistencyProof(leaves, 4, 3), RangeError);
  assert.throws(() => pageProof(leaves, [2, 1]), RangeError);
  assert.throws(() => tilesOf(leaves).tile(0, 3, 1), RangeError);
});

test('hashes of another length are refused, not thrown at', () => {
  const refused = { ok: false, error: 'wrong_length' };
  assert.deepEqual(rootOfPage(2, [0], [leafOf(0)], [Buffer.alloc(31)]), refused);
  assert.deepEqual(rootOfPage(2, [0], [Buffer.alloc(33)], [leafOf(1)]), refused);
});
