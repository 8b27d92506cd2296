/** Messages of the witness protocol: cosignatures on a checkpoint, heads of third logs, contradictions that were found. */
import { createHash } from 'node:crypto';
import { MAX_WITNESS_REQUEST_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { base64, integer, list, literal, type Malformed, nullable, object, oneOf, type Shape, text } from './shape.ts';

const HASH_BYTES = 32;
/** C2SP tlog-witness allows no more. */
const MAX_WITNESS_PATH = 63;
/** One hash more than the longest consistency proof. */
const MAX_EVIDENCE_PATH = 65;
const MAX_NOTE_CHARS = 16_384;
/** A head in gossip has the lines of the log's own keys alone. */
export const MAX_HEAD_CHARS = 2_048;
/** Logs asked about, and heads shown, in one message. */
export const MAX_GOSSIP_LOGS = 256;

/** Asks for a cosignature on a checkpoint of the sender's own log. */
export interface CosignRequest {
  /** Signed note. */
  readonly checkpoint: string;
  readonly kind: 'cosign';
  /** Tree size that the witness is thought to know; the proof starts there. */
  readonly old: number;
  readonly proof: readonly string[];
  readonly v: 1;
}
/** Shows heads of logs that the receiver has shown to know, and asks about logs by a hash that only those know who know the log. */
export interface HeadsRequest {
  /** Signed notes. */
  readonly heads: readonly string[];
  readonly kind: 'heads';
  /** {@link logToken} of each log asked about. */
  readonly logs: readonly string[];
  /** Base64 of 32 bytes, drawn for this message. */
  readonly salt: string;
  readonly v: 1;
}
/** Two notes of one log that contradict each other. The receiver judges for itself. */
export interface EvidenceRequest {
  readonly kind: 'evidence';
  readonly notes: readonly string[];
  readonly path: readonly string[] | null;
  readonly v: 1;
}
export type WitnessRequest = CosignRequest | HeadsRequest | EvidenceRequest;

export interface CosignedAnswer {
  readonly kind: 'cosigned';
  /** Signature lines, each with its newline. */
  readonly lines: string;
  readonly v: 1;
}
/** The proof has to start at this size. */
export interface StaleAnswer {
  readonly kind: 'stale';
  readonly size: number;
  readonly v: 1;
}
export interface RefusedAnswer {
  readonly code: CosignRefusal;
  readonly kind: 'refused';
  readonly v: 1;
}
/** So many checkpoints of the log were cosigned that the next one has to wait. */
export interface BusyAnswer {
  readonly kind: 'busy';
  readonly retry_after_ms: number;
  readonly v: 1;
}
export interface HeadsAnswer {
  readonly heads: readonly string[];
  readonly kind: 'heads';
  readonly v: 1;
}
export interface JudgedAnswer {
  readonly kind: 'judged';
  readonly verdict: 'contradiction' | 'no_proof' | 'unknown_log';
  readonly v: 1;
}
export type WitnessAnswer = CosignedAnswer | StaleAnswer | RefusedAnswer | BusyAnswer | HeadsAnswer | JudgedAnswer;

/**
 * Why a checkpoint is not cosigned. `unreconciled`: the witness holds another head of that log that it could not join with
 * what it verified yet.
 */
export const COSIGN_REFUSALS = [
  'bad_request',
  'unknown_log',
  'bad_signature',
  'bad_proof',
  'contradiction',
  'suspended',
  'unreconciled',
] as const;
export type CosignRefusal = (typeof COSIGN_REFUSALS)[number];

const REQUESTS: { readonly [K in WitnessRequest['kind']]: Shape<Extract<WitnessRequest, { kind: K }>> } = {
  cosign: object<CosignRequest>({
    checkpoint: text(MAX_NOTE_CHARS),
    kind: literal('cosign'),
    old: integer(),
    proof: list(base64(HASH_BYTES), MAX_WITNESS_PATH),
    v: literal(1),
  }),
  heads: object<HeadsRequest>({
    heads: list(text(MAX_HEAD_CHARS), MAX_GOSSIP_LOGS),
    kind: literal('heads'),
    logs: list(base64(HASH_BYTES), MAX_GOSSIP_LOGS),
    salt: base64(HASH_BYTES),
    v: literal(1),
  }),
  evidence: object<EvidenceRequest>({
    kind: literal('evidence'),
    notes: list(text(MAX_HEAD_CHARS), 2),
    path: nullable(list(base64(HASH_BYTES), MAX_EVIDENCE_PATH)),
    v: literal(1),
  }),
};

const ANSWERS: { readonly [K in WitnessAnswer['kind']]: Shape<Extract<WitnessAnswer, { kind: K }>> } = {
  busy: object<BusyAnswer>({ kind: literal('busy'), retry_after_ms: integer(), v: literal(1) }),
  cosigned: object<CosignedAnswer>({ kind: literal('cosigned'), lines: text(MAX_NOTE_CHARS), v: literal(1) }),
  heads: object<HeadsAnswer>({
    heads: list(text(MAX_HEAD_CHARS), MAX_GOSSIP_LOGS),
    kind: literal('heads'),
    v: literal(1),
  }),
  judged: object<JudgedAnswer>({
    kind: literal('judged'),
    v: literal(1),
    verdict: oneOf('contradiction', 'no_proof', 'unknown_log'),
  }),
  refused: object<RefusedAnswer>({ code: oneOf(...COSIGN_REFUSALS), kind: literal('refused'), v: literal(1) }),
  stale: object<StaleAnswer>({ kind: literal('stale'), size: integer(), v: literal(1) }),
};

/** The shape that the message's own `kind` names; any other kind is checked against `otherwise` and fails there. */
function byKind<T>(shapes: Readonly<Record<string, Shape<unknown>>>, otherwise: Shape<unknown>): Shape<T> {
  return {
    check: (value, at) => {
      const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
      const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
      return (shape ?? otherwise).check(value, at);
    },
  };
}

const WITNESS_REQUEST: Shape<WitnessRequest> = byKind(REQUESTS, REQUESTS.heads);
const WITNESS_ANSWER: Shape<WitnessAnswer> = byKind(ANSWERS, ANSWERS.heads);

export function encodeWitnessRequest(request: WitnessRequest): Uint8Array {
  return encodeMessage(WITNESS_REQUEST, request);
}

/** Pure and total. No note in it is opened yet. */
export function decodeWitnessRequest(bytes: Uint8Array): Result<WitnessRequest, Malformed> {
  return decodeMessage(bytes, WITNESS_REQUEST, MAX_WITNESS_REQUEST_BYTES);
}

export function encodeWitnessAnswer(answer: WitnessAnswer): Uint8Array {
  return encodeMessage(WITNESS_ANSWER, answer);
}

/** Pure and total. */
export function decodeWitnessAnswer(bytes: Uint8Array): Result<WitnessAnswer, Malformed> {
  return decodeMessage(bytes, WITNESS_ANSWER, MAX_WITNESS_REQUEST_BYTES);
}

/**
 * Names a log to those who know it and to nobody else: SHA-256(salt ‖ origin), base64. An origin ends in 64 random bits, so
 * it cannot be guessed from its hash.
 *
 * @param salt base64 of 32 bytes
 */
export function logToken(salt: string, origin: string): string {
  return createHash('sha256').update(Buffer.from(salt, 'base64')).update(origin).digest('base64');
}
