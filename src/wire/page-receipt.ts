import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { decodeDecimal } from '../merkle/decimal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { isFeedName } from '../merkle/feed-head.ts';
import { HASH_BYTES, sha256 } from '../merkle/hash.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, verifyNote } from '../merkle/note.ts';

const HEADER = 'stigmem-receipt/v1';
/** As long as a page note, with another name in place of the node id. */
export const MAX_RECEIPT_BYTES = 4_096;

/** What the receiver of a page states about it once it is judged and stored. */
export interface PageReceipt {
  /** Origin of the receiver's journal. */
  readonly receiver: string;
  /** Origin of the sender's journal. */
  readonly sender: string;
  readonly feed: string;
  readonly after: number;
  readonly to: number;
  readonly accepted: number;
  readonly refused: number;
  /** SHA-256 of the bytes of the page note. */
  readonly page: Uint8Array;
}

export type PageReceiptError = 'receipt_malformed' | 'receipt_origin_mismatch' | 'receipt_signature_invalid';

/**
 * The text that is signed.
 *
 * @throws RangeError if {@link parseReceipt} would refuse it
 * @see docs/PROTOCOL.md, receipt
 */
export function formatReceipt(receipt: PageReceipt): string {
  const { receiver, sender, feed, after, to, accepted, refused, page } = receipt;
  const text = `${[HEADER, receiver, sender, feed, after, to, accepted, refused, encodeBase64(page)].join('\n')}\n`;
  if (!parseReceipt(text).ok) throw new RangeError('not a page receipt');
  return text;
}

/** Reads the text of a receipt. Pure and total; one text per value. */
export function parseReceipt(text: string): Result<PageReceipt, 'receipt_malformed'> {
  const [title, receiver = '', sender = '', feed = '', ...rest] = text.split('\n');
  const [afterText = '', toText = '', acceptedText = '', refusedText = '', pageText = '', end, ...more] = rest;
  if (title !== HEADER || end !== '' || more.length > 0) return err('receipt_malformed');
  if (!isKeyName(receiver) || !isKeyName(sender) || !isFeedName(feed)) return err('receipt_malformed');
  const after = decodeDecimal(afterText);
  const to = decodeDecimal(toText);
  const accepted = decodeDecimal(acceptedText);
  const refused = decodeDecimal(refusedText);
  const page = decodeBase64(pageText);
  if (after === undefined || to === undefined || to <= after || page?.length !== HASH_BYTES)
    return err('receipt_malformed');
  if (accepted === undefined || refused === undefined || accepted + refused > to - after)
    return err('receipt_malformed');
  return ok({ receiver, sender, feed, after, to, accepted, refused, page });
}

/** A receipt signed by the receiver's log. @throws RangeError as {@link formatReceipt} */
export function signReceipt(
  receipt: Omit<PageReceipt, 'receiver' | 'page'>,
  pageNote: string,
  signer: LogSigner,
): string {
  const text = formatReceipt({ ...receipt, receiver: signer.name, page: sha256(pageNote) });
  return formatNote({ text, signatures: logLines(text, signer) });
}

/**
 * Reads a signed receipt and verifies the receiver's signature. Pure and total.
 *
 * @param log origin and raw Ed25519 key that are pinned for the receiver
 */
export function openReceipt(
  note: string,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<PageReceipt, PageReceiptError> {
  if (note.length > MAX_RECEIPT_BYTES) return err('receipt_malformed');
  const parsed = parseNote(note);
  if (!parsed.ok) return err('receipt_malformed');
  const receipt = parseReceipt(parsed.value.text);
  if (!receipt.ok) return receipt;
  if (receipt.value.receiver !== log.origin) return err('receipt_origin_mismatch');

  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? receipt : err('receipt_signature_invalid');
}
