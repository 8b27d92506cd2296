import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { boolean, integer, literal, type Malformed, object, oneOf, type Shape } from './shape.ts';

/** The server has said all it wants to say; `has_more` asks the puller to come again at once. */
export interface PullEnd {
  readonly end: true;
  readonly has_more: boolean;
  readonly v: 1;
}

/** The server stops here; the pages before this frame stand. Codes only: no text of the server reaches its peer. */
export interface PullError {
  readonly error: 'busy' | 'bad_request' | 'unavailable';
  readonly retry_after_ms: number;
  readonly v: 1;
}

const PULL_END: Shape<PullEnd> = object<PullEnd>({ end: literal(true), has_more: boolean, v: literal(1) });
const PULL_ERROR: Shape<PullError> = object<PullError>({
  error: oneOf('busy', 'bad_request', 'unavailable'),
  retry_after_ms: integer(),
  v: literal(1),
});

const LAST_FRAME: Shape<PullEnd | PullError> = {
  check: (value, at) => {
    const isError = typeof value === 'object' && value !== null && 'error' in value;
    return isError ? PULL_ERROR.check(value, at) : PULL_END.check(value, at);
  },
};

const MAX_END_BYTES = 256;

/** First bytes of a frame that ends an answer; a page header starts with `{"after"`. */
const END_PREFIXES: readonly Buffer[] = [Buffer.from('{"end"'), Buffer.from('{"error"')];

/** Tells the last JSON frame of an answer from the header of one more page, without parsing. */
export function isPullEnd(frame: Uint8Array): boolean {
  return END_PREFIXES.some((prefix) => prefix.equals(frame.subarray(0, prefix.length)));
}

export function encodePullEnd(end: Omit<PullEnd, 'v'> | Omit<PullError, 'v'>): Uint8Array {
  if ('end' in end) return encodeMessage(PULL_END, { ...end, v: 1 });
  return encodeMessage(PULL_ERROR, { ...end, v: 1 });
}

/** Pure and total. */
export function decodePullEnd(bytes: Uint8Array): Result<PullEnd | PullError, Malformed> {
  return decodeMessage(bytes, LAST_FRAME, MAX_END_BYTES);
}
