/** The end of a grant: what the server signs about it, and how a puller asks. */
import { MAX_FEED_NAME_BYTES, MAX_FEEDS, MAX_REQUEST_BYTES } from '../core/limits.ts';
import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isFeed } from '../core/scope.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, isKeyName, parseNote, signEd25519, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { list, literal, type Malformed, object, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-closure/v1';
/** Two names, a feed, two numbers, a time, a code and one signature line. */
export const MAX_CLOSURE_BYTES = 4_096;
/** Closures of one answer, so that it stays within one frame of a request's size. */
export const MAX_CLOSURES = 64;
/** Room for an answer of {@link MAX_CLOSURES}. */
export const MAX_CLOSURE_ANSWER_BYTES: number = MAX_CLOSURES * MAX_CLOSURE_BYTES;

/** What a server states about a feed that a peer could read until a moment. */
export interface Closure {
  /** Origin of the server's journal. */
  readonly origin: string;
  /** Node id of the peer whose grant has ended. */
  readonly receiver: string;
  readonly feed: string;
  /** Feed sequence of the last entry that the peer was given. */
  readonly to: number;
  /** Of the checkpoint that it was proved against. */
  readonly treeSize: number;
  /** The grant's end, RFC 3339 in UTC with three digits. */
  readonly closedAt: string;
  readonly reason: 'grant_expired';
}

export type ClosureError = 'closure_malformed' | 'closure_origin_mismatch' | 'closure_signature_invalid';

/**
 * The text that is signed. One grant's end has one text and, Ed25519 being deterministic, one signature: it can be given
 * as often as it is asked for.
 *
 * @throws RangeError if {@link parseClosure} would refuse it
 * @see docs/PROTOCOL.md, closure
 */
export function formatClosure({ origin, receiver, feed, to, treeSize, closedAt, reason }: Closure): string {
  const body = `${[HEADER, origin, receiver, feed, to, treeSize, closedAt, reason].join('\n')}\n`;
  if (!parseClosure(body).ok) throw new RangeError('not a closure');
  return body;
}

/** Reads the text of a closure. Pure and total; one text per value. */
export function parseClosure(body: string): Result<Closure, 'closure_malformed'> {
  const [title, origin = '', receiver = '', feed = '', ...rest] = body.split('\n');
  const [toText = '', sizeText = '', closedAt = '', reason, end, ...more] = rest;
  if (title !== HEADER || end !== '' || more.length > 0 || reason !== 'grant_expired') return err('closure_malformed');
  const to = decodeDecimal(toText);
  const treeSize = decodeDecimal(sizeText);
  if (!isKeyName(origin) || !isNodeId(receiver) || !isFeed(feed)) return err('closure_malformed');
  if (to === undefined || treeSize === undefined || to > treeSize || !isInstant(closedAt))
    return err('closure_malformed');
  return ok({ origin, receiver, feed, to, treeSize, closedAt, reason });
}

export function signClosure(closure: Omit<Closure, 'origin' | 'reason'>, signer: LogSigner): string {
  const body = formatClosure({ ...closure, origin: signer.name, reason: 'grant_expired' });
  return formatNote({ text: body, signatures: [signEd25519(body, signer)] });
}

/**
 * Reads a signed closure and verifies the server's signature. Pure and total.
 *
 * @param log origin and raw Ed25519 key that are pinned for the server
 */
export function openClosure(
  note: string,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<Closure, ClosureError> {
  if (note.length > MAX_CLOSURE_BYTES) return err('closure_malformed');
  const parsed = parseNote(note);
  if (!parsed.ok) return err('closure_malformed');
  const closure = parseClosure(parsed.value.text);
  if (!closure.ok) return closure;
  if (closure.value.origin !== log.origin) return err('closure_origin_mismatch');
  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? closure : err('closure_signature_invalid');
}

/** Asks about feeds that were given before and of which nothing comes any more. */
export interface ClosureRequest {
  readonly feeds: readonly string[];
  readonly v: 1;
}

/** Signed closures of those whose grant has ended; nothing about all others. */
export interface ClosureAnswer {
  readonly closures: readonly string[];
  readonly v: 1;
}

const CLOSURE_REQUEST: Shape<ClosureRequest> = object<ClosureRequest>({
  feeds: list(text(MAX_FEED_NAME_BYTES), MAX_FEEDS),
  v: literal(1),
});
const CLOSURE_ANSWER: Shape<ClosureAnswer> = object<ClosureAnswer>({
  closures: list(text(MAX_CLOSURE_BYTES), MAX_CLOSURES),
  v: literal(1),
});

export function encodeClosureRequest(request: Omit<ClosureRequest, 'v'>): Uint8Array {
  return encodeMessage(CLOSURE_REQUEST, { ...request, v: 1 });
}

/** Pure and total. */
export function decodeClosureRequest(bytes: Uint8Array): Result<ClosureRequest, Malformed> {
  return decodeMessage(bytes, CLOSURE_REQUEST, MAX_REQUEST_BYTES);
}

export function encodeClosureAnswer(answer: Omit<ClosureAnswer, 'v'>): Uint8Array {
  return encodeMessage(CLOSURE_ANSWER, { ...answer, v: 1 });
}

/** Pure and total. */
export function decodeClosureAnswer(bytes: Uint8Array): Result<ClosureAnswer, Malformed> {
  return decodeMessage(bytes, CLOSURE_ANSWER, MAX_CLOSURE_ANSWER_BYTES);
}

/** A time of RFC 3339 with three digits, in UTC. */
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/** One spelling per moment. */
function isInstant(value: string): boolean {
  const ms = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value;
}
