/** The restore guard's calls to the journal's thread. */
import type { Result } from '../core/result.ts';
import type { GuardView, JournalGuard, OwnHeadVerdict, Restored } from '../journal/guard.ts';
import type { Journal } from '../journal/journal.ts';
import type { KeptNote } from '../journal/kept-notes.ts';
import { ownLogKeys } from '../journal/key-statements.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { openOwnPage, type ProvedEntry, type TailFault } from '../verify/own-tail.ts';
import type { PageFrames } from '../wire/page.ts';
import type { FeedCursor } from '../wire/pull-request.ts';
import { type OfferedNote, type OfferedPage, RegainedEntries } from './regained.ts';

export type RestoreOutcome = ({ readonly kind: 'restored' } & Restored) | ({ readonly kind: 'refused' } & TailFault);

export interface GuardMethods {
  guardView(): GuardView;
  /** The newest checkpoint of ours that is here; null: none. Shown to nobody but witnesses while the journal is held. */
  signedNote(): string | null;
  compareOwnHead(note: string, shownBy: string, nowMs: number): OwnHeadVerdict;
  /** @returns how many of the missing entries are held now; null: the page proves nothing */
  offerOwnPage(frames: PageFrames): number | null;
  /** Where the journal stands in each feed of a peer. */
  feedCursors(peer: string): readonly FeedCursor[];
  /** A note that a peer gives back, about a page that we took from it. */
  offerNote(peer: string, note: KeptNote): OfferedNote;
  /** A page that a peer sends again. Null when the page cannot be read, or has no entry. */
  offerSentPage(peer: string, frames: PageFrames): OfferedPage | null;
  restoreTail(nowMs: number): RestoreOutcome;
  holdGuard(why: string): void;
  clearGuard(): void;
}

/** @param restoreSeed of the restore key file */
export function guardMethods(journal: Journal, signer: LogSigner, restoreSeed: Uint8Array): GuardMethods {
  const { guard } = journal;
  const held = new Map<number, ProvedEntry>();
  const regained = new RegainedEntries(journal, restoreSeed);
  const missing = () => {
    const { size, signedSize } = guard.view();
    return { from: size, to: signedSize };
  };
  return {
    guardView: () => guard.view(),
    signedNote: () => guard.signedNote,
    compareOwnHead: (note, shownBy, nowMs) => guard.compare(note, shownBy, nowMs),
    offerOwnPage: (frames) => {
      // Pages that were taken before a key change are proved against checkpoints of the key before.
      const keys = ownLogKeys(journal.db, signer.publicKey);
      const entries = openOwnPage(frames, { origin: signer.name, keys });
      if (entries === null) return null;
      const { size, signedSize } = guard.view();
      for (const entry of entries) if (entry.index >= size && entry.index < signedSize) held.set(entry.index, entry);
      regained.give(entries);
      return held.size + regained.size;
    },
    feedCursors: (peer) => journal.peers.cursors(peer),
    offerNote: (peer, note) => regained.offerNote(peer, note, missing(), held),
    offerSentPage: (peer, frames) => {
      const to = regained.offerPage(peer, frames, missing(), held);
      return to === null ? null : { to, held: held.size + regained.size };
    },
    restoreTail: (nowMs) => {
      const restored = restoreTail(guard, held, regained, nowMs);
      if (!restored.ok) return { kind: 'refused', ...restored.error };
      held.clear();
      regained.clear();
      return { kind: 'restored', ...restored.value };
    },
    holdGuard: (why) => guard.hold(why),
    clearGuard: () => guard.clear(),
  };
}

/**
 * What was proved, with what was written again by notes. Where that contradicts what was signed, a note spoke of a history
 * that was given up: then what is proved alone decides, and nobody is accused of a note.
 */
function restoreTail(
  guard: JournalGuard,
  held: ReadonlyMap<number, ProvedEntry>,
  regained: RegainedEntries,
  nowMs: number,
): Result<Restored, TailFault> {
  const joined = new Map(held);
  for (const entry of regained.entries()) joined.set(entry.index, entry);
  const restored = guard.restore(joined, nowMs);
  if (restored.ok || restored.error.code !== 'tail_contradicts' || regained.size === 0) return restored;
  regained.reject();
  return guard.restore(held, nowMs);
}
