/** Our restore notes, as the readers' thread makes them: each reads all entries of its page. */
import { randomBytes } from 'node:crypto';
import { MAX_KEEP_BYTES } from '../core/limits.ts';
import type { Db } from '../journal/database.ts';
import { PagePlaces } from '../journal/page-places.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { PendingNotes } from '../pull/send-notes.ts';
import { MAX_KEPT_NOTES, type SealedNote } from '../wire/keep.ts';
import { NONCE_BYTES, restoreNoteKey, sealRestoreNote } from '../wire/restore-note.ts';

/** Of what is around the notes of a request. */
const ROOM_BYTES = 64;

export interface NotesReads {
  /** Sealed notes about the next pages of a peer with which none was left yet. */
  pendingNotes(peer: string): PendingNotes;
}

/**
 * @param self   our node id
 * @param seed of the restore key file
 */
export function notesReads(db: Db, self: string, seed: Uint8Array): NotesReads {
  const places = new PagePlaces(db);
  const key = restoreNoteKey(seed);
  return { pendingNotes: (peer) => pending(self, places, key, peer) };
}

function pending(self: string, places: PagePlaces, key: Uint8Array, peer: string): PendingNotes {
  const notes: SealedNote[] = [];
  const pageIds: number[] = [];
  let bytes = ROOM_BYTES;
  let upTo: number | null = null;
  for (const page of places.unnoted(peer, MAX_KEPT_NOTES)) {
    const note = places.noteOf(page);
    if (note !== null) {
      const { pageId, feed, after, to } = page;
      const range = { receiver: self, sender: peer, feed, after, to };
      const sealed = encodeBase64(sealRestoreNote(note, range, key, randomBytes(NONCE_BYTES)));
      bytes += Buffer.byteLength(JSON.stringify({ after, feed, sealed, to })) + 1;
      if (bytes > MAX_KEEP_BYTES) break;
      notes.push({ after, feed, sealed, to });
      pageIds.push(pageId);
    }
    upTo = page.pageId;
  }
  return { notes, pageIds, upTo };
}
