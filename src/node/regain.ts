/** Takes back, from the peer that they were received from, the missing entries that this node received from it. */
import type { PeerFile } from '../config/peer-file.ts';
import type { KeptNote } from '../journal/kept-notes.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import { askNotes, askSent } from '../pull/ask-kept.ts';
import type { OfferedNote, OfferedPage } from '../threads/regained.ts';
import type { Transport } from '../transport/transport.ts';
import type { SealedNote } from '../wire/keep.ts';
import type { PageFrames } from '../wire/page.ts';
import type { FeedCursor } from '../wire/pull-request.ts';

export interface RegainJournal {
  feedCursors(peer: string): Promise<readonly FeedCursor[]>;
  offerNote(peer: string, note: KeptNote): Promise<OfferedNote>;
  offerSentPage(peer: string, frames: PageFrames): Promise<OfferedPage | null>;
}

export interface RegainDeps {
  readonly journal: RegainJournal;
  readonly transport: Pick<Transport, 'request'>;
}

/** Notes that are none of ours: a peer that sends more than these is not asked on. */
const MAX_FOREIGN_NOTES = 64;

/**
 * @param missing how many entries are missing
 * @returns true once all of them are here
 * @throws TransportError, PullError
 */
export async function regainFrom(
  { nodeId, peerId }: PeerFile,
  missing: number,
  { journal, transport }: RegainDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const ranges = new Map<string, FeedCursor & { to: number }>();
  let foreign = 0;
  const takeNote = async (note: SealedNote): Promise<boolean> => {
    const sealed = Uint8Array.from(decodeBase64(note.sealed) ?? []);
    const offered = await journal.offerNote(nodeId, { ...note, sealed });
    if (offered === 'wanted') widen(ranges, note);
    return offered !== 'foreign' || ++foreign < MAX_FOREIGN_NOTES;
  };
  await askNotes(transport, peerId, await journal.feedCursors(nodeId), takeNote, signal);

  let isWhole = false;
  const takePage = async (frames: PageFrames): Promise<number | null> => {
    const offered = await journal.offerSentPage(nodeId, frames);
    isWhole = offered !== null && offered.held >= missing;
    return isWhole ? null : (offered?.to ?? null);
  };
  for (const range of ranges.values()) if (!isWhole) await askSent(transport, peerId, range, takePage, signal);
  return isWhole;
}

/** One range a feed: what lies between two pages that are wanted is small beside what is asked for twice. */
function widen(ranges: Map<string, FeedCursor & { to: number }>, { feed, after, to }: SealedNote): void {
  const known = ranges.get(feed) ?? { feed, after, to };
  ranges.set(feed, { feed, after: Math.min(known.after, after), to: Math.max(known.to, to) });
}
