/** The answering side: reads one frame up to the peer's half-close, then writes what the handler yields, then the end. */
import type { Connection, Stream } from '@libp2p/interface';
import { TransportError, toError } from './errors.ts';
import { FrameReader, writeFrame } from './frames.ts';
import { type RequestRate, RequestRates } from './request-rates.ts';
import { isOver, over } from './stream-state.ts';
import { Watchdog } from './watchdog.ts';

export interface AnswerContext {
  readonly peerId: string;
  readonly remoteAddr: string;
  /** Aborts when the stream is gone. A handler that waits for something must stop waiting then. */
  readonly signal: AbortSignal;
}

export interface AnswerLimits {
  /** Longest wait for the request, and for the peer to take one frame. The handler's own time does not count. */
  readonly idleMs: number;
  /** Longest time for everything; `undefined` for watches. */
  readonly totalMs: number | undefined;
  readonly maxRequestBytes: number;
}

export interface ServeOptions {
  /** Streams of this protocol one peer may have open, over all its connections; more are reset. */
  readonly maxInboundStreams: number;
  readonly limits: AnswerLimits;
  /** Requests of one peer. Undefined: bounded by its streams alone. */
  readonly rate?: RequestRate;
  /** The answer to a request above the rate; without it the stream is reset. */
  readonly onBusy?: (retryAfterMs: number) => Iterable<Uint8Array>;
  /**
   * Makes the frames of the answer, none of them empty. Suspended while the peer does not read. If it throws, the
   * stream is reset and the peer learns no more than that.
   */
  readonly handler: (request: Uint8Array, context: AnswerContext) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly onError?: (error: TransportError, peerId: string) => void;
}

const END = new Uint8Array(0);

/** Answers the streams of one protocol. */
export class Answerer {
  readonly #protocol: string;
  readonly #options: ServeOptions;
  readonly #isAllowed: (peerId: string) => boolean;
  readonly #rates: RequestRates | null;
  readonly #open = new Map<Stream, { readonly peerId: string; readonly done: Promise<void> }>();

  constructor(protocol: string, options: ServeOptions, isAllowed: (peerId: string) => boolean) {
    this.#protocol = protocol;
    this.#options = options;
    this.#isAllowed = isAllowed;
    this.#rates = options.rate === undefined ? null : new RequestRates(options.rate);
  }

  /** The handler to register. Never rejects: what goes wrong resets the stream and is given to `onError`. */
  readonly onStream = async (stream: Stream, connection: Connection): Promise<void> => {
    const peerId = connection.remotePeer.toString();
    const { promise, resolve } = Promise.withResolvers<void>();
    try {
      this.#admit(peerId);
      this.#open.set(stream, { peerId, done: promise });
      await this.#answer(stream, { peerId, remoteAddr: connection.remoteAddr.toString() });
    } catch (thrown) {
      const error = toError(thrown, `answering ${this.#protocol} for ${peerId}`);
      stream.abort(error);
      this.#options.onError?.(error, peerId);
    } finally {
      this.#open.delete(stream);
      resolve();
    }
  };

  /** Resolves when every stream open now has been answered; at once for watches, which never are. */
  async idle(): Promise<void> {
    if (this.#options.limits.totalMs === undefined) return;
    await Promise.all([...this.#open.values()].map(({ done }) => done));
  }

  /** Resets every open stream. */
  abort(why: TransportError): void {
    for (const stream of this.#open.keys()) stream.abort(why);
  }

  #admit(peerId: string): void {
    if (!this.#isAllowed(peerId))
      throw new TransportError('forbidden', 'the peer was removed from our allow list, or may not use this protocol');
    let open = 0;
    for (const stream of this.#open.values()) if (stream.peerId === peerId) open++;
    // The library's own limit counts per connection, and a peer may have several.
    if (open >= this.#options.maxInboundStreams)
      throw new TransportError('busy', `the peer has ${open} streams of this protocol open already`);
  }

  /** The request is read all the same: it is one small frame, and the answer to it is the end of the stream. */
  #handlerFor(peerId: string): ServeOptions['handler'] {
    const { handler, onBusy } = this.#options;
    const waitMs = this.#rates?.take(peerId, performance.now()) ?? 0;
    if (waitMs === 0) return handler;
    if (onBusy === undefined) throw new TransportError('busy', `the peer asks too often: again in ${waitMs} ms`);
    return () => onBusy(waitMs);
  }

  async #answer(stream: Stream, from: Omit<AnswerContext, 'signal'>): Promise<void> {
    if (isOver(stream)) return;
    const { limits } = this.#options;
    const handler = this.#handlerFor(from.peerId);
    const gone = new AbortController();
    stream.addEventListener('close', (event) => gone.abort(toError(event, 'the stream closed')), { once: true });
    const dog = new Watchdog(stream, limits);
    const request = await readRequest(stream, limits.maxRequestBytes);
    dog.hold();
    for await (const frame of runHandler(handler, request, { ...from, signal: gone.signal })) {
      dog.touch();
      await writeFrame(stream, frame);
      dog.hold();
    }
    dog.touch();
    await writeFrame(stream, END);
    await stream.close();
    // Until the peer has closed too; the watchdog ends it if the peer never does.
    await over(stream);
  }
}

async function readRequest(stream: Stream, maxFrameBytes: number): Promise<Uint8Array> {
  const reader = new FrameReader(stream, { maxFrameBytes, highWaterBytes: maxFrameBytes });
  const request = await reader.next();
  if (request === undefined) throw new TransportError('truncated', 'the peer opened a stream and asked nothing');
  if ((await reader.next()) !== undefined) throw new TransportError('frame_malformed', 'a request is one frame');
  return request;
}

/** Only what the handler throws is its failure; what the stream throws is the peer's. */
async function* runHandler(
  handler: ServeOptions['handler'],
  request: Uint8Array,
  context: AnswerContext,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const frame of handler(request, context)) {
      if (frame.byteLength === 0) throw new TypeError('an empty frame would end the answer');
      yield frame;
    }
  } catch (thrown) {
    if (context.signal.aborted || thrown instanceof TransportError) throw toError(thrown, 'answering');
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TransportError('handler_failed', `the handler failed: ${what}`, thrown);
  }
}
