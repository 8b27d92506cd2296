import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  completeRoot,
  EMPTY_ROOT,
  leafHash,
  nodeHash,
  packHashes,
  sameHash,
  sha256,
  unpackHashes,
} from '../../../src/merkle/hash.ts';
import { isPowerOfTwo, isTreeSize, splitPoint } from '../../../src/merkle/tree-size.ts';
import { leafOf, SlowTree, sha } from './slow-tree.ts';

test('leaf and node hashes carry their prefix, whatever was hashed before', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 5 }), (datas) => {
      for (const data of datas) assert.deepEqual(leafHash(data), sha(Buffer.of(0), data));
    }),
  );
  assert.deepEqual(nodeHash(leafOf(1), leafOf(2)), sha(Buffer.of(1), leafOf(1), leafOf(2)));
  assert.deepEqual(sha256('naïve'), sha('naïve'));
  assert.deepEqual(EMPTY_ROOT, sha());
});

test('a child that is not 32 bytes is never hashed', () => {
  for (const wrong of [Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(0)]) {
    assert.throws(() => nodeHash(wrong, leafOf(1)), RangeError);
    assert.throws(() => nodeHash(leafOf(1), wrong), RangeError);
    assert.throws(() => packHashes([leafOf(1), wrong]), RangeError);
  }
  assert.throws(() => unpackHashes(Buffer.alloc(33)), RangeError);
});

test('the root of a complete subtree is that of the recursion, at every place of a tile', () => {
  const tree = SlowTree.dense(256);
  const tile = packHashes(Array.from({ length: 256 }, (_, i) => leafOf(i)));
  for (let count = 1; count <= 256; count *= 2) {
    for (let first = 0; first < 256; first += count) {
      assert.deepEqual(completeRoot(tile, first, count), tree.root(first, first + count));
    }
  }
});

test('packing and unpacking are inverse, also for a view into something larger', () => {
  const hashes = [leafOf(1), leafOf(2), leafOf(3)];
  assert.deepEqual(unpackHashes(packHashes(hashes)), hashes);
  const shifted = new Uint8Array(Buffer.concat([Buffer.alloc(5), ...hashes])).subarray(5);
  assert.deepEqual(unpackHashes(shifted), hashes);
});

test('equal hashes are 32 equal bytes', () => {
  assert.equal(sameHash(leafOf(1), new Uint8Array(leafOf(1))), true);
  assert.equal(sameHash(leafOf(1), leafOf(2)), false);
  assert.equal(sameHash(leafOf(1), leafOf(1).subarray(0, 31)), false);
  assert.equal(sameHash(Buffer.alloc(0), Buffer.alloc(0)), false);
});

test('split point and power of two hold up to 2^53', () => {
  for (let exponent = 1; exponent <= 53; exponent++) {
    const power = 2 ** exponent;
    assert.equal(splitPoint(power), power / 2);
    assert.equal(isPowerOfTwo(power), true);
    if (exponent < 53) assert.equal(splitPoint(power + 1), power);
    if (exponent > 1) assert.equal(splitPoint(power - 1), power / 2);
    if (exponent > 1) assert.equal(isPowerOfTwo(power - 1), false);
  }
  assert.equal(isPowerOfTwo(0), false);
});

test('a tree size is a safe integer from 0', () => {
  for (const size of [0, 1, 2 ** 53 - 1]) assert.equal(isTreeSize(size), true);
  for (const size of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(isTreeSize(size), false);
});
