/** Makes one page of a feed, in the readers' thread: rows, proof, compression, all off the main loop. */

import type { EntryReader } from '../journal/entry-reader.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { encodePage, type PageFrames } from '../wire/page.ts';

export interface PageRequest {
  readonly feed: string;
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
  readonly frames: PageFrames;
  /** Feed sequence of the page's last entry; `after` when it has none. */
  readonly to: number;
  readonly feedLength: number;
}

/**
 * Undefined when there is no such feed.
 *
 * @throws CorruptRowError when a stored row is not what was appended
 */
export function buildPage(reader: EntryReader, request: PageRequest): BuiltPage | undefined {
  const { feed, after, checkpoint, knownSize } = request;
  const range = reader.feedRange({ ...request, treeSize: checkpoint.size });
  if (range === undefined) return undefined;
  const frames = encodePage({
    feed,
    after,
    checkpoint: checkpoint.note,
    feedHead: range.feedHead,
    consistency: knownSize === null ? null : consistencyFrom(reader, knownSize, checkpoint.size),
    encoding: request.zstd ? 'zstd' : 'identity',
    entries: range.entries,
    proof: range.proof,
  });
  return { frames: ownBytes(frames), to: after + range.entries.length, feedLength: range.feedLength };
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
