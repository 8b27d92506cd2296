/** Who may pass on a node's public facts: what the node signs about it, and how a relay asks for it. */
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { literal, type Malformed, nullable, object, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-relay/v1';
/** Two names, a feed, a number, two times and the lines of two log keys. */
export const MAX_PERMIT_CHARS = 4_096;
/** Room for the one note of an answer. */
export const MAX_PERMIT_ANSWER_BYTES: number = MAX_PERMIT_CHARS * 2;
/** The one feed that can be relayed. */
export const RELAYED_FEED = 'public';
/** Nodes that may pass a fact on between its origin and its reader. */
const HOPS = '1';

/** What the origin of facts states about one node that may pass them on. */
export interface RelayPermit {
  /** Origin of the journal that the facts were asserted in. */
  readonly origin: string;
  /** Node id of the one node that may relay. */
  readonly relay: string;
  /** RFC 3339 in UTC with three digits. */
  readonly issuedAt: string;
  /** As `issuedAt`, exclusive. */
  readonly notAfter: string;
}

export type RelayPermitError = 'permit_malformed' | 'permit_origin_mismatch' | 'permit_signature_invalid';

/**
 * The text that is signed.
 *
 * @throws RangeError if {@link parseRelayPermit} would refuse it
 * @see docs/PROTOCOL.md, relay permit
 */
export function formatRelayPermit({ origin, relay, issuedAt, notAfter }: RelayPermit): string {
  const body = `${[HEADER, origin, relay, RELAYED_FEED, HOPS, issuedAt, notAfter].join('\n')}\n`;
  if (!parseRelayPermit(body).ok) throw new RangeError('not a relay permit');
  return body;
}

/** Reads the text of a permit. Pure and total; one text per value. */
export function parseRelayPermit(body: string): Result<RelayPermit, 'permit_malformed'> {
  const [title, origin = '', relay = '', feed, hops, issuedAt = '', notAfter = '', end, ...more] = body.split('\n');
  if (title !== HEADER || end !== '' || more.length > 0) return err('permit_malformed');
  if (feed !== RELAYED_FEED || hops !== HOPS) return err('permit_malformed');
  if (!isKeyName(origin) || !isNodeId(relay)) return err('permit_malformed');
  const [from, to] = [instantMs(issuedAt), instantMs(notAfter)];
  if (from === undefined || to === undefined || from >= to) return err('permit_malformed');
  return ok({ origin, relay, issuedAt, notAfter });
}

/** Signed by each log key that is in use: a reader that only knows the one before takes it during the overlap. */
export function signRelayPermit(permit: Omit<RelayPermit, 'origin'>, signer: LogSigner): string {
  const body = formatRelayPermit({ ...permit, origin: signer.name });
  return formatNote({ text: body, signatures: logLines(body, signer) });
}

/**
 * Reads a signed permit and verifies the origin's signature. Pure and total.
 *
 * @param log origin and raw Ed25519 key that are pinned for the node that asserted the facts
 */
export function openRelayPermit(
  note: string,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<RelayPermit, RelayPermitError> {
  if (note.length > MAX_PERMIT_CHARS) return err('permit_malformed');
  const parsed = parseNote(note);
  if (!parsed.ok) return err('permit_malformed');
  const permit = parseRelayPermit(parsed.value.text);
  if (!permit.ok) return permit;
  if (permit.value.origin !== log.origin) return err('permit_origin_mismatch');
  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? permit : err('permit_signature_invalid');
}

/** "May I relay your public facts?" */
interface PermitRequest {
  readonly v: 1;
}

/** A signed permit; null: no, or nothing to read. */
interface PermitAnswer {
  readonly permit: string | null;
  readonly v: 1;
}

const PERMIT_REQUEST: Shape<PermitRequest> = object<PermitRequest>({ v: literal(1) });
const PERMIT_ANSWER: Shape<PermitAnswer> = object<PermitAnswer>({
  permit: nullable(text(MAX_PERMIT_CHARS)),
  v: literal(1),
});

export function encodePermitRequest(): Uint8Array {
  return encodeMessage(PERMIT_REQUEST, { v: 1 });
}

/** Pure and total. */
export function decodePermitRequest(bytes: Uint8Array): Result<PermitRequest, Malformed> {
  return decodeMessage(bytes, PERMIT_REQUEST, MAX_REQUEST_BYTES);
}

export function encodePermitAnswer(permit: string | null): Uint8Array {
  return encodeMessage(PERMIT_ANSWER, { permit, v: 1 });
}

/** Pure and total. */
export function decodePermitAnswer(bytes: Uint8Array): Result<string | null, Malformed> {
  const decoded = decodeMessage(bytes, PERMIT_ANSWER, MAX_PERMIT_ANSWER_BYTES);
  return decoded.ok ? ok(decoded.value.permit) : decoded;
}

const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/** One spelling per moment. */
function instantMs(value: string): number | undefined {
  const ms = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value ? ms : undefined;
}
