import {
  MAX_FEED_NAME_BYTES,
  MAX_FEEDS,
  MAX_PAGE_BYTES,
  MAX_PAGE_ENTRIES,
  MAX_PAGES_PER_PULL,
  MAX_REQUEST_BYTES,
} from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { integer, list, literal, type Malformed, object, oneOf, type Shape, text } from './shape.ts';

/** Where the puller stands in one feed. */
export interface FeedCursor {
  /** Feed sequence of the last entry that it has judged; 0 for none. The answer starts behind it. */
  readonly after: number;
  readonly feed: string;
}

/** What a puller asks: the pages of these feeds, each as evidence in itself. */
export interface PullRequest {
  /** Encodings of the entries frame besides `identity`. */
  readonly accept: readonly 'zstd'[];
  readonly feeds: readonly FeedCursor[];
  /** Tree size of the last checkpoint that the puller verified; 0 for none. */
  readonly known_size: number;
  readonly page_bytes: number;
  readonly page_entries: number;
  /** How many pages at most. */
  readonly pages: number;
  readonly v: 1;
}

const FEED_CURSOR: Shape<FeedCursor> = object<FeedCursor>({ after: integer(), feed: text(MAX_FEED_NAME_BYTES) });

const PULL_REQUEST: Shape<PullRequest> = object<PullRequest>({
  accept: list(oneOf('zstd'), 1),
  feeds: list(FEED_CURSOR, MAX_FEEDS),
  known_size: integer(),
  page_bytes: integer(MAX_PAGE_BYTES, 1),
  page_entries: integer(MAX_PAGE_ENTRIES, 1),
  pages: integer(MAX_PAGES_PER_PULL, 1),
  v: literal(1),
});

/** @throws TypeError when the request is not within the limits */
export function encodePullRequest(request: Omit<PullRequest, 'v'>): Uint8Array {
  return encodeMessage(PULL_REQUEST, { ...request, v: 1 });
}

/** Pure and total. A feed may be named once; a second cursor for it would have no meaning. */
export function decodePullRequest(bytes: Uint8Array): Result<PullRequest, Malformed> {
  const decoded = decodeMessage(bytes, PULL_REQUEST, MAX_REQUEST_BYTES);
  if (!decoded.ok) return decoded;
  const names = new Set<string>();
  for (const [i, { feed }] of decoded.value.feeds.entries()) {
    if (names.has(feed))
      return { ok: false, error: { at: `feeds[${i}].feed`, expected: 'each feed once', got: 'a second cursor' } };
    names.add(feed);
  }
  return decoded;
}
