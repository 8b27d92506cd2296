/** Which of the feeds that are taken from a peer are those of third nodes, and who those are. */
import type { RelayOrigin } from '../verify/context.ts';
import type { Relaying } from './deps.ts';

export interface KnownFeeds {
  /** Feeds to ask for. */
  readonly taken: readonly string[];
  readonly origins: ReadonlyMap<string, RelayOrigin>;
}

/**
 * A feed of a third node that is not known here is not asked for: nobody could say whether its facts are its own. What the peer
 * says itself comes first, as it does not depend on the permits of others.
 */
export async function knownFeeds(accept: readonly string[], { originOf }: Relaying): Promise<KnownFeeds> {
  const origins = new Map<string, RelayOrigin>();
  const own = accept.filter((feed) => !feed.startsWith('from/'));
  for (const feed of accept) {
    const origin = feed.startsWith('from/') ? await originOf(feed) : null;
    if (origin !== null) origins.set(feed, origin);
  }
  return { taken: [...own, ...origins.keys()], origins };
}
