/** A peer whose log key nobody has named: which one it declares is asked, and nothing else. */
import type { PeerFile } from '../config/peer-file.ts';
import type { PullDeps } from './deps.ts';
import { type KeyChange, KeyUnconfirmed } from './errors.ts';
import { greet } from './greet.ts';
import type { SessionState } from './session-state.ts';

/** Its file names no log key, and no operator has trusted one: nothing is taken from it, and nothing given to it. */
export function isUnconfirmed({ peer, progress }: Pick<SessionState, 'peer' | 'progress'>): boolean {
  return peer.logKey === null && progress !== null && progress.declaration === null;
}

/**
 * Learns the key that an operator has to compare; its first sight is in the audit log.
 *
 * @returns null when it was confirmed meanwhile
 * @throws as {@link greet}
 */
export async function waitingKey(peer: PeerFile, deps: PullDeps, signal: AbortSignal): Promise<KeyChange | null> {
  const change = await unconfirmedIn(greet(peer, deps, signal));
  const declared = change?.keys[0]?.declared;
  if (declared === undefined) return null;
  const waiting = { name: peer.name, peer_id: peer.peerId, log_key: declared };
  if (await deps.journal.keyWaits(peer.nodeId, waiting)) deps.logger.warn(waiting, 'a log key waits to be confirmed');
  return change;
}

async function unconfirmedIn(greeting: Promise<unknown>): Promise<KeyChange | null> {
  try {
    await greeting;
    return null;
  } catch (error) {
    if (error instanceof KeyUnconfirmed) return error.change;
    throw error;
  }
}
