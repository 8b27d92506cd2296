import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import {
  decodePage,
  encodePage,
  framesAfterHeader,
  type PageContent,
  type PageFrames,
} from '../../../src/wire/page.ts';
import type { Malformed } from '../../../src/wire/shape.ts';
import { compressZstd, decompressZstd } from '../../../src/wire/zstd-frame.ts';

const ENTRIES = ['{"a":1}', '', '\n\n {"naïve"}'].map((text, i) => ({
  index: i * 3,
  salt: Buffer.alloc(32, 0xf0 + i),
  bytes: Buffer.from(text),
}));
const CONTENT: PageContent = {
  feed: 'public',
  after: 0,
  anchor: null,
  checkpoint: 'note',
  feedHead: 'note',
  consistency: [],
  encoding: 'identity',
  entries: ENTRIES,
  origins: null,
  proof: Buffer.alloc(64, 5),
};

function page(change: Partial<PageContent> = {}): PageFrames {
  return encodePage({ ...CONTENT, ...change });
}

function refusal(frames: PageFrames): Malformed {
  const decoded = decodePage(frames);
  assert.ok(!decoded.ok, 'taken');
  return decoded.error;
}

for (const encoding of ['identity', 'zstd'] as const) {
  test(`a page is taken apart as it was put together: ${encoding}`, () => {
    const frames = page({ encoding });
    const decoded = decodePage(frames);
    assert.ok(decoded.ok);
    const { header, salts, entries, proof } = decoded.value;
    assert.deepEqual(header.indexes, [0, 3, 6]);
    assert.deepEqual(framesAfterHeader(header), { entries: true, proof: true });
    assert.deepEqual(
      salts.map((salt) => Buffer.from(salt)),
      ENTRIES.map(({ salt }) => salt),
    );
    assert.deepEqual(
      entries.map((bytes) => Buffer.from(bytes)),
      ENTRIES.map(({ bytes }) => bytes),
    );
    assert.deepEqual(Buffer.from(proof), CONTENT.proof);
  });
}

test('a page without entries is a header alone', () => {
  const frames = page({ entries: [], proof: new Uint8Array(0), encoding: 'zstd' });
  assert.deepEqual([frames.entries, frames.proof], [null, null]);
  const decoded = decodePage(frames);
  assert.ok(decoded.ok);
  assert.deepEqual(framesAfterHeader(decoded.value.header), { entries: false, proof: false });
});

test('frames that the header does not announce, or announces and are not there', () => {
  const { header, entries, proof } = page();
  assert.equal(refusal({ header, entries: null, proof }).at, 'entries');
  assert.equal(refusal({ header, entries, proof: null }).at, 'proof');
  assert.deepEqual(refusal({ header, entries, proof: Buffer.alloc(63) }), {
    at: 'proof',
    expected: '64 bytes',
    got: '63 bytes',
  });
  const bare = page({ entries: [], proof: new Uint8Array(0) });
  assert.deepEqual(refusal({ ...bare, entries }), { at: 'entries', expected: 'no frame', got: 'one' });
  assert.equal(refusal({ ...bare, proof: new Uint8Array(0) }).at, 'proof');
  assert.equal(refusal({ header: Buffer.from('{}'), entries, proof }).at, 'header');
  assert.equal(
    refusal({ header: Buffer.from(Buffer.from(header).toString().replace('"v":1', '"v":2')), entries, proof }).at,
    'header.v',
  );
});

test('every line: salt, space, entry, line feed', () => {
  const frames = page();
  const broken = (at: number, byte: string): Malformed => {
    const entries = Buffer.from(frames.entries ?? '');
    entries.write(byte, at, 'latin1');
    return refusal({ ...frames, entries });
  };
  assert.equal(broken(0, '-').at, 'entries[0].salt');
  assert.equal(broken(43, 'A').at, 'entries[0].salt');
  assert.equal(broken(42, '9').at, 'entries[0].salt');
  assert.equal(broken(44, '\t').expected, 'a space behind the salt');
  assert.equal(broken(45 + 7, ' ').expected, 'a line feed behind the entry');
  assert.equal(broken(53 + 1, '\xff').at, 'entries[1].salt');
});

test('salts: each of the 64 characters at each place is read as base64 says', () => {
  for (let i = 0; i < 512; i++) {
    const salt = Buffer.from(Array.from({ length: 32 }, (_, at) => (i * 37 + at * i * 11 + at) & 0xff));
    const decoded = decodePage(page({ entries: [{ index: 0, salt, bytes: Buffer.from('x') }] }));
    assert.ok(decoded.ok);
    assert.deepEqual(Buffer.from(decoded.value.salts[0] ?? ''), salt);
  }
});

test('zstd: only one frame, of exactly the length announced', () => {
  const content = Buffer.from('stigmem '.repeat(1000));
  const frame = compressZstd(content);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]);
  assert.deepEqual(decompressZstd(frame, content.length), content);
  assert.deepEqual(decompressZstd(withChecksum(content), content.length), content);
  assert.equal(decompressZstd(frame, content.length + 1), null);
  assert.equal(decompressZstd(frame, content.length - 1), null);
  assert.equal(decompressZstd(Buffer.concat([frame, Buffer.from([0])]), content.length), null);
  assert.equal(decompressZstd(Buffer.concat([frame, frame]), content.length), null);
  assert.equal(decompressZstd(Buffer.concat([frame, skippable]), content.length), null);
  assert.equal(decompressZstd(Buffer.concat([skippable, frame]), content.length), null);
  for (let cut = 0; cut < frame.length; cut++)
    assert.equal(decompressZstd(frame.subarray(0, cut), content.length), null);
  const garbled = withChecksum(content);
  garbled[garbled.length - 1] = (garbled.at(-1) ?? 0) ^ 1;
  assert.equal(decompressZstd(garbled, content.length), null);
});

test('zstd: incompressible and large content, and a bomb', () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31 + (i >> 3)) & 0xff));
  assert.deepEqual(decompressZstd(compressZstd(noise), noise.length), noise);
  const bomb = zstdCompressSync(Buffer.alloc(64 << 20));
  assert.ok(bomb.length < 10_000);
  assert.equal(decompressZstd(bomb, 4 << 20), null);
  assert.equal(decompressZstd(zstdCompressSync(Buffer.alloc(0)), 0), null);
});

function withChecksum(content: Buffer): Buffer {
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

test('a salt that is none is not written', () => {
  assert.throws(() => page({ entries: [{ index: 0, salt: Buffer.alloc(31), bytes: Buffer.alloc(1) }] }), TypeError);
});
