import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import fc from 'fast-check';
import * as varint from 'uint8-varint';
import { FrameReader, writeFrame } from '../../../src/transport/frames.ts';
import { writable } from '../../../src/transport/stream-state.ts';
import { streamPair, until, within } from '../../integration/transport/harness.ts';

const MAX_FRAME_BYTES = 300_000;

/** A stream over TCP, and a reader of what is sent on it. */
async function pipe(
  t: TestContext,
  highWaterBytes?: number,
): Promise<{ stream: Stream; reader: FrameReader; inbound: Stream }> {
  let inbound: Stream | undefined;
  let reader: FrameReader | undefined;
  const { stream } = await streamPair(t, (s) => {
    inbound = s;
    const limits = { maxFrameBytes: MAX_FRAME_BYTES };
    reader = new FrameReader(s, highWaterBytes === undefined ? limits : { ...limits, highWaterBytes });
  });
  await until('the stream', () => reader !== undefined);
  return { stream, reader: reader!, inbound: inbound! };
}

test('frames of every size come out as they went in, whatever the chunks', async (t) => {
  const { stream, reader } = await pipe(t, 4_096);
  const sizes = fc.sample(fc.oneof(fc.nat(3), fc.nat(300), fc.nat(20_000), fc.nat(MAX_FRAME_BYTES)), {
    numRuns: 150,
    seed: 7,
  });
  const edges = [0, 1, 127, 128, 16_383, 16_384, MAX_FRAME_BYTES];
  const all = [...sizes, ...edges];
  const writing = (async () => {
    for (const [i, size] of all.entries()) await writeFrame(stream, Buffer.alloc(size, i));
    await stream.close();
  })();
  for (const [i, size] of all.entries()) {
    const frame = await reader.next();
    assert.equal(frame?.byteLength, size);
    assert.ok(frame.every((byte) => byte === i % 256));
  }
  assert.equal(await reader.next(), undefined);
  await writing;
});

test('frames cut into single bytes, and many frames in one chunk', async (t) => {
  const { stream, reader } = await pipe(t);
  for (const byte of Buffer.concat([varint.encode(200), Buffer.alloc(200, 1)])) stream.send(Buffer.from([byte]));
  stream.send(Buffer.from([1, 65, 0, 2, 66, 67]));
  assert.equal((await reader.next())?.byteLength, 200);
  assert.deepEqual([...((await reader.next()) ?? [])], [65]);
  assert.equal((await reader.next())?.byteLength, 0);
  assert.deepEqual([...((await reader.next()) ?? [])], [66, 67]);
});

const MALFORMED = [
  { what: 'a frame one byte above the limit', bytes: varint.encode(MAX_FRAME_BYTES + 1), code: 'frame_too_large' },
  { what: 'a length of 29 bits', bytes: [0x80, 0x80, 0x80, 0x80, 0x01], code: 'frame_too_large' },
  { what: 'a length of ten bytes', bytes: Buffer.alloc(10, 0xff), code: 'frame_too_large' },
  { what: 'zero in two bytes', bytes: [0x80, 0x00], code: 'frame_malformed' },
  { what: 'one in three bytes', bytes: [0x81, 0x80, 0x00], code: 'frame_malformed' },
  { what: 'an end inside the length', bytes: [0x80], code: 'truncated' },
  { what: 'an end after the length', bytes: [0x02], code: 'truncated' },
  { what: 'an end inside the payload', bytes: [0x02, 65], code: 'truncated' },
];
for (const { what, bytes, code } of MALFORMED)
  test(`${what} is ${code}`, async (t) => {
    const { stream, reader } = await pipe(t);
    stream.send(Buffer.from(bytes));
    await stream.close();
    await assert.rejects(within(2_000, 'an error', reader.next()), { name: 'TransportError', code });
  });

test('what came before a reset is lost, and the reader says reset', async (t) => {
  const { stream, reader } = await pipe(t);
  const next = reader.next();
  stream.abort(new Error('never mind'));
  await assert.rejects(next, { name: 'TransportError', code: 'reset' });
  await assert.rejects(reader.next(), { name: 'TransportError', code: 'reset' });
});

test('writing to a dead stream rejects, also when it dies while we wait', async (t) => {
  const { stream, inbound } = await pipe(t, 1_000);
  const filled = (async () => {
    for (;;) await writeFrame(stream, Buffer.alloc(100_000));
  })();
  await until('the window is full', () => stream.writableNeedsDrain);
  inbound.abort(new Error('enough'));
  await assert.rejects(within(2_000, 'an error', filled), { name: 'TransportError', code: 'reset' });
  await assert.rejects(writeFrame(stream, Buffer.alloc(1)), { name: 'TransportError', code: 'reset' });
  stream.writableNeedsDrain = true;
  await assert.rejects(writable(stream), { name: 'TransportError', code: 'closed' });
});
