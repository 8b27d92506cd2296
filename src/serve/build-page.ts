/** Makes one page of a feed, in the readers' thread: rows, proof, compression, all off the main loop. */

import type { AnchorRecords } from '../journal/anchor-records.ts';
import type { EntryReader, FeedRange } from '../journal/entry-reader.ts';
import type { OriginProofs } from '../journal/origin-proofs.ts';
import { formatAnchorReceipt, MAX_ANCHOR_RECEIPT_CHARS } from '../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { encodePage, type PageContent, type PageFrames, type SignedPageFrames } from '../wire/page.ts';
import { signPageNote } from '../wire/page-note.ts';

export interface PageRequest {
  /** Node id of the peer that the page is for. */
  readonly receiver: string;
  readonly feed: string;
  /** For a feed of a third node: what that node has signed about our relaying it. */
  readonly permit: string | null;
  readonly after: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** The signed checkpoint that the whole answer is proved against. */
  readonly checkpoint: { readonly size: number; readonly note: string };
  /** Tree size that the puller has verified; null on later pages of an answer, which carry no consistency proof. */
  readonly knownSize: number | null;
  readonly zstd: boolean;
}

export interface BuiltPage {
  readonly frames: SignedPageFrames;
  /** Feed sequence of the page's last entry; `after` when it has none. */
  readonly to: number;
  readonly feedLength: number;
}

/**
 * Undefined when there is no such feed.
 *
 * @param signer the log key: what leaves is signed, so that neither side can deny it later
 * @throws CorruptRowError when a stored row is not what was appended
 */
export function buildPage(
  reader: EntryReader,
  anchors: AnchorRecords,
  proofs: OriginProofs,
  request: PageRequest,
  signer: LogSigner,
): BuiltPage | undefined {
  const { feed, after, checkpoint, knownSize } = request;
  const range = reader.feedRange({ ...request, treeSize: checkpoint.size });
  const relayed = range === undefined ? undefined : withOrigins(range, proofs, request);
  if (range === undefined || relayed === undefined) return undefined;
  const frames = encodePage({
    feed,
    after,
    anchor: knownSize === null ? null : newestAnchor(anchors),
    checkpoint: checkpoint.note,
    feedHead: range.feedHead,
    consistency: knownSize === null ? null : consistencyFrom(reader, knownSize, checkpoint.size),
    encoding: request.zstd ? 'zstd' : 'identity',
    ...relayed,
    proof: range.proof,
  });
  const to = after + range.entries.length;
  const note = Buffer.from(signPageNote({ ...request, to }, checkpoint.size, frames, signer));
  return { frames: { ...ownBytes(frames), note: Uint8Array.from(note) }, to, feedLength: range.feedLength };
}

/** Of a received feed each entry goes with its origin's proof, or its leaf goes alone. Undefined without a permit. */
function withOrigins(
  { entries }: FeedRange,
  proofs: OriginProofs,
  { feed, permit }: PageRequest,
): Pick<PageContent, 'entries' | 'origins'> | undefined {
  if (!feed.startsWith('from/')) return { entries, origins: null };
  if (permit === null) return undefined;
  const origins = proofs.of(
    entries.map(({ entry }) => entry),
    permit,
  );
  const given = entries.map(({ index, salt, bytes, leafHash }, place) =>
    origins.entries[place] === null ? { index, salt: leafHash, bytes: new Uint8Array(0) } : { index, salt, bytes },
  );
  return { entries: given, origins };
}

/** One that is too long for a header is left out: a page must not fail for it. */
function newestAnchor(anchors: AnchorRecords): string | null {
  const receipt = anchors.newestReceipt();
  const text = receipt === null ? null : formatAnchorReceipt(receipt);
  return text !== null && text.length <= MAX_ANCHOR_RECEIPT_CHARS ? text : null;
}

/** A puller that has seen a larger tree gets no proof: there is none, and it has to learn that. */
function consistencyFrom(reader: EntryReader, knownSize: number, size: number): string[] {
  return knownSize > size ? [] : reader.consistency(knownSize, size).map(encodeBase64);
}

/** A view on a shared pool would be cloned with the whole pool when it is posted to another thread. */
function ownBytes({ header, entries, proof }: PageFrames): PageFrames {
  const own = (bytes: Uint8Array): Uint8Array =>
    bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
  return { header: own(header), entries: entries && own(entries), proof: proof && own(proof) };
}
