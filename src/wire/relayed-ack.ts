/** Acknowledgements of erasures that come to an author by the node that relayed the fact. */
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { MAX_ACK_BYTES } from './erasure-ack.ts';
import { MAX_DECLARATION_CHARS } from './hello.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { integer, list, literal, type Malformed, nullable, object, type Shape, text } from './shape.ts';

/** Acknowledgements of one request. */
export const MAX_RELAYED_ACKS = 16;

export interface RelayedAck {
  /** Of whoever signed the acknowledgement, which names its log key; null: whoever sends it did. */
  readonly declaration: string | null;
  /** Signed note, see `erasure-ack.ts`. */
  readonly note: string;
}

export interface RelayedAckRequest {
  readonly acks: readonly RelayedAck[];
  readonly v: 1;
}

/** How many, from the first on, need not come again. */
interface RelayedAckAnswer {
  readonly taken: number;
  readonly v: 1;
}

const REQUEST: Shape<RelayedAckRequest> = object<RelayedAckRequest>({
  acks: list(
    object<RelayedAck>({ declaration: nullable(text(MAX_DECLARATION_CHARS)), note: text(MAX_ACK_BYTES) }),
    MAX_RELAYED_ACKS,
  ),
  v: literal(1),
});
const ANSWER: Shape<RelayedAckAnswer> = object<RelayedAckAnswer>({ taken: integer(MAX_RELAYED_ACKS), v: literal(1) });

/** As many of them, from the first on, as one request holds. */
export function fitRelayedAcks<T extends RelayedAck>(acks: readonly T[]): readonly T[] {
  let count = Math.min(acks.length, MAX_RELAYED_ACKS);
  while (count > 1 && encodeRelayedAcks(acks.slice(0, count).map(onlyAck)).length > MAX_REQUEST_BYTES) count--;
  return acks.slice(0, count);
}

function onlyAck({ declaration, note }: RelayedAck): RelayedAck {
  return { declaration, note };
}

export function encodeRelayedAcks(acks: readonly RelayedAck[]): Uint8Array {
  return encodeMessage(REQUEST, { acks: acks.map(onlyAck), v: 1 });
}

/** Pure and total. */
export function decodeRelayedAcks(bytes: Uint8Array): Result<RelayedAckRequest, Malformed> {
  return decodeMessage(bytes, REQUEST, MAX_REQUEST_BYTES);
}

export function encodeRelayedAckAnswer(taken: number): Uint8Array {
  return encodeMessage(ANSWER, { taken, v: 1 });
}

/** Pure and total. */
export function decodeRelayedAckAnswer(bytes: Uint8Array): Result<RelayedAckAnswer, Malformed> {
  return decodeMessage(bytes, ANSWER, MAX_REQUEST_BYTES);
}
