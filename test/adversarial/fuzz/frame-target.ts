/** The reader of frames, over a stream of which every chunk and every end is chosen by the input. */
import type { Stream } from '@libp2p/interface';
import * as varint from 'uint8-varint';
import { Uint8ArrayList } from 'uint8arraylist';
import { TransportError } from '../../../src/transport/errors.ts';
import { FrameReader } from '../../../src/transport/frames.ts';
import { expect, type Target } from './target.ts';

const MAX_FRAME_BYTES = 4_096;

/** What of a libp2p stream a reader uses. Bytes that nobody has taken wait while it is paused. */
class FakeStream extends EventTarget {
  status = 'open';
  readableEnded = false;
  readStatus: 'readable' | 'paused' = 'readable';
  readonly #waiting: Uint8Array[] = [];

  get readBufferLength(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  pause(): void {
    this.readStatus = 'paused';
  }

  resume(): void {
    this.readStatus = 'readable';
    while (this.#waiting.length > 0) this.#deliver(this.#waiting.shift() ?? new Uint8Array(0));
  }

  push(chunk: Uint8Array): void {
    if (this.readStatus === 'paused') this.#waiting.push(chunk);
    else this.#deliver(chunk);
  }

  end(): void {
    this.readableEnded = true;
    this.dispatchEvent(new Event('end'));
  }

  #deliver(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: new Uint8ArrayList(data) }));
  }
}

function framed(...sizes: readonly number[]): Buffer {
  return Buffer.concat(sizes.flatMap((size) => [varint.encode(size), Buffer.alloc(size, size)]));
}

export const FRAME_TARGET: Target = {
  name: 'frames',
  corpus: [framed(0), framed(1, 127, 128, 0), framed(300, MAX_FRAME_BYTES, 2), framed(5, 5, 5, 5)],
  async run(input) {
    const stream = new FakeStream();
    const reader = new FrameReader(stream as unknown as Stream, {
      maxFrameBytes: MAX_FRAME_BYTES,
      highWaterBytes: 512,
    });
    const chunkBytes = 1 + (input.length % 777);
    let read = 0;
    const reading = (async () => {
      for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
        expect(frame.byteLength <= MAX_FRAME_BYTES, 'no frame is over the limit');
        read += frame.byteLength;
      }
    })();
    for (let at = 0; at < input.length; at += chunkBytes) {
      stream.push(input.subarray(at, at + chunkBytes));
      if (at % 3 === 0) await null;
    }
    stream.end();
    await reading.catch((error: unknown) => expect(error instanceof TransportError, `a refusal, not ${String(error)}`));
    expect(read <= input.length, 'no byte comes twice');
  },
};
