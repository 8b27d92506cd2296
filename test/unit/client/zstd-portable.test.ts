/** The library that stands in for zlib where Node has no zstd takes and refuses the same frames. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { decompressZstd as portable } from '../../../src/client/zstd-portable.ts';
import { decompressZstd } from '../../../src/wire/zstd-frame.ts';
import { Random } from '../../adversarial/fuzz/random.ts';

test('frames of every kind of block, and lengths that are stated wrongly', () => {
  const random = new Random('zstd');
  for (let i = 0; i < 400; i++) {
    const length = 1 + random.below(i % 20 === 0 ? 400_000 : 3_000);
    const words = Buffer.from('{"entity":"stigmem://acme.example/host/web"}'.repeat(Math.ceil(length / 44)));
    const content = [random.bytes(length), Buffer.alloc(length, 7), words.subarray(0, length)][i % 3] ?? words;
    const frame = zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 1 + (i % 5) } });
    // Compared here: a difference of two large buffers takes minutes to print.
    assert.ok(portable(frame, length)?.equals(content), `frame ${i}`);
    assert.ok(decompressZstd(frame, length)?.equals(content), `frame ${i}`);
    for (const wrong of [length - 1, length + 1]) assert.ok(portable(frame, wrong) === null, `frame ${i} as ${wrong}`);
    const cut = frame.subarray(0, random.below(frame.length));
    assert.ok(portable(cut, length) === null, `frame ${i}, cut`);
  }
});
