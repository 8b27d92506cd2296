/**
 * The asking side: one frame, half-close, then frames until the empty one. The stream's own end proves nothing: when a
 * peer is killed, or somebody on the path forges a TCP FIN, the reader sees a clean end too.
 */
import type { Connection, Stream } from '@libp2p/interface';
import { deadline } from './deadline.ts';
import { TransportError, toError } from './errors.ts';
import { FrameReader, writeFrame } from './frames.ts';
import { Watchdog } from './watchdog.ts';

/** A connection that we opened and that closes this soon was not wanted. */
const REFUSED_WITHIN_MS = 5_000;

export interface RequestOptions {
  /** Gives the request up: the stream is reset and the generator throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Longest wait for the next whole frame. The consumer's own time does not count. */
  readonly idleMs: number;
  /** Longest time for everything, the consumer's own included; `undefined` for watches. */
  readonly totalMs: number | undefined;
  /** A longer frame is refused at its length prefix. */
  readonly maxFrameBytes: number;
}

/** Finds or makes a connection to a peer. */
export type Connect = (peerId: string, signal: AbortSignal) => Promise<Connection>;

/**
 * Sends `body` and yields the frames of the answer. Leaving the loop early, an error and the signal reset the stream,
 * and the peer stops producing.
 *
 * @throws TransportError, among others `truncated` if the answer stopped without its end frame; the signal's reason
 */
export async function* request(
  connect: Connect,
  peerId: string,
  protocol: string,
  body: Uint8Array,
  options: RequestOptions,
): AsyncGenerator<Uint8Array> {
  const { signal } = options;
  signal?.throwIfAborted();
  try {
    const stream = await openStream(connect, peerId, protocol, options);
    yield* exchange(stream, body, options);
  } catch (thrown) {
    if (signal?.aborted === true) throw signal.reason;
    throw toError(thrown, `asking ${peerId} for ${protocol}`);
  }
}

async function openStream(
  connect: Connect,
  peerId: string,
  protocol: string,
  options: RequestOptions,
): Promise<Stream> {
  const limit = deadline(options.idleMs, `opening ${protocol} to ${peerId}`, options.signal);
  try {
    const connection = await connect(peerId, limit.signal);
    return await newStream(connection, protocol, limit.signal);
  } finally {
    limit.clear();
  }
}

async function newStream(connection: Connection, protocol: string, signal: AbortSignal): Promise<Stream> {
  try {
    return await connection.newStream(protocol, { signal });
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    const { status, direction, timeline } = connection;
    const isFresh = direction === 'outbound' && Date.now() - timeline.open < REFUSED_WITHIN_MS;
    if (status === 'open' || !isFresh) throw toError(thrown, `opening ${protocol}`);
    // dial() succeeds before the other side has decided: a refusal is a connection that closes at once.
    const hint = 'it closed the connection before the first stream; is our peer id in its peer files?';
    throw new TransportError('refused', `opening ${protocol}: the peer did not let us in: ${hint}`, thrown);
  }
}

async function* exchange(stream: Stream, body: Uint8Array, options: RequestOptions): AsyncGenerator<Uint8Array> {
  const reader = new FrameReader(stream, options);
  const dog = new Watchdog(stream, options, options.signal);
  let done = false;
  try {
    await writeFrame(stream, body);
    await stream.close();
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
      dog.touch();
      if (frame.byteLength === 0) {
        done = true;
        return;
      }
      dog.hold();
      yield frame;
      dog.touch();
    }
    throw new TransportError(
      'truncated',
      'the answer stopped without its end: the peer died or was cut off; ask again',
    );
  } finally {
    // A finished stream is left to the peer's FIN, and to the watchdog if that never comes.
    if (!done) stream.abort(new TransportError('closed', 'the request was given up'));
  }
}
