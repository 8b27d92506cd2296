import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { base64, integer, list, literal, type Malformed, object, type Shape, text } from './shape.ts';
import { MAX_SUCCESSION_CHARS } from './succession.ts';

export const MAX_DECLARATION_CHARS = 16_384;
const MAX_ORIGIN_CHARS = 512;
const MAX_HEADS = 64;
/** What fits into a hello beside the rest. */
export const MAX_SUCCESSIONS = 8;
const MAX_PROTOCOLS = 64;
const MAX_LABEL_CHARS = 128;
const ROOT_BYTES = 32;

/** The largest tree head of one origin that the sender has verified. */
export interface KnownHead {
  readonly origin: string;
  /** base64 of 32 bytes */
  readonly root: string;
  readonly size: number;
}

/** What both sides tell each other first. Only the declaration is signed; the rest are hints. */
export interface Hello {
  /** Unix time of the sender in milliseconds. */
  readonly clock_ms: number;
  /** Signed note, see `declaration.ts`. */
  readonly declaration: string;
  readonly heads: readonly KnownHead[];
  readonly protocols: readonly string[];
  readonly software: string;
  /** Statements of key successions of the sender, signed notes, the last ones; see `succession.ts`. */
  readonly successions: readonly string[];
  readonly v: 1;
}

const HELLO: Shape<Hello> = object<Hello>({
  clock_ms: integer(),
  declaration: text(MAX_DECLARATION_CHARS),
  heads: list(
    object<KnownHead>({ origin: text(MAX_ORIGIN_CHARS), root: base64(ROOT_BYTES), size: integer() }),
    MAX_HEADS,
  ),
  protocols: list(text(MAX_LABEL_CHARS), MAX_PROTOCOLS),
  software: text(MAX_LABEL_CHARS),
  successions: list(text(MAX_SUCCESSION_CHARS), MAX_SUCCESSIONS),
  v: literal(1),
});

export function encodeHello(hello: Omit<Hello, 'v'>): Uint8Array {
  return encodeMessage(HELLO, { ...hello, v: 1 });
}

/** Pure and total. */
export function decodeHello(bytes: Uint8Array): Result<Hello, Malformed> {
  return decodeMessage(bytes, HELLO, MAX_REQUEST_BYTES);
}
