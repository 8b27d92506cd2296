/** What is told and asked a peer beside pulling from it. No pull depends on any of it: what fails is tried again after the next. */
import { NOTICE_PROTOCOL } from '../wire/protocols.ts';
import { askClosures } from './ask-closures.ts';
import { askPermit } from './ask-permit.ts';
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

/** A peer that gives none shows its feeds no more, and that is all that is known then. @param feeds that are shown no more */
export async function fetchClosures(
  { peer, greeted }: Known,
  feeds: readonly string[],
  deps: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  if (greeted !== null)
    await tried('closures not given', askClosures(peer, greeted, feeds, deps, signal), peer.name, deps);
}

/** @returns whether the peer lets us relay its facts now */
export async function fetchPermit({ peer, greeted }: Known, deps: PullDeps, signal: AbortSignal): Promise<boolean> {
  if (greeted === null) return false;
  return (await tried('no relay permit', askPermit(peer, greeted, deps, signal), peer.name, deps)) === true;
}

/** @returns undefined where it failed */
async function tried<T>(failure: string, errand: Promise<T>, peer: string, deps: PullDeps): Promise<T | undefined> {
  try {
    return await errand;
  } catch (error) {
    deps.logger.debug({ peer, error: error instanceof Error ? error.message : String(error) }, failure);
    return undefined;
  }
}
