/** A peer's signed word that a fact of ours has no body with it any more, and how it is given. */
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { isFeedName } from '../merkle/feed-head.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { integer, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-erasure/v1';
export const MAX_ACK_BYTES = 4_096;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
/** Acknowledgements of one request: with names of a usual length they fill half of it. */
export const MAX_ACKS = 64;

export interface ErasureAck {
  /** Origin of the journal that holds the body no more. */
  readonly receiver: string;
  /** Node id of the fact's author. */
  readonly author: string;
  /** Place of the fact in its author's feed. */
  readonly feed: string;
  readonly feedSeq: number;
  /** Of the fact in its author's tree, `sha256:…`. */
  readonly leafHash: string;
  /** RFC 3339 in UTC with three digits. */
  readonly erasedAt: string;
}

export type ErasureAckError = 'ack_malformed' | 'ack_origin_mismatch' | 'ack_signature_invalid';

/** The text that is signed. @throws RangeError if {@link parseErasureAck} would refuse it */
export function formatErasureAck({ receiver, author, feed, feedSeq, leafHash, erasedAt }: ErasureAck): string {
  const body = `${[HEADER, receiver, author, feed, feedSeq, leafHash, erasedAt].join('\n')}\n`;
  if (!parseErasureAck(body).ok) throw new RangeError('not an acknowledgement of an erasure');
  return body;
}

/** Pure and total; one text per value. */
export function parseErasureAck(body: string): Result<ErasureAck, 'ack_malformed'> {
  const [title, receiver = '', author = '', feed = '', seq = '', leafHash = '', erasedAt = '', end, ...more] =
    body.split('\n');
  const feedSeq = decodeDecimal(seq);
  if (title !== HEADER || end !== '' || more.length > 0 || feedSeq === undefined || feedSeq < 1)
    return err('ack_malformed');
  if (!isKeyName(receiver) || !isNodeId(author) || !isFeedName(feed)) return err('ack_malformed');
  if (!DIGEST.test(leafHash) || !isInstant(erasedAt)) return err('ack_malformed');
  return ok({ receiver, author, feed, feedSeq, leafHash, erasedAt });
}

export function signErasureAck(ack: Omit<ErasureAck, 'receiver'>, signer: LogSigner): string {
  const body = formatErasureAck({ ...ack, receiver: signer.name });
  return formatNote({ text: body, signatures: logLines(body, signer) });
}

/**
 * Reads a signed acknowledgement and verifies its signature. Pure and total.
 *
 * @param log origin and raw Ed25519 key that are pinned for the peer
 */
export function openErasureAck(
  note: string,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<ErasureAck, ErasureAckError> {
  if (note.length > MAX_ACK_BYTES) return err('ack_malformed');
  const parsed = parseNote(note);
  if (!parsed.ok) return err('ack_malformed');
  const ack = parseErasureAck(parsed.value.text);
  if (!ack.ok) return ack;
  if (ack.value.receiver !== log.origin) return err('ack_origin_mismatch');
  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? ack : err('ack_signature_invalid');
}

function isInstant(value: string): boolean {
  const ms = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value;
}

export interface ErasureRequest {
  /** Signed notes. */
  readonly acks: readonly string[];
  readonly v: 1;
}

/** How many, from the first on, need not come again. */
export interface ErasureAnswer {
  readonly taken: number;
  readonly v: 1;
}

const REQUEST: Shape<ErasureRequest> = object<ErasureRequest>({
  acks: list(text(MAX_ACK_BYTES), MAX_ACKS),
  v: literal(1),
});
const ANSWER: Shape<ErasureAnswer> = object<ErasureAnswer>({ taken: integer(MAX_ACKS), v: literal(1) });

export function encodeErasureRequest(request: Omit<ErasureRequest, 'v'>): Uint8Array {
  return encodeMessage(REQUEST, { ...request, v: 1 });
}

/** Pure and total. */
export function decodeErasureRequest(bytes: Uint8Array): Result<ErasureRequest, Malformed> {
  return decodeMessage(bytes, REQUEST, MAX_REQUEST_BYTES);
}

export function encodeErasureAnswer(answer: Omit<ErasureAnswer, 'v'>): Uint8Array {
  return encodeMessage(ANSWER, { ...answer, v: 1 });
}

/** Pure and total. */
export function decodeErasureAnswer(bytes: Uint8Array): Result<ErasureAnswer, Malformed> {
  return decodeMessage(bytes, ANSWER, MAX_REQUEST_BYTES);
}
