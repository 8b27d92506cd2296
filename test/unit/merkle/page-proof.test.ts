import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMPTY_ROOT, unpackHashes } from '../../../src/merkle/hash.ts';
import { checkInclusion } from '../../../src/merkle/inclusion.ts';
import { foldPage, inclusionFromPage } from '../../../src/merkle/page-proof.ts';
import { foldPageSlowly, leafOf, pickIndexes, randomOf, SlowTree, turned } from './slow-tree.ts';

const tree = SlowTree.dense(301);

/** Folds and compares, as a caller does. */
function leadsTo(
  root: Buffer,
  size: number,
  indexes: readonly number[],
  leaves: Uint8Array,
  proof: Uint8Array,
): boolean {
  const folded = foldPage(size, indexes, leaves, proof);
  return folded.ok && folded.value.equals(root);
}

test('pages of every tree up to 300 leaves fold into its root', () => {
  const random = randomOf(1);
  for (let size = 1; size <= 300; size++) {
    for (const count of [1, 2, 1 + Math.floor(random() * size), size]) {
      const indexes = pickIndexes(size, count, random);
      const proof = Buffer.concat(tree.page(indexes, 0, size));
      assert.equal(leadsTo(tree.root(0, size), size, indexes, tree.leaves(indexes), proof), true);
    }
  }
});

test('no single mutation of leaf, index or proof passes', () => {
  const random = randomOf(2);
  for (let round = 0; round < 60; round++) {
    const size = 2 + Math.floor(random() * 150);
    const indexes = pickIndexes(size, 1 + Math.floor(random() * 20), random);
    const leaves = tree.leaves(indexes);
    const proof = Buffer.concat(tree.page(indexes, 0, size));
    const root = tree.root(0, size);

    for (let bit = 0; bit < leaves.length * 8; bit += 41) {
      assert.equal(leadsTo(root, size, indexes, turned(leaves, bit), proof), false);
    }
    for (let bit = 0; bit < proof.length * 8; bit += 41) {
      assert.equal(leadsTo(root, size, indexes, leaves, turned(proof, bit)), false);
    }
    for (let at = 0; at < indexes.length; at++) {
      for (let other = 0; other < size; other++) {
        if (other === indexes[at]) continue;
        assert.equal(leadsTo(root, size, indexes.with(at, other), leaves, proof), false);
      }
      const others = indexes.toSpliced(at, 1);
      assert.equal(leadsTo(root, size, others, tree.leaves(others), proof), false);
    }
  }
});

test('missing and left over hashes are an error, whatever they are', () => {
  const indexes = [3, 4, 9];
  const leaves = tree.leaves(indexes);
  const proof = Buffer.concat(tree.page(indexes, 0, 20));
  const lengths = [
    proof.subarray(32),
    proof.subarray(0, -32),
    proof.subarray(0, -1),
    Buffer.concat([proof, leafOf(1)]),
  ];
  for (const wrong of [...lengths, Buffer.alloc(0), Buffer.concat([proof, Buffer.of(0)])]) {
    assert.deepEqual(foldPage(20, indexes, leaves, wrong), { ok: false, error: 'wrong_length' });
  }
  for (const wrong of [leaves.subarray(32), leaves.subarray(1), Buffer.concat([leaves, leafOf(1)]), Buffer.alloc(0)]) {
    assert.deepEqual(foldPage(20, indexes, wrong, proof), { ok: false, error: 'wrong_length' });
  }
});

test('another size is accepted only where it puts the same hashes together, as the recursion says', () => {
  const random = randomOf(3);
  for (let size = 1; size <= 40; size++) {
    const indexes = pickIndexes(size, 1 + Math.floor(random() * 6), random);
    const leaves = tree.leaves(indexes);
    const proof = tree.page(indexes, 0, size);
    for (let claimed = 1; claimed <= 70; claimed++) {
      const folded = foldPage(claimed, indexes, leaves, Buffer.concat(proof));
      const isInside = indexes.every((index) => index < claimed);
      const slow = isInside ? foldPageSlowly(claimed, indexes, unpackHashes(leaves), proof) : undefined;
      assert.deepEqual(folded.ok ? folded.value : undefined, slow);
    }
  }
});

test('the single paths that a page yields are the inclusion paths', () => {
  const random = randomOf(4);
  for (let round = 0; round < 100; round++) {
    const size = 1 + Math.floor(random() * 300);
    const indexes = pickIndexes(size, 1 + Math.floor(random() * 40), random);
    const proof = Buffer.concat(tree.page(indexes, 0, size));
    indexes.forEach((index, position) => {
      const path = inclusionFromPage(size, indexes, tree.leaves(indexes), proof, position);
      assert.deepEqual(path, tree.inclusion(index, 0, size));
      assert.equal(checkInclusion(leafOf(index), index, path, tree.root(0, size), size), 'ok');
    });
  }
});

test('no single path is made of a page that does not fold', () => {
  const indexes = [3, 4, 9];
  const leaves = tree.leaves(indexes);
  const proof = Buffer.concat(tree.page(indexes, 0, 20));
  for (const position of [-1, 3, 0.5, Number.NaN]) {
    assert.throws(() => inclusionFromPage(20, indexes, leaves, proof, position), RangeError);
  }
  assert.throws(() => inclusionFromPage(20, indexes, leaves, proof.subarray(32), 0), RangeError);
  assert.throws(() => inclusionFromPage(20, indexes, leaves.subarray(32), proof, 0), RangeError);
  assert.throws(() => inclusionFromPage(20, [4, 3, 9], leaves, proof, 0), RangeError);
  assert.throws(() => inclusionFromPage(-1, indexes, leaves, proof, 0), RangeError);
});

test('a page without leaves is its root; the empty tree has nothing to prove', () => {
  assert.deepEqual(foldPage(7, [], Buffer.alloc(0), tree.root(0, 7)), { ok: true, value: tree.root(0, 7) });
  assert.deepEqual(foldPage(0, [], Buffer.alloc(0), Buffer.alloc(0)), { ok: true, value: EMPTY_ROOT });
  assert.deepEqual(foldPage(0, [], Buffer.alloc(0), leafOf(0)), { ok: false, error: 'wrong_length' });
  assert.deepEqual(foldPage(0, [0], leafOf(0), Buffer.alloc(0)), { ok: false, error: 'indexes_invalid' });
});

test('trees beyond 2^32 leaves are folded without cutting a number', () => {
  for (const size of [2 ** 32 + 1, 2 ** 40 + 12345, 2 ** 53 - 1]) {
    const indexes = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, size - 1];
    const large = new SlowTree(indexes);
    const picked = [...new Set(indexes)].sort((a, b) => a - b);
    const proof = Buffer.concat(large.page(picked, 0, size));
    assert.equal(leadsTo(large.root(0, size), size, picked, large.leaves(picked), proof), true);
    picked.forEach((index, position) => {
      const path = inclusionFromPage(size, picked, large.leaves(picked), proof, position);
      assert.deepEqual(path, large.inclusion(index, 0, size));
    });
  }
});

test('it never throws, whatever a peer sends', () => {
  const number = fc.oneof(fc.nat(50), fc.double(), fc.maxSafeInteger());
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat(9).map((count) => Buffer.alloc(32 * count)),
  );
  fc.assert(
    fc.property(number, fc.array(number, { maxLength: 6 }), bytes, bytes, (size, indexes, leaves, proof) => {
      assert.equal(typeof foldPage(size, indexes, leaves, proof).ok, 'boolean');
    }),
  );
  const one = leafOf(0);
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.deepEqual(foldPage(size, [0], one, one), { ok: false, error: 'size_out_of_range' });
  }
  for (const indexes of [
    [1, 0],
    [1, 1],
    [-1, 1],
    [0, 0.5],
    [0, Number.NaN],
    [0, 2],
    [0, 2 ** 53],
  ]) {
    assert.deepEqual(foldPage(2, indexes, Buffer.concat([one, one]), one), { ok: false, error: 'indexes_invalid' });
  }
});
