import { err, ok, type Result } from '../core/result.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { decodePageHeader, type PageHeader } from '../wire/page-header.ts';
import { isNoteOf, openPageNote, type PageNote } from '../wire/page-note.ts';
import { accusation, type PageFault } from './checkpoint-rules.ts';
import type { PageContext } from './context.ts';

/** What is shown of a feed's name in a difference: names in notes are bounded only by the note. */
const MAX_SHOWN_CHARS = 256;

/**
 * The note of a page: signed by the sender's log key, for us, over the bytes that came. It is checked first, so that
 * nothing is judged, and nobody is accused of anything, that the sender could say it never sent.
 */
export function checkPageNote(frames: SignedPageFrames, ctx: PageContext): Result<PageNote, PageFault> {
  if (frames.note === null) return err(withoutNote(frames));
  const opened = openPageNote(frames.note, { origin: ctx.peer.origin, key: ctx.peer.logKey });
  if (!opened.ok) return fault('note', opened.error, 'ok');
  const note = opened.value;
  if (note.receiver !== ctx.self) return fault('note.receiver', note.receiver, ctx.self);
  if (!isNoteOf(note, frames)) return fault('note.frames', 'other bytes', 'the bytes that came');
  return ok(note);
}

/** A header that cannot be read is why nothing behind it was. */
function withoutNote(frames: SignedPageFrames): PageFault {
  const decoded = decodePageHeader(frames.header);
  if (decoded.ok) return malformed('note', null, 'a signed page note');
  const { at, expected, got } = decoded.error;
  return malformed(at === '' ? 'header' : `header.${at}`, got, expected);
}

/** Note and header are signed by one key in one breath: they have to speak of the same entries of the same tree. */
export function compareWithNote(note: PageNote, header: PageHeader, treeSize: number): PageFault | null {
  const to = header.after + header.indexes.length;
  const members: readonly (readonly [string, string | number, string | number])[] = [
    ['feed', note.feed, header.feed],
    ['after', note.after, header.after],
    ['to', note.to, to],
    ['tree_size', note.treeSize, treeSize],
  ];
  const wrong = members.find(([, noted, shown]) => noted !== shown);
  if (wrong === undefined) return null;
  const [field, noted, shown] = wrong;
  return malformed(`note.${field}`, String(noted).slice(0, MAX_SHOWN_CHARS), String(shown));
}

function fault(field: string, claimed: string | null, computed: string): Result<PageNote, PageFault> {
  return err(malformed(field, claimed?.slice(0, MAX_SHOWN_CHARS) ?? null, computed));
}

function malformed(field: string, claimed: string | null, computed: string): PageFault {
  return accusation('page_malformed', { field, claimed, computed });
}
