import { err, type Result } from '../../core/result.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../merkle/checkpoint.ts';
import { type FeedHead, openFeedHead, parseFeedHead } from '../../merkle/feed-head.ts';
import { parseNote } from '../../merkle/note.ts';

/** A name with the key that signs under it; without a key, signatures cannot be checked. */
export interface NoteLog {
  readonly origin: string;
  readonly key: Uint8Array | null;
}

/** Reads a checkpoint note; verifies its signature if the key is known. */
export function readCheckpoint(note: string, { origin, key }: NoteLog): Result<Checkpoint, string> {
  if (key !== null) return openCheckpoint(note, { origin, key });
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) return err('checkpoint_malformed');
  return checkpoint.value.origin === origin ? checkpoint : err('checkpoint_origin_mismatch');
}

/** As {@link readCheckpoint}, for feed heads. */
export function readFeedHead(note: string, { origin, key }: NoteLog): Result<FeedHead, string> {
  if (key !== null) return openFeedHead(note, { origin, key });
  const parsed = parseNote(note);
  const head = parsed.ok ? parseFeedHead(parsed.value.text) : parsed;
  if (!head.ok) return err('feed_head_malformed');
  return head.value.origin === origin ? head : err('feed_head_origin_mismatch');
}

/** The log that a note says it is from. */
export function originOf(note: string, line: number): string | undefined {
  const parsed = parseNote(note);
  return parsed.ok ? parsed.value.text.split('\n')[line] : undefined;
}
