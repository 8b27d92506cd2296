/**
 * Frames on a libp2p stream: unsigned-varint length, then the payload. Back-pressure works in both directions.
 *
 * The stream's own helpers are not enough for a peer that is slow or hostile: iterating over a stream grants window for
 * bytes nobody has taken, loses what is buffered when it is paused at the peer's FIN, and never ends when it starts
 * after that FIN; the length-prefixed helper gives up a stream once 4 MiB wait in it.
 */
import { type Stream, type StreamCloseEvent, type StreamMessageEvent, StreamResetError } from '@libp2p/interface';
import * as varint from 'uint8-varint';
import { Uint8ArrayList } from 'uint8arraylist';
import { TransportError, toError } from './errors.ts';
import { writable } from './stream-state.ts';

/** A prefix of 4 bytes names up to 256 MiB, far above any limit in use. */
const MAX_PREFIX_BYTES = 4;

export interface FrameReaderLimits {
  /** A longer frame is refused at its prefix, before any of its body is kept. */
  readonly maxFrameBytes: number;
  /** No more window is granted while this much is unread. Default 256 KiB. */
  readonly highWaterBytes?: number;
}

/**
 * Reads frames from a stream. Must be made in the same tick as the stream is received: unread bytes of a stream that
 * nobody listens to, and that is not paused, kill it.
 */
export class FrameReader {
  readonly #stream: Stream;
  readonly #maxFrameBytes: number;
  readonly #highWaterBytes: number;
  readonly #unread = new Uint8ArrayList();
  #wanted = 1;
  #wake: () => void = () => {};
  #error: Error | undefined;
  #ended: boolean;
  #resuming = false;

  constructor(stream: Stream, limits: FrameReaderLimits) {
    this.#stream = stream;
    this.#maxFrameBytes = limits.maxFrameBytes;
    this.#highWaterBytes = limits.highWaterBytes ?? 256 << 10;
    // A FIN that came before us has had its 'end' event.
    this.#ended = stream.readableEnded;
    stream.addEventListener('end', this.#onEnd);
    stream.addEventListener('close', this.#onClose);
    stream.addEventListener('message', this.#onMessage);
  }

  /**
   * The next frame's payload; `undefined` at a clean end between two frames. One call at a time.
   *
   * @throws TransportError `frame_too_large`, `frame_malformed`, `truncated` (ended inside a frame), `reset`, `timeout`
   */
  async next(): Promise<Uint8Array | undefined> {
    const prefix = await this.#readPrefix();
    if (prefix === undefined) return undefined;
    const end = prefix.bytes + prefix.frameBytes;
    if (!(await this.#fill(end))) throw new TransportError('truncated', 'the stream ended inside a frame');
    const frame = this.#unread.subarray(prefix.bytes, end);
    this.#unread.consume(end);
    return frame;
  }

  async #readPrefix(): Promise<{ bytes: number; frameBytes: number } | undefined> {
    let bytes = 1;
    for (; ; bytes++) {
      if (!(await this.#fill(bytes))) {
        if (bytes === 1) return undefined;
        throw new TransportError('truncated', 'the stream ended inside a frame length');
      }
      if (this.#unread.get(bytes - 1) < 0x80) break;
      if (bytes === MAX_PREFIX_BYTES) throw new TransportError('frame_too_large', 'a frame length has over 28 bits');
    }
    const frameBytes = varint.decode(this.#unread);
    if (varint.encodingLength(frameBytes) !== bytes)
      throw new TransportError('frame_malformed', 'a frame length is not in its shortest form');
    if (frameBytes > this.#maxFrameBytes)
      throw new TransportError(
        'frame_too_large',
        `a frame of ${frameBytes} bytes; the limit is ${this.#maxFrameBytes}`,
      );
    return { bytes, frameBytes };
  }

  /** True once `bytes` are buffered, false if the stream ended cleanly before that. */
  async #fill(bytes: number): Promise<boolean> {
    this.#wanted = bytes;
    while (this.#unread.byteLength < bytes) {
      this.#throwIfDead();
      if (this.#atEnd()) return false;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#resume();
      if (this.#unread.byteLength < bytes && !this.#atEnd() && this.#error === undefined) await promise;
    }
    return true;
  }

  /** A FIN may be known before the last bytes are: negotiation pushes back what it read ahead. */
  #atEnd(): boolean {
    return this.#ended && this.#stream.readBufferLength === 0;
  }

  #throwIfDead(): void {
    if (this.#error !== undefined) throw this.#error;
    const { status } = this.#stream;
    if (status === 'reset' || status === 'aborted')
      throw new TransportError('reset', `reading: the stream was ${status}`);
  }

  // An exception in a listener of a stream is an uncaught exception of the process: each one ends in #fail instead.
  readonly #onMessage = (event: StreamMessageEvent): void => {
    try {
      this.#unread.append(event.data);
      if (!this.#resuming) this.#pauseIfFull();
      if (this.#unread.byteLength >= this.#wanted) this.#wake();
    } catch (thrown) {
      this.#fail(thrown);
    }
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake();
  };

  // A reset dispatches 'end' and then 'close' in one tick, so the error is known before a reader wakes up.
  readonly #onClose = (event: StreamCloseEvent): void => {
    if (event.error !== undefined) this.#fail(event.error);
    this.#wake();
  };

  #fail(thrown: unknown): void {
    this.#error ??= toError(thrown, 'reading');
    this.#wake();
  }

  #pauseIfFull(): void {
    const full = this.#unread.byteLength >= Math.max(this.#highWaterBytes, this.#wanted);
    if (full && this.#stream.readStatus === 'readable') this.#stream.pause();
  }

  /**
   * resume() first dispatches what is buffered and then grants window: a pause() from inside that dispatch would be
   * undone, the peer would go on sending, and the full buffer would kill the stream. So pause after it.
   */
  #resume(): void {
    if (this.#stream.readStatus !== 'paused') return;
    this.#resuming = true;
    try {
      this.#stream.resume();
    } finally {
      this.#resuming = false;
    }
    this.#pauseIfFull();
  }
}

/**
 * Sends one frame; resolves when the peer's window has room for more.
 *
 * @throws TransportError `reset`, `closed` or `timeout` when the stream dies before that
 */
export async function writeFrame(stream: Stream, payload: Uint8Array): Promise<void> {
  try {
    const more = stream.send(new Uint8ArrayList(varint.encode(payload.byteLength), payload));
    if (!more) await writable(stream);
  } catch (thrown) {
    // send() says only that the stream is closed, not that the peer closed it.
    throw toError(stream.status === 'reset' ? new StreamResetError() : thrown, 'writing');
  }
}
