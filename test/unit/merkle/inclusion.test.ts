import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkInclusion } from '../../../src/merkle/inclusion.ts';
import { foldInclusion, leafOf, SlowTree, turned, withOneBitTurned } from './slow-tree.ts';

const tree = SlowTree.dense(301);

test('every leaf of every tree up to 130 leaves is found where it is', () => {
  for (let size = 1; size <= 130; size++) {
    for (let index = 0; index < size; index++) {
      const path = tree.inclusion(index, 0, size);
      assert.equal(checkInclusion(leafOf(index), index, path, tree.root(0, size), size), 'ok');
    }
  }
});

test('no single mutation of leaf, path, index or root passes', () => {
  for (const size of [1, 2, 3, 5, 8, 100, 257, 300]) {
    for (let index = 0; index < size; index += Math.ceil(size / 40)) {
      const path = tree.inclusion(index, 0, size);
      const root = tree.root(0, size);
      const check = (leaf: Uint8Array, at: number, hashes: Uint8Array[]) =>
        checkInclusion(leaf, at, hashes, root, size);

      assert.equal(check(turned(leafOf(index)), index, path), 'root_mismatch');
      for (const mutant of withOneBitTurned(path)) assert.equal(check(leafOf(index), index, mutant), 'root_mismatch');
      assert.equal(checkInclusion(leafOf(index), index, path, turned(root), size), 'root_mismatch');
      assert.equal(check(leafOf(index), index, [...path, leafOf(0)]), 'wrong_length');
      if (path.length > 0) assert.equal(check(leafOf(index), index, path.slice(1)), 'wrong_length');
      if (path.length > 0) assert.equal(check(leafOf(index), index, path.slice(0, -1)), 'wrong_length');
      for (let other = 0; other < size; other++) {
        if (other !== index) assert.notEqual(check(leafOf(index), other, path), 'ok');
      }
    }
  }
});

test('another size is accepted only where it puts the same hashes together, as the recursion says', () => {
  for (let size = 1; size <= 40; size++) {
    for (let index = 0; index < size; index++) {
      const path = tree.inclusion(index, 0, size);
      const root = tree.root(0, size);
      for (let claimed = 1; claimed <= 42; claimed++) {
        const folded = index < claimed ? foldInclusion(leafOf(index), index, claimed, path) : undefined;
        const isSame = folded !== undefined && root.equals(folded);
        assert.equal(checkInclusion(leafOf(index), index, path, root, claimed) === 'ok', isSame);
      }
    }
  }
});

test('trees beyond 2^32 leaves are checked without cutting a number', () => {
  for (const size of [2 ** 31 + 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12345, 2 ** 53 - 1]) {
    const indexes = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 1, size - 2, size - 1].filter((index) => index < size);
    const large = new SlowTree(indexes);
    const root = large.root(0, size);
    for (const index of indexes) {
      const path = large.inclusion(index, 0, size);
      assert.equal(checkInclusion(leafOf(index), index, path, root, size), 'ok');
      const wrapped = (index + 2 ** 32) % size;
      if (wrapped !== index) assert.notEqual(checkInclusion(leafOf(index), wrapped, path, root, size), 'ok');
      for (const mutant of withOneBitTurned(path)) {
        assert.equal(checkInclusion(leafOf(index), index, mutant, root, size), 'root_mismatch');
      }
    }
  }
});

test('numbers that are no position or size are refused', () => {
  const path = tree.inclusion(2, 0, 5);
  const root = tree.root(0, 5);
  for (const index of [-1, 5, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.equal(checkInclusion(leafOf(2), index, path, root, 5), 'index_out_of_range');
  }
  for (const size of [0, -1, 2, 4.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.equal(checkInclusion(leafOf(2), 2, path, root, size), 'index_out_of_range');
  }
});

test('it never throws, whatever a peer sends', () => {
  const bytes = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 70 }));
  const number = fc.oneof(fc.nat(300), fc.double(), fc.maxSafeInteger());
  fc.assert(
    fc.property(bytes, number, fc.array(bytes, { maxLength: 60 }), bytes, number, (leaf, index, path, root, size) => {
      assert.notEqual(checkInclusion(leaf, index, path, root, size), 'ok');
    }),
  );
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(64)]) {
    const path = tree.inclusion(2, 0, 5);
    const root = tree.root(0, 5);
    assert.equal(checkInclusion(wrong, 2, path, root, 5), 'wrong_length');
    assert.equal(checkInclusion(leafOf(2), 2, path, wrong, 5), 'wrong_length');
    assert.equal(checkInclusion(leafOf(2), 2, path.with(1, wrong), root, 5), 'wrong_length');
  }
});
