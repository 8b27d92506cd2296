/** Listens to one peer's hints that a feed has grown. A hint only makes us pull sooner: polling goes on behind it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { WATCH_PROTOCOL } from '../wire/protocols.ts';
import { decodeWatchUpdate, encodeWatchRequest } from '../wire/watch.ts';
import type { PullDeps } from './deps.ts';

/** Three of the server's heartbeats of 15 s. */
const SILENCE_MS = 45_000;

/** Between two updates the stream is not read: a peer that talks without end is held back by its own window. */
const BETWEEN_UPDATES_MS = 20;

export type FeedLengths = ReadonlyMap<string, number>;

/**
 * Calls `onUpdate` with the lengths that the peer states of these feeds, until the stream ends or the signal aborts.
 *
 * @throws TransportError; the signal's reason
 */
export async function watchPeer(
  peerId: string,
  feeds: readonly string[],
  deps: Pick<PullDeps, 'transport'>,
  onUpdate: (lengths: FeedLengths) => void,
  signal: AbortSignal,
): Promise<void> {
  const ask = encodeWatchRequest({ feeds });
  const asked = new Set(feeds);
  const limits = { signal, idleMs: SILENCE_MS, totalMs: undefined, maxFrameBytes: MAX_REQUEST_BYTES };
  for await (const frame of deps.transport.request(peerId, WATCH_PROTOCOL, ask, limits)) {
    const update = decodeWatchUpdate(frame);
    if (!update.ok) return;
    const stated = update.value.feeds.filter(({ feed }) => asked.has(feed));
    onUpdate(new Map(stated.map(({ feed, length }) => [feed, length])));
    await sleep(BETWEEN_UPDATES_MS, undefined, { signal });
  }
}
