import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packHashes } from '../../../src/merkle/hash.ts';
import { rootAt, type TileSource, tilePath } from '../../../src/merkle/tiles.ts';
import { type FullTile, TreeBuilder } from '../../../src/merkle/tree-builder.ts';
import { leafOf, randomOf, SlowTree } from './slow-tree.ts';

const leavesOf = (from: number, to: number) =>
  packHashes(Array.from({ length: to - from }, (_, i) => leafOf(from + i)));

/** What a journal stores: full tiles as they come, and the partial ones of the last append. */
class Store implements TileSource {
  readonly #full = new Map<string, Buffer>();
  #partial = new Map<string, Buffer>();

  keep(builder: TreeBuilder, full: readonly FullTile[]): void {
    for (const { level, index, bytes } of full) {
      assert.equal(this.#full.has(tilePath(level, index)), false);
      this.#full.set(tilePath(level, index), bytes);
    }
    this.#partial = new Map(builder.partialTiles().map(({ level, index, bytes }) => [tilePath(level, index), bytes]));
  }

  tile(level: number, index: number, width: number): Buffer {
    const found = this.#full.get(tilePath(level, index)) ?? this.#partial.get(tilePath(level, index));
    if (found === undefined) throw new Error(`${tilePath(level, index)} is not there`);
    return found.subarray(0, width * 32);
  }
}

test('the root is that of the recursion after every leaf', () => {
  const tree = SlowTree.dense(600);
  const builder = new TreeBuilder();
  for (let size = 0; size <= 600; size++) {
    assert.equal(builder.size, size);
    assert.deepEqual(builder.root(), tree.root(0, size));
    builder.append(leafOf(size));
  }
});

test('pages of any length give the same tiles and roots, over three levels', () => {
  const last = 66_500;
  const tree = SlowTree.dense(last);
  const source = tree.tiles();
  const random = randomOf(7);
  const builder = new TreeBuilder();
  const store = new Store();
  while (builder.size < last) {
    const to = Math.min(last, builder.size + Math.floor(random() * 3000));
    const full = builder.append(leavesOf(builder.size, to));
    store.keep(builder, full);
    for (const { level, index, bytes } of full) assert.deepEqual(bytes, source.tile(level, index, 256));
    assert.deepEqual(builder.root(), tree.root(0, to));
    assert.deepEqual(rootAt(to, store), tree.root(0, to));
  }
  assert.deepEqual(
    builder.partialTiles().map(({ level, index, width }) => [level, index, width]),
    [
      [0, 259, 196],
      [1, 1, 3],
      [2, 0, 1],
    ],
  );
});

test('a builder opened from tiles goes on like the one that wrote them', () => {
  const tree = SlowTree.dense(1400);
  for (const size of [0, 1, 2, 3, 200, 255, 256, 257, 511, 512, 700]) {
    const opened = TreeBuilder.open(size, tree.tiles());
    assert.equal(opened.size, size);
    assert.deepEqual(opened.root(), tree.root(0, size));
    const full = opened.append(leavesOf(size, size + 700));
    for (const { level, index, bytes } of full) assert.deepEqual(bytes, tree.tiles().tile(level, index, 256));
    assert.deepEqual(opened.root(), tree.root(0, size + 700));
  }
});

test('only partial tiles are read when it is opened', () => {
  const read: string[] = [];
  const source = SlowTree.dense(700).tiles();
  TreeBuilder.open(700, {
    tile: (level, index, width) => {
      read.push(tilePath(level, index, width));
      return source.tile(level, index, width);
    },
  });
  assert.deepEqual(read, ['tile/0/002.p/188', 'tile/1/000.p/2']);
});

test('it goes on beyond 2^32 leaves', () => {
  for (const size of [2 ** 32 - 2, 2 ** 40 - 1, 2 ** 53 - 5]) {
    const added = [size, size + 1, size + 2, size + 3];
    const tree = new SlowTree(added);
    const builder = TreeBuilder.open(size, tree.tiles());
    assert.equal(builder.size, size);
    assert.deepEqual(builder.root(), tree.root(0, size));
    builder.append(packHashes(added.map(leafOf)));
    assert.equal(builder.size, size + 4);
    assert.deepEqual(builder.root(), tree.root(0, size + 4));
  }
});

test('a snapshot brings the builder back, also after tiles were completed in between', () => {
  const tree = SlowTree.dense(1200);
  const builder = new TreeBuilder();
  for (const size of [0, 5, 250, 256, 600]) {
    builder.append(leavesOf(builder.size, size));
    const before = builder.snapshot();
    const partial = builder.partialTiles();
    const aborted = builder.append(packHashes(Array.from({ length: 600 }, (_, i) => leafOf(5000 + i))));
    const bytesOfAborted = aborted.map(({ bytes }) => Buffer.from(bytes));

    for (let again = 0; again < 2; again++) {
      builder.restore(before);
      assert.equal(builder.size, size);
      assert.deepEqual(builder.root(), tree.root(0, size));
      assert.deepEqual(builder.partialTiles(), partial);
      for (const { level, index, bytes } of builder.append(leavesOf(size, size + 600))) {
        assert.deepEqual(bytes, tree.tiles().tile(level, index, 256));
      }
      assert.deepEqual(builder.root(), tree.root(0, size + 600));
    }
    assert.deepEqual(
      aborted.map(({ bytes }) => bytes),
      bytesOfAborted,
    ); // they belong to the caller
    builder.restore(before);
  }
});

test('tiles that are handed out do not change when the tree grows', () => {
  const builder = new TreeBuilder();
  const [full] = builder.append(leavesOf(0, 300));
  const [partial] = builder.partialTiles();
  const copies = [Buffer.from(full?.bytes ?? []), Buffer.from(partial?.bytes ?? [])];
  builder.append(leavesOf(300, 900));
  assert.deepEqual([full?.bytes, partial?.bytes], copies);
});

test('faults of the caller throw', () => {
  assert.throws(() => new TreeBuilder().append(Buffer.alloc(33)), RangeError);
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => TreeBuilder.open(size, SlowTree.dense(1).tiles()), RangeError);
  }
  assert.throws(() => TreeBuilder.open(5, { tile: () => Buffer.alloc(4 * 32) }), RangeError);
});
