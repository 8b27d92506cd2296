import type { MessageStream, Stream, StreamCloseEvent } from '@libp2p/interface';
import { TransportError, toError } from './errors.ts';

/** True once neither side can send: closed by both, reset or aborted. */
export function isOver(stream: Stream): boolean {
  return stream.status !== 'open' && stream.status !== 'closing';
}

/** Resolves once the stream is closed on both sides, or dead. Never rejects. */
export async function over(stream: Stream): Promise<void> {
  if (isOver(stream)) return;
  await new Promise<void>((resolve) => {
    stream.addEventListener('close', () => resolve(), { once: true });
  });
}

/**
 * Resolves when everything given to `send()` has gone to the multiplexer and the peer's window has room.
 *
 * Not `stream.onDrain()`: its promise is never renewed, so after the first drain it resolves at once for ever.
 * And a loop, not one wait: 'drain' fires on every stream of a connection whose socket drained, also on one whose own
 * window is still empty; the stream's own listener, which ran before ours, has then set `writableNeedsDrain` again.
 */
export async function writable(stream: MessageStream): Promise<void> {
  while (stream.writableNeedsDrain) {
    if (stream.status !== 'open') throw new TransportError('closed', `writing: the stream is ${stream.status}`);
    await drainOrClose(stream);
  }
}

async function drainOrClose(stream: MessageStream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onDrain = (): void => resolve();
  const onClose = (event: StreamCloseEvent): void => reject(toError(event, 'writing'));
  stream.addEventListener('drain', onDrain);
  stream.addEventListener('close', onClose);
  try {
    await promise;
  } finally {
    stream.removeEventListener('drain', onDrain);
    stream.removeEventListener('close', onClose);
  }
}
