/** The restore guard's calls to the journal's thread. */
import type { GuardView, OwnHeadVerdict, Restored } from '../journal/guard.ts';
import type { Journal } from '../journal/journal.ts';
import { ownLogKeys } from '../journal/key-statements.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { openOwnPage, type ProvedEntry, type TailFault } from '../verify/own-tail.ts';
import type { PageFrames } from '../wire/page.ts';

export type RestoreOutcome = ({ readonly kind: 'restored' } & Restored) | ({ readonly kind: 'refused' } & TailFault);

export interface GuardMethods {
  guardView(): GuardView;
  /** The newest checkpoint of ours that is here; null: none. Shown to nobody but witnesses while the journal is held. */
  signedNote(): string | null;
  compareOwnHead(note: string, shownBy: string, nowMs: number): OwnHeadVerdict;
  /** @returns how many of the missing entries are held now; null: the page proves nothing */
  offerOwnPage(frames: PageFrames): number | null;
  restoreTail(nowMs: number): RestoreOutcome;
  holdGuard(why: string): void;
  clearGuard(nowMs: number): void;
}

export function guardMethods(journal: Journal, signer: LogSigner): GuardMethods {
  const { guard } = journal;
  const held = new Map<number, ProvedEntry>();
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
      return held.size;
    },
    restoreTail: (nowMs) => {
      const restored = guard.restore(held, nowMs);
      if (!restored.ok) return { kind: 'refused', ...restored.error };
      held.clear();
      return { kind: 'restored', ...restored.value };
    },
    holdGuard: (why) => guard.hold(why),
    clearGuard: (nowMs) => guard.clear(nowMs),
  };
}
