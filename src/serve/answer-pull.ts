/** Answers a pull: pages of the feeds that are asked for and granted, each proved against one signed checkpoint. */
import { decideFeed, type FeedGrant, grantText } from '../core/disclosure.ts';
import { MAX_RELAY_PAGE_ENTRIES, TARGET_PAGE_BYTES } from '../core/limits.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { encodePullEnd } from '../wire/pull-end.ts';
import { decodePullRequest, type PullRequest } from '../wire/pull-request.ts';
import { corruptOf, type ServeDeps, type ServedCheckpoint } from './deps.ts';

const RETRY_UNAVAILABLE_MS = 60_000;
/** Names no feed, so that nothing is found under it. */
const NO_FEED = '';
/** The guard's questions take a few seconds at most unless something is wrong. */
const RETRY_GUARDED_MS = 2_000;

/** The frames of an answer, without the empty one that ends it. */
export async function* answerPull(request: Uint8Array, peerId: string, deps: ServeDeps): AsyncGenerator<Uint8Array> {
  const decoded = decodePullRequest(request);
  const peer = deps.peerOf(peerId);
  if (!decoded.ok || peer === undefined) {
    yield encodePullEnd({ error: 'bad_request', retry_after_ms: RETRY_UNAVAILABLE_MS });
    return;
  }
  try {
    yield* pages(decoded.value, peer.nodeId, (feed) => grantOf(feed, peerId, deps), deps);
  } catch (error) {
    if (isForNow(error)) {
      yield encodePullEnd({ error: 'unavailable', retry_after_ms: RETRY_GUARDED_MS });
      return;
    }
    const corrupt = corruptOf(error);
    if (corrupt === undefined) throw error;
    // Nothing that fails our own check may leave. The peer learns that we cannot answer, our operator learns why.
    deps.onCorrupt(corrupt);
    yield encodePullEnd({ error: 'unavailable', retry_after_ms: RETRY_UNAVAILABLE_MS });
  }
}

/** The restore guard lets nothing be signed, or a tombstone waits for its checkpoint: nothing is wrong that the peer should hear of. */
function isForNow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'guarded' || error.code === 'uncovered');
}

/** The grant that opens a feed to a peer at this moment. */
function grantOf(feed: string, peerId: string, { peerOf, rules, nowMs }: ServeDeps): FeedGrant | null {
  const peer = peerOf(peerId);
  if (peer === undefined) return null;
  const { code, grant } = decideFeed(feed, peer, rules, nowMs());
  return code === 'granted' ? grant : null;
}

/** What lets us relay a feed of a third node; null for any other. */
function permitOf(feed: string, { rules }: ServeDeps): string | null {
  return rules.permits.get(feed)?.note ?? null;
}

async function* pages(
  request: PullRequest,
  receiver: string,
  opens: (feed: string) => FeedGrant | null,
  deps: ServeDeps,
): AsyncGenerator<Uint8Array> {
  const head = await deps.served(request.known_size);
  let left = request.pages;
  let isFirst = true;
  let hasMore = false;
  for (const { feed, after } of request.feeds) {
    for (let at = after; ; ) {
      if (left === 0) {
        hasMore = true;
        break;
      }
      // Asked for each page: an answer takes minutes, and a grant may end meanwhile.
      const grant = opens(feed);
      // A feed that is not granted is passed over just as one that does not exist: by saying nothing, after one look-up.
      const asked = grant === null ? NO_FEED : feed;
      const page = await deps.reader.page({
        ...pageRequest(request, asked, at, head, isFirst),
        permit: permitOf(asked, deps),
        receiver,
      });
      if (page === undefined || grant === null) break;
      if (page.to === after && isKnown(request, head)) break;
      if (page.to > at) {
        const run = { feed, after: at, to: page.to, treeSize: head.size };
        await deps.disclose({ ...run, peer: receiver, grant: grantText(receiver, grant) });
      }
      yield* framesOf(page.frames);
      left--;
      isFirst = false;
      at = page.to;
      if (at >= page.feedLength) break;
    }
  }
  yield encodePullEnd({ end: true, has_more: hasMore });
}

/** A puller that has this very checkpoint has its feed heads too: a page without entries would tell it nothing. */
function isKnown(request: PullRequest, head: ServedCheckpoint): boolean {
  return request.known_size === head.size;
}

function pageRequest(request: PullRequest, feed: string, after: number, head: ServedCheckpoint, isFirst: boolean) {
  return {
    feed,
    after,
    maxEntries: Math.min(
      request.page_entries,
      feed.startsWith('from/') ? MAX_RELAY_PAGE_ENTRIES : request.page_entries,
    ),
    maxBytes: Math.min(request.page_bytes, TARGET_PAGE_BYTES),
    checkpoint: head,
    knownSize: isFirst ? request.known_size : null,
    zstd: request.accept.includes('zstd'),
  };
}

function* framesOf({ header, entries, proof, note }: SignedPageFrames): Generator<Uint8Array> {
  yield header;
  if (entries !== null) yield entries;
  if (proof !== null) yield proof;
  if (note !== null) yield note;
}
