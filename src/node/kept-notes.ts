/** Restore notes in a running node: those that peers leave here, and ours that a peer has lost. */
import type { PendingNotes } from '../pull/send-notes.ts';
import { RequestRates } from '../transport/request-rates.ts';
import type { Base } from './base.ts';

/** Notes come some time behind their pages: what a copy holds of a log may be more than what it holds of them. */
const PAGES_BEFORE = 256;
/**
 * How often one peer is left its notes again: all of them are made anew, from its page on. One that is put back from a copy
 * asks once, and every ten seconds while entries are missing; what it asks beyond this is put together, and nothing of it forgotten.
 */
const LEFT_AGAIN = { perSecond: 1 / 600, burst: 4 };

type Leaving = Pick<Base['reader'], 'lastPageWithin' | 'pendingNotes'> & Pick<Base['writer'], 'leaveNotesAgain'>;

/** Our notes, as they are left with peers. */
export class LeftNotes {
  readonly #journal: Leaving;
  readonly #nowMs: () => number;
  readonly #rates = new RequestRates(LEFT_AGAIN);
  /** The smallest tree size that each peer has asked from since its notes were left again. */
  readonly #lost = new Map<string, number>();

  constructor(journal: Leaving, nowMs: () => number) {
    this.#journal = journal;
    this.#nowMs = nowMs;
  }

  /** The peer has lost what is behind its first `from` entries, and what we left with it about that. */
  async onLost(peer: string, from: number): Promise<void> {
    this.#lost.set(peer, Math.min(from, this.#lost.get(peer) ?? from));
    await this.#leaveAgain(peer);
  }

  /** What is due to be left with a peer now. */
  async pending(peer: string): Promise<PendingNotes> {
    await this.#leaveAgain(peer);
    return this.#journal.pendingNotes(peer);
  }

  async #leaveAgain(peer: string): Promise<void> {
    const from = this.#lost.get(peer);
    if (from === undefined || this.#rates.take(peer, this.#nowMs()) > 0) return;
    this.#lost.delete(peer);
    const last = await this.#journal.lastPageWithin(peer, from);
    await this.#journal.leaveNotesAgain(peer, Math.max(0, last - PAGES_BEFORE));
  }
}

export function leftNotesOf({ reader, writer, nowMs }: Base): LeftNotes {
  return new LeftNotes(
    {
      lastPageWithin: reader.lastPageWithin,
      pendingNotes: reader.pendingNotes,
      leaveNotesAgain: writer.leaveNotesAgain,
    },
    nowMs,
  );
}
