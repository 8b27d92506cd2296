/** Asks a peer for the restore notes that it keeps for us, and for its own entries once more. Nothing is judged here. */
import {
  DEFAULT_PAGE_ENTRIES,
  MAX_FEEDS,
  MAX_FRAME_BYTES,
  MAX_KEEP_BYTES,
  MAX_PAGES_PER_PULL,
  TARGET_PAGE_BYTES,
} from '../core/limits.ts';
import type { Transport } from '../transport/transport.ts';
import type { SealedNote } from '../wire/keep.ts';
import type { PageFrames } from '../wire/page.ts';
import { PULL_PROTOCOL, RECOVER_PROTOCOL } from '../wire/protocols.ts';
import { encodePullRequest, type FeedCursor } from '../wire/pull-request.ts';
import { encodeRecoverRequest } from '../wire/recover.ts';
import { decodeNotesAnswer, isBehind } from '../wire/recover-notes.ts';
import { PullError } from './errors.ts';
import { readPages } from './read-pages.ts';

const IDLE_MS = 30_000;
const NOTES_MS = 30_000;
const PAGES_MS = 300_000;

type Asks = Pick<Transport, 'request'>;

/**
 * The notes that end behind what we have of a peer's feeds. They come in one order, so that a peer cannot repeat itself.
 *
 * @param take called for each note; none is read any more after false
 * @throws TransportError; PullError `hello_malformed` when an answer cannot be read
 */
export async function askNotes(
  transport: Asks,
  peerId: string,
  cursors: readonly FeedCursor[],
  take: (note: SealedNote) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const feeds = cursors.slice(0, MAX_FEEDS);
  const limits = { signal, idleMs: IDLE_MS, totalMs: NOTES_MS, maxFrameBytes: MAX_KEEP_BYTES };
  let before: SealedNote | null = null;
  for (let skip = 0; ; ) {
    const body = encodeRecoverRequest({ feeds, kind: 'notes', skip, v: 1 });
    let frame: Uint8Array | undefined;
    for await (const answer of transport.request(peerId, RECOVER_PROTOCOL, body, limits)) frame ??= answer;
    const decoded = frame === undefined ? undefined : decodeNotesAnswer(frame);
    if (decoded === undefined || !decoded.ok)
      throw new PullError('hello_malformed', 'its answer about our notes cannot be read');
    if (decoded.value.notes.length === 0) return;
    for (const note of decoded.value.notes) {
      if (!isBehind(note, before)) throw new PullError('hello_malformed', 'its notes do not come in order');
      if (!(await take(note))) return;
      before = note;
      skip++;
    }
  }
}

/**
 * A peer's entries of one feed, from behind `after` up to `to`, as a pull gives them: granted feeds alone.
 *
 * @param take   called for each page. @returns the entry that it ends with; null: no more pages are read
 * @throws TransportError, PullError
 */
export async function askSent(
  transport: Asks,
  peerId: string,
  range: FeedCursor & { readonly to: number },
  take: (frames: PageFrames) => Promise<number | null>,
  signal: AbortSignal,
): Promise<void> {
  const limits = { signal, idleMs: IDLE_MS, totalMs: PAGES_MS, maxFrameBytes: MAX_FRAME_BYTES };
  for (let after = range.after; after < range.to; ) {
    const before = after;
    const body = encodePullRequest({
      accept: ['zstd'],
      feeds: [{ feed: range.feed, after }],
      known_size: 0,
      page_bytes: TARGET_PAGE_BYTES,
      page_entries: DEFAULT_PAGE_ENTRIES,
      pages: MAX_PAGES_PER_PULL,
    });
    const frames = transport.request(peerId, PULL_PROTOCOL, body, limits);
    for await (const answer of readPages(frames[Symbol.asyncIterator](), MAX_PAGES_PER_PULL)) {
      const end = answer.kind === 'page' ? await take(answer.frames) : null;
      if (end === null || end <= after) break;
      after = end;
      if (after >= range.to) break;
    }
    await frames.return(undefined);
    if (after === before) return;
  }
}
