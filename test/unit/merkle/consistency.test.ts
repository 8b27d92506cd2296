import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkConsistency } from '../../../src/merkle/consistency.ts';
import { EMPTY_ROOT, sameHash } from '../../../src/merkle/hash.ts';
import { foldConsistency, leafOf, SlowTree, turned, withOneBitTurned } from './slow-tree.ts';

const tree = SlowTree.dense(301);
const rootOf = (size: number) => tree.root(0, size);

test('every tree up to 130 leaves extends every smaller one', () => {
  for (let newSize = 0; newSize <= 130; newSize++) {
    for (let oldSize = 0; oldSize <= newSize; oldSize++) {
      const path = tree.consistency(oldSize, newSize);
      assert.equal(checkConsistency(oldSize, rootOf(oldSize), newSize, rootOf(newSize), path), 'ok');
    }
  }
});

test('no single mutation of a path or root passes', () => {
  for (const newSize of [2, 3, 7, 8, 9, 100, 256, 257, 300]) {
    for (let oldSize = 1; oldSize < newSize; oldSize += Math.ceil(newSize / 40)) {
      const path = tree.consistency(oldSize, newSize);
      const check = (hashes: Uint8Array[]) =>
        checkConsistency(oldSize, rootOf(oldSize), newSize, rootOf(newSize), hashes);
      for (const mutant of withOneBitTurned(path)) assert.equal(check(mutant), 'new_root_mismatch');
      assert.equal(check([...path, leafOf(0)]), 'wrong_length');
      assert.equal(check(path.slice(1)), 'wrong_length');
      assert.equal(check(path.slice(0, -1)), 'wrong_length');
      assert.equal(
        checkConsistency(oldSize, rootOf(oldSize), newSize, turned(rootOf(newSize)), path),
        'new_root_mismatch',
      );
      assert.notEqual(checkConsistency(oldSize, turned(rootOf(oldSize)), newSize, rootOf(newSize), path), 'ok');
    }
  }
});

test('a path that reaches the new root and contradicts the old one is told from one that proves nothing', () => {
  const other = new SlowTree([4]);
  // the leaves of the old tree were other ones: the honest path of the new tree shows it
  const verdict = checkConsistency(5, other.root(0, 5), 12, rootOf(12), tree.consistency(5, 12));
  assert.equal(verdict, 'old_root_mismatch');
});

test('a garbled size is accepted only where it puts the same hashes together, as the recursion says', () => {
  for (let newSize = 1; newSize <= 20; newSize++) {
    for (let oldSize = 1; oldSize <= newSize; oldSize++) {
      const path = tree.consistency(oldSize, newSize);
      for (let claimedNew = 1; claimedNew <= 22; claimedNew++) {
        for (let claimedOld = 1; claimedOld < claimedNew; claimedOld++) {
          const roots = foldConsistency(rootOf(oldSize), claimedOld, claimedNew, path);
          const isSame = roots && sameHash(roots.old, rootOf(oldSize)) && sameHash(roots.new, rootOf(newSize));
          const verdict = checkConsistency(claimedOld, rootOf(oldSize), claimedNew, rootOf(newSize), path);
          assert.equal(verdict === 'ok', isSame === true, `${oldSize}->${newSize} as ${claimedOld}->${claimedNew}`);
        }
      }
    }
  }
});

test('the empty tree and equal sizes need an empty path and the right root', () => {
  assert.equal(checkConsistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, []), 'ok');
  assert.equal(checkConsistency(0, EMPTY_ROOT, 5, rootOf(5), []), 'ok');
  assert.equal(checkConsistency(0, rootOf(5), 5, rootOf(5), []), 'old_root_mismatch');
  assert.equal(checkConsistency(0, EMPTY_ROOT, 0, rootOf(5), []), 'new_root_mismatch');
  assert.equal(checkConsistency(0, EMPTY_ROOT, 5, rootOf(5), [leafOf(0)]), 'wrong_length');
  assert.equal(checkConsistency(5, rootOf(5), 5, rootOf(5), []), 'ok');
  assert.equal(checkConsistency(5, rootOf(5), 5, rootOf(4), []), 'old_root_mismatch');
  assert.equal(checkConsistency(5, rootOf(5), 5, rootOf(5), [leafOf(0)]), 'wrong_length');
});

test('trees beyond 2^32 leaves are checked without cutting a number', () => {
  const sizes = [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12345, 2 ** 52, 2 ** 53 - 2, 2 ** 53 - 1];
  const large = new SlowTree(sizes.map((size) => size - 1));
  for (const oldSize of sizes) {
    for (const newSize of sizes.filter((size) => size > oldSize)) {
      const path = large.consistency(oldSize, newSize);
      const check = (hashes: Uint8Array[]) =>
        checkConsistency(oldSize, large.root(0, oldSize), newSize, large.root(0, newSize), hashes);
      assert.equal(check(path), 'ok');
      for (const mutant of withOneBitTurned(path)) assert.equal(check(mutant), 'new_root_mismatch');
    }
  }
});

test('it never throws, whatever a peer sends', () => {
  const bytes = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 70 }));
  const number = fc.oneof(fc.nat(300), fc.double(), fc.maxSafeInteger());
  fc.assert(
    fc.property(number, bytes, number, bytes, fc.array(bytes, { maxLength: 60 }), (m, mRoot, n, nRoot, path) => {
      assert.notEqual(checkConsistency(m, mRoot, n, nRoot, path), undefined);
    }),
  );
  for (const size of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.equal(checkConsistency(size, rootOf(3), 7, rootOf(7), []), 'size_out_of_range');
    assert.equal(checkConsistency(3, rootOf(3), size, rootOf(7), []), 'size_out_of_range');
  }
  assert.equal(checkConsistency(8, rootOf(8), 7, rootOf(7), []), 'size_out_of_range');
  for (const wrong of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33)]) {
    const path = tree.consistency(3, 7);
    assert.equal(checkConsistency(3, wrong, 7, rootOf(7), path), 'wrong_length');
    assert.equal(checkConsistency(3, rootOf(3), 7, wrong, path), 'wrong_length');
    assert.equal(checkConsistency(3, rootOf(3), 7, rootOf(7), path.with(0, wrong)), 'wrong_length');
  }
});
