/**
 * Yamux with a guard in front of it. The library limits neither the length of a frame (it buffers until the frame is
 * whole), nor pings, nor the rate of new streams, nor what it owes a peer that does not read. The guard reads frame
 * headers before the multiplexer does and ends the connection of a peer that breaks the rules.
 *
 * @see https://github.com/hashicorp/yamux/blob/master/spec.md
 */
import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface';
import { yamux } from '@libp2p/yamux';
import { TransportError, toError } from './errors.ts';
import type { GuardLimits } from './limits.ts';
import { Rate } from './rate.ts';

const HEADER_BYTES = 12;
const DATA = 0;
const WINDOW_UPDATE = 1;
const SYN_OR_RST = 0b1001;
const SMALL_FRAME_BYTES = 128;
/** A large data frame pays for small ones: honest senders cut one at the end of each window. */
const BYTES_PER_SMALL_FRAME = 512;

/** Called with what the peer did, when the guard has ended its connection. */
export type OnViolation = (what: string) => void;

/** Judges the headers of one connection's inbound frames, whatever chunks they come in. Never throws. */
export class FrameGuard {
  readonly #limits: GuardLimits;
  readonly #control: Rate;
  readonly #small: Rate;
  readonly #frames: Rate;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #bodyBytes = 0;

  constructor(limits: GuardLimits, nowMs: number) {
    this.#limits = limits;
    this.#control = new Rate(limits.controlPerSecond, limits.controlBurst, nowMs);
    this.#small = new Rate(limits.smallPerSecond, limits.smallBurst, nowMs);
    this.#frames = new Rate(limits.framesPerSecond, limits.framesBurst, nowMs);
  }

  /** What is wrong with the bytes that came, or undefined. `nowMs` is monotonic. */
  check(chunk: Uint8Array, nowMs: number): string | undefined {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#bodyBytes > 0) {
        const skipped = Math.min(this.#bodyBytes, chunk.byteLength - at);
        this.#bodyBytes -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(HEADER_BYTES - this.#headerBytes, chunk.byteLength - at);
      this.#header.set(chunk.subarray(at, at + taken), this.#headerBytes);
      this.#headerBytes += taken;
      at += taken;
      if (this.#headerBytes < HEADER_BYTES) return undefined;
      this.#headerBytes = 0;
      const violation = this.#checkHeader(nowMs);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  #checkHeader(nowMs: number): string | undefined {
    const type = this.#header[1] ?? 0;
    const flags = this.#header.readUInt16BE(2);
    const length = this.#header.readUInt32BE(8);
    if (!this.#frames.take(nowMs)) return 'too many frames';
    if (type === DATA) {
      if (length > this.#limits.windowBytes) return `a data frame of ${length} bytes`;
      this.#bodyBytes = length;
      if (length >= SMALL_FRAME_BYTES) this.#small.earn(length / BYTES_PER_SMALL_FRAME);
      else if (!this.#small.take(nowMs)) return 'too many tiny data frames';
    }
    const idle = length === 0 && flags === 0;
    const control = type > WINDOW_UPDATE || (flags & SYN_OR_RST) !== 0 || idle;
    if (control && !this.#control.take(nowMs)) return 'too many pings, new streams or resets';
    return undefined;
  }
}

/** A yamux factory for `createLibp2p({ streamMuxers: [...] })` whose connections are guarded. */
export function guardedYamux(limits: GuardLimits, onViolation: OnViolation): () => StreamMuxerFactory {
  return () => {
    const factory: StreamMuxerFactory = yamux({
      enableKeepAlive: true,
      keepAliveInterval: 30_000,
      maxInboundStreams: limits.maxInboundStreams,
      maxOutboundStreams: 256,
      streamOptions: {
        maxStreamWindowSize: limits.windowBytes,
        // Above the window, or a paused stream is killed by data it has allowed: the defaults are 4 MiB and 16 MiB.
        maxReadBufferLength: 4 * limits.windowBytes,
        maxWriteBufferLength: 8 << 20,
      },
    })();
    return {
      protocol: factory.protocol,
      createStreamMuxer(connection: MessageStream): StreamMuxer {
        // Before the multiplexer is made: listeners run in the order they were added.
        watch(connection, limits, onViolation);
        holdForOneTurn(connection);
        return factory.createStreamMuxer(connection);
      },
    };
  };
}

function watch(connection: MessageStream, limits: GuardLimits, onViolation: OnViolation): void {
  const guard = new FrameGuard(limits, performance.now());
  let dead = false;
  connection.maxWriteBufferLength = limits.maxUnsentBytes;
  connection.addEventListener('message', (event) => {
    const nowMs = performance.now();
    const chunks = event.data instanceof Uint8Array ? [event.data] : event.data;
    for (const chunk of chunks) {
      if (dead) break;
      const violation = guard.check(chunk, nowMs);
      if (violation === undefined) continue;
      dead = true;
      onViolation(violation);
      connection.abort(new TransportError('refused', `the peer broke the rules of the multiplexer: ${violation}`));
    }
    if (dead) event.stopImmediatePropagation();
  });
}

/**
 * Keeps what the peer has sent already until the connection listens for new streams, which it does before the next turn
 * of the event loop. A stream whose request and FIN come earlier is read to its end while nobody listens, and then dies
 * in its negotiation because bytes cannot be pushed back onto it. Peers that send all at once, as Go's and Rust's do,
 * would lose their first request.
 */
function holdForOneTurn(connection: MessageStream): void {
  if (connection.status !== 'open') return;
  connection.pause();
  setImmediate(() => {
    if (connection.status !== 'open') return;
    try {
      connection.resume();
    } catch (thrown) {
      connection.abort(toError(thrown, 'starting to read the connection'));
    }
  });
}
