/** The restore guard's calls to the journal's thread. */
import type { GuardView, OwnHeadVerdict, Restored } from '../journal/guard.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { openOwnPage, type ProvedEntry, type TailFault } from '../verify/own-tail.ts';
import type { PageFrames } from '../wire/page.ts';

export type RestoreOutcome = ({ readonly kind: 'restored' } & Restored) | ({ readonly kind: 'refused' } & TailFault);

export interface GuardMethods {
  guardView(): GuardView;
  compareOwnHead(note: string, shownBy: string, nowMs: number): OwnHeadVerdict;
  /** @returns how many of the missing entries are held now; null: the page proves nothing */
  offerOwnPage(frames: PageFrames): number | null;
  restoreTail(nowMs: number): RestoreOutcome;
  holdGuard(why: string): void;
  clearGuard(nowMs: number): void;
}

export function guardMethods(journal: Journal, signer: LogSigner): GuardMethods {
  const { guard } = journal;
  const log = { origin: signer.name, key: signer.publicKey };
  const held = new Map<number, ProvedEntry>();
  return {
    guardView: () => guard.view(),
    compareOwnHead: (note, shownBy, nowMs) => guard.compare(note, shownBy, nowMs),
    offerOwnPage: (frames) => {
      const entries = openOwnPage(frames, log);
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
