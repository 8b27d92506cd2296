import type { Entry } from '../core/entry.ts';
import { feedNameOf } from '../core/feed-name.ts';
import { err, ok, type Result } from '../core/result.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { openFeedHead } from '../merkle/feed-head.ts';
import { HASH_BYTES, sameHash } from '../merkle/hash.ts';
import type { PageHeader } from '../wire/page-header.ts';
import { accusation, type PageFault } from './checkpoint-rules.ts';
import type { PageContext } from './context.ts';

/** A feed head whose signature has been verified. */
export interface VerifiedFeedHead {
  readonly length: number;
  /** Leaf hash of the feed's last entry, 32 bytes; null for an empty feed. */
  readonly lastLeaf: Uint8Array | null;
  readonly note: string;
}

/** What a page is, once its checkpoint stands, before its feed head has been looked at. */
export interface PageEntries {
  readonly header: PageHeader;
  readonly treeSize: number;
  /** null: not one canonical entry, so what it says of its position is not known */
  readonly entries: readonly (Entry | null)[];
  /** packed */
  readonly leaves: Uint8Array;
}

/** Tells whether the entry at a place of the page has been shown to be in the signed tree. */
export type IsIncluded = (place: number) => boolean;

/** The signed feed head of a page: of this feed, at this checkpoint, never shorter than it was or than what is shown. */
export function checkFeedHead(
  page: PageEntries,
  ctx: PageContext,
  isIncluded: IsIncluded,
): Result<VerifiedFeedHead, PageFault> {
  const { header, treeSize } = page;
  const opened = openFeedHead(header.feed_head, { origin: ctx.peer.origin, key: ctx.peer.logKey });
  if (!opened.ok) return mismatch('feed_head', opened.error, 'ok');
  const { feed, length, size, lastLeaf } = opened.value;
  if (feed !== ctx.feed) return mismatch('feed_head.feed', feed, ctx.feed);
  if (size !== treeSize) return mismatch('feed_head.size', String(size), String(treeSize));

  const count = header.indexes.length;
  const least = Math.max(ctx.after + count, ctx.knownFeedLength);
  if (length < least) return deniesEntries(page, ctx, isIncluded, length, least);
  // A page without entries says that there are none: the head has to agree.
  if (count === 0 && length > ctx.after) return mismatch('feed_head.length', String(length), String(ctx.after));
  return ok({ length, lastLeaf, note: header.feed_head });
}

function deniesEntries(
  page: PageEntries,
  ctx: PageContext,
  isIncluded: IsIncluded,
  length: number,
  least: number,
): { readonly ok: false; readonly error: PageFault } {
  const isDenied = page.entries.some(
    (entry, place) => entry !== null && entry.feed_seq > length && isOfFeed(entry, ctx.feed) && isIncluded(place),
  );
  return err({
    reason: 'feed_head_mismatch',
    difference: { field: 'feed_head.length', claimed: String(length), computed: `at least ${least}` },
    // The tree holds an entry of this feed beyond the length that the same key signed for the same tree.
    class: isDenied ? 'contradiction' : 'accusation',
  });
}

function isOfFeed(entry: Entry, feed: string): boolean {
  const own = feedNameOf(entry);
  return own.ok && own.value === feed;
}

/** The range that the header itself claims: it starts where we stand and ends inside the tree. */
export function checkRange(header: PageHeader, treeSize: number, ctx: PageContext): PageFault | null {
  if (header.after !== ctx.after) return gap('after', String(header.after), String(ctx.after));
  const last = header.indexes.at(-1);
  if (last !== undefined && last >= treeSize) return gap('indexes', String(last), `less than ${treeSize}`);
  return null;
}

/**
 * The positions that the entries claim: feed sequence without holes, chain sequence of their leaf, and the last leaf that
 * the feed head names. Only entries that are known to be in the signed tree are held against the peer.
 */
export function checkPositions(page: PageEntries, head: VerifiedFeedHead, isIncluded: IsIncluded): PageFault | null {
  const { header, entries } = page;
  for (const [place, entry] of entries.entries()) {
    if (entry === null || !isIncluded(place)) continue;
    const seq = header.after + 1 + place;
    const chainSeq = (header.indexes[place] ?? 0) + 1;
    if (entry.feed_seq !== seq) return notInOrder(page, place, entry.feed_seq, seq, isIncluded);
    if (entry.chain_seq !== chainSeq)
      return gap(`entries[${place}].chain_seq`, String(entry.chain_seq), String(chainSeq));
  }
  return checkLastLeaf(page, head, isIncluded);
}

function notInOrder(
  page: PageEntries,
  place: number,
  claimed: number,
  expected: number,
  isIncluded: IsIncluded,
): PageFault {
  const ofFeed = (entry: Entry | null): boolean => entry?.feed_seq === claimed && isOfFeed(entry, page.header.feed);
  const isDoubled = page.entries.filter((entry, at) => ofFeed(entry) && isIncluded(at)).length > 1;
  return {
    reason: 'feed_gap',
    difference: { field: `entries[${place}].feed_seq`, claimed: String(claimed), computed: String(expected) },
    // Two entries of one signed tree with one feed sequence contradict each other; a hole may be the messenger's.
    class: isDoubled ? 'contradiction' : 'accusation',
  };
}

function checkLastLeaf(page: PageEntries, head: VerifiedFeedHead, isIncluded: IsIncluded): PageFault | null {
  const count = page.entries.length;
  const { length, lastLeaf } = head;
  if (count === 0 || page.header.after + count !== length || !isIncluded(count - 1)) return null;
  const leaf = page.leaves.subarray((count - 1) * HASH_BYTES, count * HASH_BYTES);
  if (lastLeaf !== null && sameHash(lastLeaf, leaf)) return null;
  const last = page.entries[count - 1] ?? null;
  return {
    reason: 'feed_head_mismatch',
    difference: {
      field: 'feed_head.last_leaf',
      claimed: lastLeaf === null ? null : encodeBase64(lastLeaf),
      computed: encodeBase64(leaf),
    },
    // The tree holds an entry of this feed sequence, and the signed head names another one in its place.
    class: last?.feed_seq === length && isOfFeed(last, page.header.feed) ? 'contradiction' : 'accusation',
  };
}

function gap(field: string, claimed: string, computed: string): PageFault {
  return accusation('feed_gap', { field, claimed, computed });
}

function mismatch(field: string, claimed: string, computed: string): { readonly ok: false; readonly error: PageFault } {
  return err(accusation('feed_head_mismatch', { field, claimed, computed }));
}
