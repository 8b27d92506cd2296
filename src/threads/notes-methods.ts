/** The journal's part in restore notes: how far ours were left, and keeping those of peers. */
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import type { Journal } from '../journal/journal.ts';
import { type KeptNote, KeptNotes } from '../journal/kept-notes.ts';
import { PagePlaces } from '../journal/page-places.ts';

export interface NotesMethods {
  /** The peer keeps our notes up to this page. */
  notesTaken(peer: string, pageId: number): void;
  keepNotes(peer: string, notes: readonly KeptNote[], nowMs: number): void;
  /** The peer has lost the notes about pages behind this one: they are left with it again. */
  leaveNotesAgain(peer: string, pageId: number): void;
}

export function notesMethods(journal: Journal): NotesMethods {
  const places = new PagePlaces(journal.db);
  const kept = new KeptNotes(journal.db);
  const ledger = new DisclosureRecords(journal.db);
  return {
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
