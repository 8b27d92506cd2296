/** What is told a peer beside pulling from it. No pull depends on any of it: one that was not taken is tried after the next. */
import { NOTICE_PROTOCOL } from '../wire/protocols.ts';
import type { PullDeps } from './deps.ts';
import { sendErasures } from './send-erasures.ts';
import { sendNotes } from './send-notes.ts';
import { sendNotices } from './send-notices.ts';
import { sendReceipts } from './send-receipts.ts';
import { sendRelayedAcks } from './send-relayed-acks.ts';
import type { SessionState } from './session-state.ts';

type Known = Pick<SessionState, 'peer' | 'greeted'>;

/** Of the pages that were stored. */
export async function giveReceipts({ peer, greeted }: Known, deps: PullDeps, signal: AbortSignal): Promise<void> {
  if (greeted !== null) await tried('receipts not taken', sendReceipts(peer, greeted, deps, signal), peer.name, deps);
}

/** A peer that was refused something, even all it says, hears why. */
export async function giveNotices({ peer, greeted }: Known, deps: PullDeps, signal: AbortSignal): Promise<void> {
  if (greeted !== null && !greeted.protocols.includes(NOTICE_PROTOCOL)) return;
  await tried('notices not taken', sendNotices(peer, deps, signal), peer.name, deps);
}

/** A peer that takes none does not learn that its facts are erased here. */
export async function giveErasures({ peer, greeted }: Known, deps: PullDeps, signal: AbortSignal): Promise<void> {
  if (greeted !== null)
    await tried('erasures not acknowledged', sendErasures(peer, greeted, deps, signal), peer.name, deps);
  if (greeted !== null)
    await tried('erasures not acknowledged', sendRelayedAcks(peer, greeted, deps, signal), peer.name, deps);
}

/** As soon as pages are stored: what is lost before the peer has its notes, nobody can give back. */
export async function leaveNotes({ peer, greeted }: Known, deps: PullDeps, signal: AbortSignal): Promise<void> {
  if (greeted !== null) await tried('restore notes not taken', sendNotes(peer, greeted, deps, signal), peer.name, deps);
}

async function tried(failure: string, errand: Promise<void>, peer: string, deps: PullDeps): Promise<void> {
  await errand.catch((error: unknown) => {
    deps.logger.debug({ peer, error: error instanceof Error ? error.message : String(error) }, failure);
  });
}
