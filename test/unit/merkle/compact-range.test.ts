import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompactRange } from '../../../src/merkle/compact-range.ts';
import { leafOf, SlowTree } from './slow-tree.ts';

const LEAVES = 130;
const tree = SlowTree.dense(LEAVES + 1);

test('root and kept paths are those of the tree at every size, also when it went on from its state', () => {
  let range = new CompactRange();
  assert.deepEqual(range.root(), tree.root(0, 0));
  for (let size = 1; size <= LEAVES; size++) {
    range.append(leafOf(size - 1));
    range = new CompactRange(range.state());
    assert.equal(range.size, size);
    assert.deepEqual(range.root(), tree.root(0, size), `root of ${size}`);
    for (let index = 0; index < size; index++)
      assert.deepEqual(range.path(index), tree.inclusion(index, 0, size), `leaf ${index} of ${size}`);
  }
});

test('what is forgotten has no path, and changes neither the root nor the paths of others', () => {
  const range = new CompactRange();
  for (let size = 1; size <= LEAVES; size++) {
    range.append(leafOf(size - 1));
    if ((size - 1) % 7 !== 0) range.forget(size - 1);
  }
  assert.equal(range.path(1), undefined);
  assert.deepEqual(range.path(7), tree.inclusion(7, 0, LEAVES));
  assert.deepEqual(range.root(), tree.root(0, LEAVES));
  assert.equal(range.state().peaks.length, 2); // 128 + 2
});
