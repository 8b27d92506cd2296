import { isNodeId } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { isFeedName } from '../merkle/feed-head.ts';
import { HASH_BYTES, sameHash, sha256 } from '../merkle/hash.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, verifyNote } from '../merkle/note.ts';
import type { PageFrames } from './page.ts';

const HEADER = 'stigmem-page/v1';
const ABSENT = '-';
/** Two names, a feed, three numbers, three hashes and one signature line; a reader takes nothing longer. */
export const MAX_PAGE_NOTE_BYTES = 4_096;

/** What the sender of a page states about it: for whom it is, which entries it holds, which bytes it is made of. */
export interface PageNote {
  /** Origin of the sender's journal. */
  readonly origin: string;
  /** Node id of the one peer that the page was made for. */
  readonly receiver: string;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  /** Of the checkpoint that the page is proved against. */
  readonly treeSize: number;
  /** SHA-256 of the header frame. */
  readonly header: Uint8Array;
  /** SHA-256 of the entries frame; null when the page has none. */
  readonly entries: Uint8Array | null;
  /** SHA-256 of the proof frame; null when the page has none. */
  readonly proof: Uint8Array | null;
}

export type PageNoteError = 'page_note_malformed' | 'page_note_origin_mismatch' | 'page_note_signature_invalid';

/**
 * The text that is signed.
 *
 * @throws RangeError if {@link parsePageNote} would refuse it
 * @see docs/PROTOCOL.md, page note
 */
export function formatPageNote(note: PageNote): string {
  const lines = [
    HEADER,
    note.origin,
    note.receiver,
    note.feed,
    note.after,
    note.to,
    note.treeSize,
    encodeBase64(note.header),
    hashText(note.entries),
    hashText(note.proof),
  ];
  const text = `${lines.join('\n')}\n`;
  if (!parsePageNote(text).ok) throw new RangeError('not a page note');
  return text;
}

/** Reads the text of a page note. Pure and total; one text per value. */
export function parsePageNote(text: string): Result<PageNote, 'page_note_malformed'> {
  const [title, origin = '', receiver = '', feed = '', afterText = '', toText = '', sizeText = '', ...rest] =
    text.split('\n');
  const [headerText = '', entriesText = '', proofText = '', end, ...more] = rest;
  if (title !== HEADER || end !== '' || more.length > 0) return err('page_note_malformed');
  const after = decodeDecimal(afterText);
  const to = decodeDecimal(toText);
  const treeSize = decodeDecimal(sizeText);
  const header = decodeBase64(headerText);
  const entries = hashOf(entriesText);
  const proof = hashOf(proofText);
  if (!isKeyName(origin) || !isNodeId(receiver) || !isFeedName(feed)) return err('page_note_malformed');
  if (after === undefined || to === undefined || treeSize === undefined || to < after)
    return err('page_note_malformed');
  if (header?.length !== HASH_BYTES || entries === undefined || proof === undefined) return err('page_note_malformed');
  return ok({ origin, receiver, feed, after, to, treeSize, header, entries, proof });
}

/** The note of a page, signed by the log that the page is from. @throws RangeError as {@link formatPageNote} */
export function signPageNote(
  page: { readonly receiver: string; readonly feed: string; readonly after: number; readonly to: number },
  treeSize: number,
  frames: PageFrames,
  signer: LogSigner,
): string {
  const { receiver, feed, after, to } = page;
  const text = formatPageNote({ origin: signer.name, receiver, feed, after, to, treeSize, ...hashesOf(frames) });
  return formatNote({ text, signatures: logLines(text, signer) });
}

/**
 * Reads a signed page note and verifies the sender's signature. Pure and total.
 *
 * @param log origin and raw Ed25519 key that are pinned for the sender
 */
export function openPageNote(
  note: string | Uint8Array,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<PageNote, PageNoteError> {
  if (note.length > MAX_PAGE_NOTE_BYTES) return err('page_note_malformed');
  const parsed = parseNote(note);
  if (!parsed.ok) return err('page_note_malformed');
  const page = parsePageNote(parsed.value.text);
  if (!page.ok) return page;
  if (page.value.origin !== log.origin) return err('page_note_origin_mismatch');

  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? page : err('page_note_signature_invalid');
}

/** True if these are the very bytes that the note was signed over. */
export function isNoteOf(note: PageNote, frames: PageFrames): boolean {
  const { header, entries, proof } = hashesOf(frames);
  return sameHash(note.header, header) && sameOrAbsent(note.entries, entries) && sameOrAbsent(note.proof, proof);
}

function hashesOf({ header, entries, proof }: PageFrames): Pick<PageNote, 'header' | 'entries' | 'proof'> {
  return { header: sha256(header), entries: entries && sha256(entries), proof: proof && sha256(proof) };
}

function sameOrAbsent(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : sameHash(a, b);
}

function hashText(hash: Uint8Array | null): string {
  return hash === null ? ABSENT : encodeBase64(hash);
}

/** Null for an absent frame, undefined for what is no hash. */
function hashOf(text: string): Uint8Array | null | undefined {
  if (text === ABSENT) return null;
  const hash = decodeBase64(text);
  return hash?.length === HASH_BYTES ? hash : undefined;
}
