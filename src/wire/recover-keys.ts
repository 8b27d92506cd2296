import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { list, literal, type Malformed, object, type Shape, text } from './shape.ts';
import { MAX_SUCCESSION_CHARS } from './succession.ts';

/** Statements in one answer: one key a month for five years. */
export const MAX_RECOVERED_STATEMENTS = 64;
/** Largest answer: a statement is below 1 KB, whatever a reader would take. */
export const MAX_KEYS_ANSWER_BYTES = 524_288;

/** "Which successions of my own keys do you hold?" */
export interface KeysRequest {
  readonly kind: 'keys';
  readonly v: 1;
}

interface KeysAnswer {
  readonly kind: 'keys';
  /** Signed notes, see `succession.ts`; the last ones, in the order in which they were taken. */
  readonly successions: readonly string[];
  readonly v: 1;
}

export const KEYS_REQUEST: Shape<KeysRequest> = object<KeysRequest>({ kind: literal('keys'), v: literal(1) });
const KEYS_ANSWER: Shape<KeysAnswer> = object<KeysAnswer>({
  kind: literal('keys'),
  successions: list(text(MAX_SUCCESSION_CHARS), MAX_RECOVERED_STATEMENTS),
  v: literal(1),
});

export function encodeKeysAnswer(successions: readonly string[]): Uint8Array {
  return encodeMessage(KEYS_ANSWER, {
    kind: 'keys',
    successions: successions.slice(-MAX_RECOVERED_STATEMENTS),
    v: 1,
  });
}

/** The statements in an answer. Pure and total. */
export function decodeKeysAnswer(bytes: Uint8Array): Result<readonly string[], Malformed> {
  const decoded = decodeMessage(bytes, KEYS_ANSWER, MAX_KEYS_ANSWER_BYTES);
  return decoded.ok ? { ok: true, value: decoded.value.successions } : decoded;
}
