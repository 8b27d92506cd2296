/** The lines of a log's own keys in a note: what others are shown of it. */
import { ALG_ED25519, noteKeyId, parseSignatureLine } from '../merkle/note.ts';
import { MAX_HEAD_CHARS } from '../wire/witness.ts';

/**
 * Keeps the text and the lines of the log's own keys: cosignatures of others are no part of what the log said. A log may sign its
 * note with as many lines as it likes: that of the given key comes first, and of the others as many are kept as a head may have.
 *
 * @param note a note that `openCheckpoint` has taken
 * @param log  origin, and the raw key that the note was opened with; null: it is not known here
 */
export function ownLines(note: string, log: { readonly origin: string; readonly key: Uint8Array | null }): string {
  const { text, lines } = linesOf(note, log.origin);
  const keyId = log.key === null ? undefined : noteKeyId(log.origin, ALG_ED25519, log.key);
  const isOfKey = (line: string): boolean => keyId !== undefined && keyId === parseSignatureLine(line.trimEnd())?.keyId;
  const inOrder = [...lines.filter(isOfKey), ...lines.filter((line) => !isOfKey(line))];
  return inOrder.reduce((kept, line) => (kept.length + line.length <= MAX_HEAD_CHARS ? kept + line : kept), text);
}

/** Whether others can be shown all that the log's own keys have signed: else nobody could be told what it says to whom. */
export function fitsHead(note: string, origin: string): boolean {
  const { text, lines } = linesOf(note, origin);
  return lines.reduce((length, line) => length + line.length, text.length) <= MAX_HEAD_CHARS;
}

function linesOf(note: string, origin: string): { readonly text: string; readonly lines: readonly string[] } {
  const border = note.lastIndexOf('\n\n') + 2;
  const all = note.slice(border).split(/(?<=\n)/);
  return { text: note.slice(0, border), lines: all.filter((line) => line.startsWith(`— ${origin} `)) };
}
