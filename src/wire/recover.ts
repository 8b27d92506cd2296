import { MAX_REQUEST_BYTES, MAX_TREE_SIZE } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { KEYS_REQUEST, type KeysRequest } from './recover-keys.ts';
import { NOTES_REQUEST, type NotesRequest } from './recover-notes.ts';
import { integer, literal, type Malformed, nullable, object, type Shape, text } from './shape.ts';

const MAX_NOTE_CHARS = 16_384;

/** "Which is the largest checkpoint of my log that you hold?" */
export interface HeadRequest {
  readonly kind: 'head';
  readonly v: 1;
}

/** "Give me back the pages you took from me that may hold leaf indexes from `from` on", without the first `skip` of them. */
export interface EntriesRequest {
  /** 0-based leaf index. */
  readonly from: number;
  readonly kind: 'entries';
  readonly skip: number;
  readonly v: 1;
}

export type RecoverRequest = HeadRequest | EntriesRequest | KeysRequest | NotesRequest;

export interface HeadAnswer {
  /** The signed note as it was received; null when none is held. */
  readonly checkpoint: string | null;
  readonly kind: 'head';
  readonly v: 1;
}

const HEAD: Shape<HeadRequest> = object<HeadRequest>({ kind: literal('head'), v: literal(1) });
const ENTRIES: Shape<EntriesRequest> = object<EntriesRequest>({
  from: integer(MAX_TREE_SIZE),
  kind: literal('entries'),
  skip: integer(),
  v: literal(1),
});
const REQUEST: Shape<RecoverRequest> = {
  check: (value, at) => {
    const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
    if (kind === 'keys') return KEYS_REQUEST.check(value, at);
    return (kind === 'entries' ? ENTRIES : kind === 'notes' ? NOTES_REQUEST : HEAD).check(value, at);
  },
};
const HEAD_ANSWER: Shape<HeadAnswer> = object<HeadAnswer>({
  checkpoint: nullable(text(MAX_NOTE_CHARS)),
  kind: literal('head'),
  v: literal(1),
});

export function encodeRecoverRequest(request: RecoverRequest): Uint8Array {
  return encodeMessage(REQUEST, request);
}

/** Pure and total. */
export function decodeRecoverRequest(bytes: Uint8Array): Result<RecoverRequest, Malformed> {
  return decodeMessage(bytes, REQUEST, MAX_REQUEST_BYTES);
}

export function encodeHeadAnswer(checkpoint: string | null): Uint8Array {
  return encodeMessage(HEAD_ANSWER, { checkpoint, kind: 'head', v: 1 });
}

/** Pure and total. */
export function decodeHeadAnswer(bytes: Uint8Array): Result<HeadAnswer, Malformed> {
  return decodeMessage(bytes, HEAD_ANSWER, MAX_REQUEST_BYTES);
}
