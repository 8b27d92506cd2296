import { MAX_FEED_NAME_BYTES, MAX_FEEDS, MAX_KEEP_BYTES } from '../core/limits.ts';
import { err, type Result } from '../core/result.ts';
import { type KeepRequest, MAX_KEPT_NOTES, SEALED_NOTE, type SealedNote } from './keep.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import type { FeedCursor } from './pull-request.ts';
import { integer, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

/**
 * "Give me back the notes that you keep for me": those of each feed that end behind what is named for it, feed by feed in
 * the order of their names, each in the order of its entries; without the first `skip` of them.
 */
export interface NotesRequest {
  /** Where the asker stands in the feeds of which it has something; of a feed that is not named it has nothing. */
  readonly feeds: readonly FeedCursor[];
  readonly kind: 'notes';
  readonly skip: number;
  readonly v: 1;
}

/** As many as fit into an answer; none: there are no more. */
export interface NotesAnswer {
  readonly kind: 'notes';
  readonly notes: KeepRequest['notes'];
  readonly v: 1;
}

export const NOTES_REQUEST: Shape<NotesRequest> = object<NotesRequest>({
  feeds: list(object<FeedCursor>({ after: integer(), feed: text(MAX_FEED_NAME_BYTES) }), MAX_FEEDS),
  kind: literal('notes'),
  skip: integer(),
  v: literal(1),
});

const NOTES_ANSWER: Shape<NotesAnswer> = object<NotesAnswer>({
  kind: literal('notes'),
  notes: list(SEALED_NOTE, MAX_KEPT_NOTES),
  v: literal(1),
});

export function encodeNotesAnswer(notes: readonly SealedNote[]): Uint8Array {
  return encodeMessage(NOTES_ANSWER, { kind: 'notes', notes, v: 1 });
}

/** Pure and total. Feeds and ranges ascend, so that no note comes twice. */
export function decodeNotesAnswer(bytes: Uint8Array): Result<NotesAnswer, Malformed> {
  const decoded = decodeMessage(bytes, NOTES_ANSWER, MAX_KEEP_BYTES);
  if (!decoded.ok) return decoded;
  const { notes } = decoded.value;
  const bad = notes.findIndex((note, i) => !isBehind(note, notes[i - 1] ?? null));
  return bad < 0 ? decoded : err({ at: `notes[${bad}]`, expected: 'one behind the note before', got: 'another' });
}

/** Whether a note is about a page, and stands behind another in the order of an answer. */
export function isBehind({ feed, after, to }: SealedNote, before: SealedNote | null): boolean {
  return after < to && (before === null || feed > before.feed || (feed === before.feed && to > before.to));
}
