import { err, type Result } from '../../core/result.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../merkle/checkpoint.ts';
import { type FeedHead, openFeedHead, parseFeedHead } from '../../merkle/feed-head.ts';
import { parseNote } from '../../merkle/note.ts';

/** A name with the keys that sign, or have signed, under it; without a key, signatures cannot be checked. */
export interface NoteLog {
  readonly origin: string;
  readonly keys: readonly Uint8Array[];
}

/** Opens a note with the first key that it verifies under; undefined if there is none to try. */
export function openWith<T, E>(
  keys: readonly Uint8Array[],
  open: (key: Uint8Array) => Result<T, E>,
): Result<T, E> | undefined {
  let last: Result<T, E> | undefined;
  for (const key of keys) {
    last = open(key);
    if (last.ok) break;
  }
  return last;
}

/** Reads a checkpoint note; verifies its signature if a key is known. */
export function readCheckpoint(note: string, { origin, keys }: NoteLog): Result<Checkpoint, string> {
  const opened = openWith(keys, (key) => openCheckpoint(note, { origin, key }));
  if (opened !== undefined) return opened;
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!checkpoint.ok) return err('checkpoint_malformed');
  return checkpoint.value.origin === origin ? checkpoint : err('checkpoint_origin_mismatch');
}

/** As {@link readCheckpoint}, for feed heads. */
export function readFeedHead(note: string, { origin, keys }: NoteLog): Result<FeedHead, string> {
  const opened = openWith(keys, (key) => openFeedHead(note, { origin, key }));
  if (opened !== undefined) return opened;
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
