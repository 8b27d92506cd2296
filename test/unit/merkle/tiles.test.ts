import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_ROOT, packHashes } from '../../../src/merkle/hash.ts';
import {
  proveConsistency,
  proveInclusion,
  provePage,
  rootAt,
  type TileSource,
  tilePath,
  tileWidth,
} from '../../../src/merkle/tiles.ts';
import { pickIndexes, randomOf, SlowTree } from './slow-tree.ts';

const tree = SlowTree.dense(301);
const tiles = tree.tiles();

/** Counts reads, and demands that no tile is read twice. */
function counting(source: TileSource): TileSource & { readonly reads: Set<string> } {
  const reads = new Set<string>();
  return {
    reads,
    tile: (level, index, width) => {
      const name = tilePath(level, index, width);
      assert.ok(!reads.has(name), `${name} is read twice`);
      reads.add(name);
      return source.tile(level, index, width);
    },
  };
}

test('roots and inclusion paths from tiles are those of the recursion, for all sizes up to 300', () => {
  for (let size = 0; size <= 300; size++) {
    assert.deepEqual(rootAt(size, tiles), tree.root(0, size));
    for (let index = size % 7; index < size; index += 7) {
      assert.deepEqual(proveInclusion(index, size, tiles), tree.inclusion(index, 0, size));
    }
  }
});

test('consistency paths from tiles are those of the recursion, for all sizes up to 300', () => {
  for (let newSize = 0; newSize <= 300; newSize++) {
    for (let oldSize = newSize % 5; oldSize <= newSize; oldSize += newSize < 40 ? 1 : 5) {
      assert.deepEqual(proveConsistency(oldSize, newSize, tiles), tree.consistency(oldSize, newSize));
    }
  }
});

test('page proofs from tiles are those of the recursion, for all sizes up to 300', () => {
  const random = randomOf(5);
  for (let size = 1; size <= 300; size++) {
    for (const count of [0, 1, 3, 1 + Math.floor(random() * size), size]) {
      const indexes = pickIndexes(size, count, random);
      assert.deepEqual(provePage(indexes, size, tiles), packHashes(tree.page(indexes, 0, size)));
    }
  }
  assert.deepEqual(provePage([], 0, tiles), Buffer.alloc(0));
});

test('larger trees, with tiles of three levels', () => {
  const random = randomOf(6);
  for (let round = 0; round < 12; round++) {
    const size = 65_536 + Math.floor(random() * 200_000);
    const indexes = pickIndexes(size, 1 + Math.floor(random() * 300), random);
    const oldSize = 1 + Math.floor(random() * size);
    const large = new SlowTree([...indexes, oldSize - 1].filter((index, at, all) => all.indexOf(index) === at));
    const source = large.tiles();
    assert.deepEqual(rootAt(size, source), large.root(0, size));
    assert.deepEqual(proveConsistency(oldSize, size, source), large.consistency(oldSize, size));
    assert.deepEqual(provePage(indexes, size, source), packHashes(large.page(indexes, 0, size)));
    assert.deepEqual(proveInclusion(oldSize - 1, size, source), large.inclusion(oldSize - 1, 0, size));
  }
});

test('trees beyond 2^32 leaves', () => {
  for (const size of [2 ** 32 + 1, 2 ** 40 + 12345, 2 ** 53 - 1]) {
    const indexes = [0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, size - 1].filter((index, at, all) => all.indexOf(index) === at);
    const large = new SlowTree(indexes);
    assert.deepEqual(rootAt(size, large.tiles()), large.root(0, size));
    assert.deepEqual(provePage(indexes, size, large.tiles()), packHashes(large.page(indexes, 0, size)));
    assert.deepEqual(proveInclusion(2 ** 32, size, large.tiles()), large.inclusion(2 ** 32, 0, size));
    assert.deepEqual(proveConsistency(2 ** 32, size, large.tiles()), large.consistency(2 ** 32, size));
  }
});

test('one proof reads each tile once, and few of them', () => {
  const size = 1_000_000;
  const adjacent = Array.from({ length: 1000 }, (_, i) => 432_117 + i);
  const large = new SlowTree(adjacent).tiles();
  for (const [most, prove] of [
    [9, (source: TileSource) => provePage(adjacent, size, source)],
    [5, (source: TileSource) => proveInclusion(432_117, size, source)],
    [5, (source: TileSource) => proveConsistency(432_117, size, source)],
    [3, (source: TileSource) => rootAt(size, source)],
  ] as const) {
    const source = counting(large);
    prove(source);
    assert.ok(source.reads.size <= most, `${source.reads.size} tiles`);
  }
  const scattered = counting(large);
  provePage(adjacent.filter((index) => index % 3 === 0).concat(900_000), size, scattered);
  assert.ok(scattered.reads.size <= 14, `${scattered.reads.size} tiles`);
});

test('a tile is asked for with the hashes that a tree of that size has, and a wider one serves', () => {
  const widths = new Set<string>();
  const wide: TileSource = {
    tile: (level, index, width) => {
      widths.add(tilePath(level, index, width));
      return level === 0 && index === 1
        ? Buffer.concat([tiles.tile(0, 1, 45), Buffer.alloc(32)])
        : tiles.tile(level, index, width);
    },
  };
  assert.deepEqual(proveInclusion(257, 300, wide), tree.inclusion(257, 0, 300));
  assert.deepEqual(widths, new Set(['tile/1/000.p/1', 'tile/0/001.p/44']));
  assert.deepEqual(
    [tileWidth(0, 0, 300), tileWidth(0, 1, 300), tileWidth(0, 2, 300), tileWidth(1, 0, 300), tileWidth(2, 0, 300)],
    [256, 44, 0, 1, 0],
  );
});

test('damage of our own storage throws, and is never proved over', () => {
  const absent: TileSource = {
    tile: () => {
      throw new Error('no such tile');
    },
  };
  assert.throws(() => rootAt(5, absent), /no such tile/);
  const cut: TileSource = { tile: (...at) => tiles.tile(...at).subarray(1) };
  assert.throws(() => rootAt(5, cut), /tile\/0\/000\.p\/5 has 159 bytes/);
  assert.throws(() => provePage([1], 5, cut), RangeError);
});

test('positions and sizes that cannot be are faults of the caller', () => {
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => rootAt(size, tiles), RangeError);
    assert.throws(() => proveInclusion(0, size, tiles), RangeError);
    assert.throws(() => proveConsistency(0, size, tiles), RangeError);
    assert.throws(() => provePage([], size, tiles), RangeError);
  }
  assert.throws(() => proveInclusion(5, 5, tiles), RangeError);
  assert.throws(() => proveInclusion(-1, 5, tiles), RangeError);
  assert.throws(() => proveConsistency(6, 5, tiles), RangeError);
  for (const indexes of [[5], [-1], [1, 1], [2, 1], [0.5]])
    assert.throws(() => provePage(indexes, 5, tiles), RangeError);
  assert.deepEqual(rootAt(0, tiles), EMPTY_ROOT);
});

test('tile paths are those of tlog-tiles', () => {
  assert.equal(tilePath(0, 0), 'tile/0/000');
  assert.equal(tilePath(0, 1_234_067), 'tile/0/x001/x234/067');
  assert.equal(tilePath(1, 999, 17), 'tile/1/999.p/17');
  assert.equal(tilePath(3, 1000, 1), 'tile/3/x001/000.p/1');
  assert.equal(tilePath('entries', 45_067, 255), 'tile/entries/x045/067.p/255');
});
