/** What a receiver signs about facts that it refused: of whom, of which feed, why, and how many are still refused. */
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isFeed } from '../core/scope.ts';
import type { Difference } from '../core/verdict.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ed25519Verifier, formatNote, isKeyName, parseNote, signEd25519, verifyNote } from '../merkle/note.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { describe, integer, list, literal, type Malformed, nullable, object, type Shape, text } from './shape.ts';

const HEADER = 'stigmem-refusal/v1';
const HEADER_LINES = 9;
const REASON = /^[a-z][a-z_]{0,63}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Entries that one notice names; all others are in its counts. */
export const MAX_NAMED_ENTRIES = 32;
/** Longest claimed or computed value, and longest field, in UTF-16 units: the whole of it is in the receiver's evidence. */
export const MAX_SHOWN_CHARS = 128;
export const MAX_NOTICE_BYTES = 16_384;
/** Notices of one request: four of the largest size fill it. */
export const MAX_NOTICES = 16;

/** One refusal that still stands, as far as the receiver knows what it was about. */
export interface RefusedEntry {
  /** When it was refused, RFC 3339 in UTC with three digits. */
  readonly at: string;
  /** In the author's journal, from 1; null for a page as a whole, as are `cid` and `feed_seq`. */
  readonly chain_seq: number | null;
  readonly cid: string | null;
  readonly difference: Difference | null;
  /** `sha256:…` of what the receiver keeps about it. */
  readonly evidence: string | null;
  readonly feed_seq: number | null;
}

/**
 * All that a receiver says of one feed and one reason: a later notice, by its number, takes the place of an earlier one. When
 * `resolved` has reached `refused`, nothing of it stands any more.
 */
export interface RefusalNotice {
  /** Origin of the receiver's journal: who signs. */
  readonly origin: string;
  /** Node id of the peer that the facts came from: whom it is for. */
  readonly author: string;
  readonly feed: string;
  /** Of the closed list of reasons that the receiver's version knows. */
  readonly reason: string;
  /** Grows with each change. */
  readonly number: number;
  /** Refusals of all time, for a page each attempt. */
  readonly refused: number;
  /** Those of them that were taken after all. */
  readonly resolved: number;
  /** Time of the newest of them, RFC 3339 in UTC with three digits. */
  readonly at: string;
  /** The newest that still stand, newest first. */
  readonly entries: readonly RefusedEntry[];
}

export type NoticeError = 'notice_malformed' | 'notice_origin_mismatch' | 'notice_signature_invalid';

const ENTRY: Shape<RefusedEntry> = object<RefusedEntry>({
  at: matching(isInstant, 'a time in UTC with milliseconds'),
  chain_seq: nullable(integer(undefined, 1)),
  cid: nullable(matching((value) => DIGEST.test(value), 'sha256:… of 64 hex digits')),
  difference: nullable(
    object<NonNullable<RefusedEntry['difference']>>({
      claimed: nullable(text(MAX_SHOWN_CHARS)),
      computed: nullable(text(MAX_SHOWN_CHARS)),
      field: text(MAX_SHOWN_CHARS),
    }),
  ),
  evidence: nullable(matching((value) => DIGEST.test(value), 'sha256:… of 64 hex digits')),
  feed_seq: nullable(integer(undefined, 1)),
});

/** One signature line: an origin of 256 bytes, and 68 bytes in base64. */
const SIGNATURE_ROOM = 512;

/**
 * The text that is signed. Entries at the end are left out where the whole would be too large.
 *
 * @throws RangeError if {@link parseNotice} would refuse it
 * @see docs/PROTOCOL.md, notice
 */
export function formatNotice(notice: RefusalNotice): string {
  const { origin, author, feed, reason, number, refused, resolved, at, entries } = notice;
  const head = [HEADER, origin, author, feed, reason, number, refused, resolved, at].join('\n');
  let body = `${head}\n`;
  for (const entry of entries.slice(0, MAX_NAMED_ENTRIES)) {
    const line = `${Buffer.from(encodeMessage(ENTRY, entry)).toString('utf8')}\n`;
    if (Buffer.byteLength(body) + Buffer.byteLength(line) > MAX_NOTICE_BYTES - SIGNATURE_ROOM) break;
    body += line;
  }
  if (!parseNotice(body).ok) throw new RangeError('not a refusal notice');
  return body;
}

/** Reads the text of a notice. Pure and total; one text per value. */
export function parseNotice(body: string): Result<RefusalNotice, 'notice_malformed'> {
  if (Buffer.byteLength(body) > MAX_NOTICE_BYTES - SIGNATURE_ROOM) return err('notice_malformed');
  const lines = body.split('\n');
  const [title, origin = '', author = '', feed = '', reason = '', numberText = '', ...rest] = lines;
  const [refusedText = '', resolvedText = '', at = ''] = rest;
  if (title !== HEADER || lines.at(-1) !== '' || lines.length <= HEADER_LINES) return err('notice_malformed');
  const number = decodeDecimal(numberText);
  const refused = decodeDecimal(refusedText);
  const resolved = decodeDecimal(resolvedText);
  if (number === undefined || refused === undefined || resolved === undefined) return err('notice_malformed');
  const isHead = isKeyName(origin) && isNodeId(author) && isFeed(feed) && REASON.test(reason) && isInstant(at);
  if (!isHead || number < 1 || refused < 1 || resolved > refused) return err('notice_malformed');
  const entries = readEntries(lines.slice(HEADER_LINES, -1));
  if (entries === null || entries.length > refused - resolved) return err('notice_malformed');
  return ok({ origin, author, feed, reason, number, refused, resolved, at, entries });
}

export function signNotice(notice: Omit<RefusalNotice, 'origin'>, signer: LogSigner): string {
  const body = formatNotice({ ...notice, origin: signer.name });
  return formatNote({ text: body, signatures: [signEd25519(body, signer)] });
}

/**
 * Reads a signed notice and verifies the receiver's signature. Pure and total.
 *
 * @param log origin and raw Ed25519 key that are pinned for the receiver
 */
export function openNotice(
  note: string,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<RefusalNotice, NoticeError> {
  const parsed = note.length > MAX_NOTICE_BYTES ? undefined : parseNote(note);
  if (parsed?.ok !== true) return err('notice_malformed');
  const notice = parseNotice(parsed.value.text);
  if (!notice.ok) return notice;
  if (notice.value.origin !== log.origin) return err('notice_origin_mismatch');
  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? notice : err('notice_signature_invalid');
}

function readEntries(lines: readonly string[]): readonly RefusedEntry[] | null {
  if (lines.length > MAX_NAMED_ENTRIES) return null;
  const entries: RefusedEntry[] = [];
  for (const line of lines) {
    const entry = decodeMessage(Buffer.from(line, 'utf8'), ENTRY, MAX_NOTICE_BYTES);
    if (!entry.ok) return null;
    entries.push(entry.value);
  }
  return entries;
}

/** Notices for the peer that the facts came from. */
export interface NoticeRequest {
  /** Signed notes. */
  readonly notices: readonly string[];
  readonly v: 1;
}

/** How many of the notices, from the first on, need not come again. */
export interface NoticeAnswer {
  readonly taken: number;
  readonly v: 1;
}

const NOTICE_REQUEST: Shape<NoticeRequest> = object<NoticeRequest>({
  notices: list(text(MAX_NOTICE_BYTES), MAX_NOTICES),
  v: literal(1),
});
const NOTICE_ANSWER: Shape<NoticeAnswer> = object<NoticeAnswer>({ taken: integer(MAX_NOTICES), v: literal(1) });

export function encodeNoticeRequest(request: Omit<NoticeRequest, 'v'>): Uint8Array {
  return encodeMessage(NOTICE_REQUEST, { ...request, v: 1 });
}

/** Pure and total. */
export function decodeNoticeRequest(bytes: Uint8Array): Result<NoticeRequest, Malformed> {
  return decodeMessage(bytes, NOTICE_REQUEST, MAX_REQUEST_BYTES);
}

export function encodeNoticeAnswer(answer: Omit<NoticeAnswer, 'v'>): Uint8Array {
  return encodeMessage(NOTICE_ANSWER, { ...answer, v: 1 });
}

/** Pure and total. */
export function decodeNoticeAnswer(bytes: Uint8Array): Result<NoticeAnswer, Malformed> {
  return decodeMessage(bytes, NOTICE_ANSWER, MAX_REQUEST_BYTES);
}

function matching(test: (value: string) => boolean, expected: string): Shape<string> {
  return {
    check: (value, at) => (typeof value === 'string' && test(value) ? null : { at, expected, got: describe(value) }),
  };
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function isInstant(value: string): boolean {
  const ms = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value;
}
