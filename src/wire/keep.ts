import { MAX_FEED_NAME_BYTES, MAX_KEEP_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { MAX_SEALED_BYTES, MIN_SEALED_BYTES } from './restore-note.ts';
import { base64, integer, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

/** Notes of one request or answer. */
export const MAX_KEPT_NOTES = 64;

/** A sealed note about one page that the asker took, see `restore-note.ts`. */
export interface SealedNote {
  readonly after: number;
  readonly feed: string;
  /** Base64. */
  readonly sealed: string;
  readonly to: number;
}

/** "Keep these for me": one note per feed and `to`, a later one in place of the one before. */
export interface KeepRequest {
  readonly notes: readonly SealedNote[];
  readonly v: 1;
}

/** How many of the notes, from the first on, need not come again. */
export interface KeepAnswer {
  readonly taken: number;
  readonly v: 1;
}

export const SEALED_NOTE: Shape<SealedNote> = object<SealedNote>({
  after: integer(),
  feed: text(MAX_FEED_NAME_BYTES),
  sealed: base64(MAX_SEALED_BYTES, MIN_SEALED_BYTES),
  to: integer(),
});

const KEEP_REQUEST: Shape<KeepRequest> = object<KeepRequest>({
  notes: list(SEALED_NOTE, MAX_KEPT_NOTES),
  v: literal(1),
});

const KEEP_ANSWER: Shape<KeepAnswer> = object<KeepAnswer>({ taken: integer(MAX_KEPT_NOTES), v: literal(1) });

export function encodeKeepRequest(notes: readonly SealedNote[]): Uint8Array {
  return encodeMessage(KEEP_REQUEST, { notes, v: 1 });
}

/** Pure and total. */
export function decodeKeepRequest(bytes: Uint8Array): Result<KeepRequest, Malformed> {
  return decodeMessage(bytes, KEEP_REQUEST, MAX_KEEP_BYTES);
}

export function encodeKeepAnswer(taken: number): Uint8Array {
  return encodeMessage(KEEP_ANSWER, { taken, v: 1 });
}

/** Pure and total. */
export function decodeKeepAnswer(bytes: Uint8Array): Result<KeepAnswer, Malformed> {
  return decodeMessage(bytes, KEEP_ANSWER, MAX_KEEP_BYTES);
}
