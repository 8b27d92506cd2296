import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeDecimal } from './decimal.ts';
import type { LogSigner } from './ed25519.ts';
import { HASH_BYTES } from './hash.ts';
import { ed25519Verifier, formatNote, isKeyName, logLines, parseNote, verifyNote } from './note.ts';

/** How long one feed of a journal is at a tree size. */
export interface FeedHead {
  readonly origin: string;
  readonly feed: string;
  /** entries of the feed among the first `size` leaves */
  readonly length: number;
  /** leaves in the tree */
  readonly size: number;
  /** leaf hash of the feed's last entry, 32 bytes; null if and only if the feed is empty */
  readonly lastLeaf: Uint8Array | null;
}

export type FeedHeadError = 'feed_head_malformed' | 'feed_head_origin_mismatch' | 'feed_head_signature_invalid';

const HEADER = 'stigmem-feed/v1';

/**
 * The text that is signed.
 *
 * @throws RangeError if {@link parseFeedHead} would refuse it
 * @see docs/journal-format.md, feeds
 */
export function formatFeedHead(head: FeedHead): string {
  const lastLeaf = head.lastLeaf === null ? '-' : encodeBase64(head.lastLeaf);
  const text = `${HEADER}\n${head.origin}\n${head.feed}\n${head.length}\n${head.size}\n${lastLeaf}\n`;
  if (!parseFeedHead(text).ok) throw new RangeError('not a feed head');
  return text;
}

/** Reads the text of a feed head. Total. The feed's name is only bounded here: the reader compares it with its request. */
export function parseFeedHead(text: string): Result<FeedHead, 'feed_head_malformed'> {
  const [header, origin = '', feed = '', lengthText = '', sizeText = '', leafText = '', end, ...more] =
    text.split('\n');
  if (header !== HEADER || end !== '' || more.length > 0) return err('feed_head_malformed');
  const length = decodeDecimal(lengthText);
  const size = decodeDecimal(sizeText);
  if (!isKeyName(origin) || !isFeedName(feed) || length === undefined || size === undefined || length > size) {
    return err('feed_head_malformed');
  }
  if (length === 0)
    return leafText === '-' ? ok({ origin, feed, length, size, lastLeaf: null }) : err('feed_head_malformed');
  const lastLeaf = decodeBase64(leafText);
  return lastLeaf?.length === HASH_BYTES ? ok({ origin, feed, length, size, lastLeaf }) : err('feed_head_malformed');
}

/** A feed head with the log's signature, in text form. @throws RangeError as {@link formatFeedHead}, or for a signer of another origin */
export function signFeedHead(head: FeedHead, signer: LogSigner): string {
  if (signer.name !== head.origin) throw new RangeError('a log signs under its origin');
  const text = formatFeedHead(head);
  return formatNote({ text, signatures: logLines(text, signer) });
}

/**
 * Reads a signed feed head and verifies the log's signature. Total.
 *
 * @param log origin and raw Ed25519 key that are pinned for it
 */
export function openFeedHead(
  note: string | Uint8Array,
  log: { readonly origin: string; readonly key: Uint8Array },
): Result<FeedHead, FeedHeadError> {
  const parsed = parseNote(note);
  if (!parsed.ok) return err('feed_head_malformed');
  const head = parseFeedHead(parsed.value.text);
  if (!head.ok) return head;
  if (head.value.origin !== log.origin) return err('feed_head_origin_mismatch');

  const verified = verifyNote(parsed.value, [ed25519Verifier(log.origin, log.key)]);
  return verified.ok ? head : err('feed_head_signature_invalid');
}

/** True for a text that can stand as the name of a feed on a line of a note. */
export function isFeedName(feed: string): boolean {
  return feed.isWellFormed() && /^\P{Cc}+$/u.test(feed);
}
