/** Restore notes in a running node: those that peers leave here, and ours that a peer has lost. */
import type { KeepDeps } from '../serve/answer-keep.ts';
import type { ServeDeps } from '../serve/deps.ts';
import type { Base } from './base.ts';

/** Notes come some time behind their pages: what a copy holds of a log may be more than what it holds of them. */
const PAGES_BEFORE = 256;

export function keepingOf({ reader, writer }: Base): Pick<ServeDeps, 'onLost'> & Pick<KeepDeps, 'keepNotes'> {
  return {
    keepNotes: (nodeId, notes) => writer.keepNotes(nodeId, notes),
    async onLost(nodeId, from) {
      const last = await reader.lastPageWithin(nodeId, from);
      await writer.leaveNotesAgain(nodeId, Math.max(0, last - PAGES_BEFORE));
    },
  };
}
