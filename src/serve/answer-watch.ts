/** Tells a peer when a feed that it may read has grown. Hints only: what a peer believes, it pulls and verifies. */
import { openFeeds } from '../core/disclosure.ts';
import { decodeWatchRequest, encodeWatchUpdate } from '../wire/watch.ts';
import type { ServeDeps } from './deps.ts';
import type { GrowthBell } from './growth-bell.ts';

/** A puller takes a watch for dead when it hears nothing for three of these. */
export const WATCH_HEARTBEAT_MS = 15_000;

export interface WatchContext {
  readonly peerId: string;
  /** Aborts when the stream is gone. */
  readonly signal: AbortSignal;
}

export async function* answerWatch(
  request: Uint8Array,
  context: WatchContext,
  deps: ServeDeps & { readonly growth: GrowthBell },
): AsyncGenerator<Uint8Array> {
  const decoded = decodeWatchRequest(request);
  if (!decoded.ok) return;
  const watched = new Set(decoded.value.feeds);
  let told: string | undefined;
  let toldAtMs = 0;
  while (!context.signal.aborted) {
    const peer = deps.peerOf(context.peerId);
    if (peer === undefined) return;
    const granted = openFeeds(peer, deps.rules, deps.nowMs());
    const { size, feeds } = deps.growth.current();
    const visible = feeds.filter(({ feed }) => watched.has(feed) && granted.has(feed));
    const now = JSON.stringify(visible);
    // Growth of feeds that this peer may not read must not show: they ring the same bell, so the time decides. Not the time
    // of day: that may be put back, and a timer for more than 24 days fires at once.
    const waitMs = told === now ? toldAtMs + WATCH_HEARTBEAT_MS - performance.now() : 0;
    if (waitMs > 0) {
      await deps.growth.wait(waitMs, context.signal);
      continue;
    }
    yield encodeWatchUpdate({ feeds: visible, size: visible.length === 0 ? 0 : size });
    told = now;
    toldAtMs = performance.now();
  }
}
