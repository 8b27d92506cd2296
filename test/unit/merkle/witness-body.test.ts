import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseCosignatures,
  parseStaleSize,
} from '../../../src/merkle/witness-body.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('what is written is read, and only that one text', () => {
  const bodies = fc.record({
    oldSize: fc.maxSafeNat(),
    path: fc.array(hash, { maxLength: 63 }),
    checkpoint: fc.string().map((text) => `${text}\n`),
  });
  fc.assert(
    fc.property(bodies, (body) => {
      const text = formatAddCheckpoint(body);
      const read = parseAddCheckpoint(text);
      assert.ok(read.ok);
      assert.equal(formatAddCheckpoint(read.value), text);
      assert.equal(read.value.checkpoint, body.checkpoint);
    }),
  );
});

const CHECKPOINT = 'o\n1\nAAAA\n\n— o AAAA\n';
for (const [what, body] of [
  ['no size line', `\n${CHECKPOINT}`],
  ['a size with a zero in front', `old 01\n\n${CHECKPOINT}`],
  ['a negative size', `old -1\n\n${CHECKPOINT}`],
  ['two spaces', `old  1\n\n${CHECKPOINT}`],
  ['a hash of 31 bytes', `old 1\n${Buffer.alloc(31).toString('base64')}\n\n${CHECKPOINT}`],
  ['base64 without padding', `old 1\n${Buffer.alloc(32).toString('base64url')}\n\n${CHECKPOINT}`],
  ['64 hashes', `old 1\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n${CHECKPOINT}`],
  ['no empty line', 'old 1\n'],
] as const)
  test(`refuses ${what}`, () => assert.deepEqual(parseAddCheckpoint(body), { ok: false, error: 'malformed' }));

test('nothing throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      parseAddCheckpoint(text);
      parseAddCheckpoint(`old 1\n${text}\n\n${text}`);
      parseCosignatures(text);
      parseStaleSize(text);
    }),
  );
  assert.equal(parseStaleSize('12\n'), 12);
  assert.equal(parseStaleSize('12'), undefined);
  assert.equal(parseCosignatures('— w AAAAAAAA\n')?.length, 1);
  assert.equal(parseCosignatures('— w AAAAAAAA\nx\n'), undefined);
});
