import { MAX_FEED_NAME_BYTES, MAX_FEEDS, MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { integer, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

/** Asks to be told when one of these feeds grows. */
export interface WatchRequest {
  readonly feeds: readonly string[];
  readonly v: 1;
}

/** How long the granted ones of the watched feeds are now; a hint when to pull, believed by nobody. */
export interface WatchUpdate {
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
  readonly size: number;
  readonly v: 1;
}

const WATCH_REQUEST: Shape<WatchRequest> = object<WatchRequest>({
  feeds: list(text(MAX_FEED_NAME_BYTES), MAX_FEEDS),
  v: literal(1),
});

const WATCH_UPDATE: Shape<WatchUpdate> = object<WatchUpdate>({
  feeds: list(object<WatchUpdate['feeds'][number]>({ feed: text(MAX_FEED_NAME_BYTES), length: integer() }), MAX_FEEDS),
  size: integer(),
  v: literal(1),
});

export function encodeWatchRequest(request: Omit<WatchRequest, 'v'>): Uint8Array {
  return encodeMessage(WATCH_REQUEST, { ...request, v: 1 });
}

/** Pure and total. */
export function decodeWatchRequest(bytes: Uint8Array): Result<WatchRequest, Malformed> {
  return decodeMessage(bytes, WATCH_REQUEST, MAX_REQUEST_BYTES);
}

export function encodeWatchUpdate(update: Omit<WatchUpdate, 'v'>): Uint8Array {
  return encodeMessage(WATCH_UPDATE, { ...update, v: 1 });
}

/** Pure and total. */
export function decodeWatchUpdate(bytes: Uint8Array): Result<WatchUpdate, Malformed> {
  return decodeMessage(bytes, WATCH_UPDATE, MAX_REQUEST_BYTES);
}
