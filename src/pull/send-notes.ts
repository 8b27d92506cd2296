/** Leaves with a peer the restore notes about its pages: after a restore it gives them back, and nobody but us can read them. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { decodeKeepAnswer, encodeKeepRequest, type SealedNote } from '../wire/keep.ts';
import { KEEP_PROTOCOL } from '../wire/protocols.ts';
import type { PullDeps } from './deps.ts';
import type { Greeted } from './greet.ts';

const ANSWER_MS = 30_000;

/** Restore notes about the next pages of a peer, and the pages that they are about. */
export interface PendingNotes {
  readonly notes: readonly SealedNote[];
  /** Of the page that each is about. */
  readonly pageIds: readonly number[];
  /** The last page looked at, also one that there is no note about; null: there is none. */
  readonly upTo: number | null;
}

/**
 * Sends what is due, batch by batch, until the peer has all of it or takes no more.
 *
 * @throws TransportError: it is sent again after the next pull
 */
export async function sendNotes(
  { nodeId, peerId }: PeerFile,
  { protocols }: Greeted,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!protocols.includes(KEEP_PROTOCOL)) return;
  while (!signal.aborted) {
    const { notes, pageIds, upTo } = await deps.pendingNotes(nodeId);
    if (upTo === null) return;
    const taken = notes.length === 0 ? 0 : await sendOnce(peerId, notes, deps, signal);
    const isAll = taken === notes.length;
    const reached = isAll ? upTo : pageIds[taken - 1];
    if (reached !== undefined) await deps.journal.notesTaken(nodeId, reached);
    if (!isAll) return;
  }
}

async function sendOnce(
  peerId: string,
  notes: readonly SealedNote[],
  { transport }: PullDeps,
  signal: AbortSignal,
): Promise<number> {
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let taken = 0;
  for await (const frame of transport.request(peerId, KEEP_PROTOCOL, encodeKeepRequest(notes), limits)) {
    const answer = decodeKeepAnswer(frame);
    if (answer.ok) taken = Math.min(answer.value.taken, notes.length);
  }
  return taken;
}
