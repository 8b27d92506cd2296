import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commitment, entryLeafHash, entryLeafHashInto, leafData } from '../../../src/merkle/commitment.ts';
import { leafHash } from '../../../src/merkle/hash.ts';
import { sha } from './slow-tree.ts';

const salts = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('a commitment is the hash of domain, salt and entry', () => {
  fc.assert(
    fc.property(salts, fc.uint8Array({ maxLength: 2000 }), (salt, entry) => {
      assert.deepEqual(commitment(salt, entry), sha('stigmem-entry/v1\n', salt, entry));
    }),
  );
});

test('text is committed to as its UTF-8 bytes', () => {
  fc.assert(
    fc.property(salts, fc.string({ unit: 'grapheme', maxLength: 500 }), (salt, text) => {
      assert.deepEqual(commitment(salt, text), commitment(salt, Buffer.from(text)));
    }),
  );
});

test('entries that do not fit into the kept buffer hash the same way, and leave it usable', () => {
  const salt = Buffer.alloc(32, 7);
  for (const length of [65_486, 65_487, 65_488, 200_000]) {
    const text = 'é'.repeat(length);
    assert.deepEqual(commitment(salt, text), sha('stigmem-entry/v1\n', salt, text));
    assert.deepEqual(
      commitment(salt, Buffer.alloc(length, 1)),
      sha('stigmem-entry/v1\n', salt, Buffer.alloc(length, 1)),
    );
    assert.deepEqual(commitment(salt, 'x'), sha('stigmem-entry/v1\n', salt, 'x'));
  }
});

test('the leaf hash of an entry is the leaf hash of its leaf data', () => {
  const salt = Buffer.alloc(32, 1);
  const expected = leafHash(leafData(commitment(salt, 'entry')));
  assert.deepEqual(leafData(commitment(salt, 'entry')), Buffer.concat([Buffer.of(1), commitment(salt, 'entry')]));
  assert.deepEqual(entryLeafHash(salt, 'entry'), expected);

  const packed = Buffer.alloc(96);
  entryLeafHashInto(salt, Buffer.from('entry'), packed, 32);
  assert.deepEqual(packed, Buffer.concat([Buffer.alloc(32), expected, Buffer.alloc(32)]));
});

test('a salt of another length is a fault of the caller', () => {
  for (const length of [0, 31, 33]) {
    assert.throws(() => commitment(Buffer.alloc(length), 'entry'), RangeError);
    assert.throws(() => entryLeafHash(Buffer.alloc(length), 'entry'), RangeError);
  }
});
