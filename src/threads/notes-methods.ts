/** The journal's part in restore notes: sealing ours, and keeping those of peers. */
import { randomBytes } from 'node:crypto';
import { MAX_KEEP_BYTES } from '../core/limits.ts';
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import type { Journal } from '../journal/journal.ts';
import { type KeptNote, KeptNotes } from '../journal/kept-notes.ts';
import { PagePlaces } from '../journal/page-places.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { PendingNotes } from '../pull/send-notes.ts';
import { MAX_KEPT_NOTES, type SealedNote } from '../wire/keep.ts';
import { NONCE_BYTES, restoreNoteKey, sealRestoreNote } from '../wire/restore-note.ts';

/** Of what is around the notes of a request. */
const ROOM_BYTES = 64;

export interface NotesMethods {
  /** Sealed notes about the next pages of a peer with which none was left yet. */
  pendingNotes(peer: string): PendingNotes;
  /** The peer keeps our notes up to this page. */
  notesTaken(peer: string, pageId: number): void;
  keepNotes(peer: string, notes: readonly KeptNote[], nowMs: number): void;
  /** The peer has lost the notes about pages behind this one: they are left with it again. */
  leaveNotesAgain(peer: string, pageId: number): void;
}

/** @param seed of the restore key file */
export function notesMethods(journal: Journal, seed: Uint8Array): NotesMethods {
  const places = new PagePlaces(journal.db);
  const kept = new KeptNotes(journal.db);
  const ledger = new DisclosureRecords(journal.db);
  const key = restoreNoteKey(seed);
  return {
    pendingNotes: (peer) => pending(journal.identity.nodeId, places, key, peer),
    notesTaken: (peer, pageId) => places.markNoted(peer, pageId),
    keepNotes: (peer, notes, nowMs) => {
      const given = givenTo(peer, journal, ledger);
      const keepAll = (): void => {
        for (const note of notes) kept.keep(peer, note, given, nowMs * 1000);
      };
      try {
        journal.db.transaction(keepAll).immediate();
      } catch (error) {
        kept.forget(peer);
        throw error;
      }
    },
    leaveNotesAgain: (peer, pageId) => places.unmark(peer, pageId),
  };
}

/** How far each of our feeds was given: a note about any other would tell, when it is given back, that the feed exists. */
function givenTo(peer: string, journal: Journal, ledger: DisclosureRecords): ReadonlyMap<string, number> {
  return new Map(
    journal.feeds().flatMap(({ feed }) => {
      const last = ledger.last(peer, feed);
      return last === null ? [] : [[feed, last.to] as const];
    }),
  );
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
