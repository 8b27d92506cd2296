/** Tells a peer what of its facts is refused here, and why. What it has not taken yet is read out of the journal. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { RefusalGroup } from '../journal/told-refusals.ts';
import { NOTICE_PROTOCOL } from '../wire/protocols.ts';
import { decodeNoticeAnswer, encodeNoticeRequest } from '../wire/refusal-notice.ts';
import type { PullDeps } from './deps.ts';

const ANSWER_MS = 10_000;
/** Requests in a row: a peer with more feeds and reasons than these hold hears of the rest after the next pull. */
const MAX_REQUESTS = 16;
/** Room for the members around the notices. */
export const MAX_NOTICE_REQUEST_BYTES: number = MAX_REQUEST_BYTES - 256;

/** Notices for a peer, and the feed and reason that each is about. */
export interface PendingNotices {
  /** Signed notes. */
  readonly notices: readonly string[];
  readonly groups: readonly RefusalGroup[];
}

/**
 * Sends what is due until the peer has all of it or takes no more.
 *
 * @throws TransportError: it is sent again after the next turn
 */
export async function sendNotices(peer: PeerFile, deps: PullDeps, signal: AbortSignal): Promise<void> {
  for (let requests = 0; requests < MAX_REQUESTS && !signal.aborted; requests++) {
    const { notices, groups } = await deps.journal.pendingNotices(peer.nodeId);
    if (notices.length === 0) return;
    const taken = await sendOnce(peer.peerId, notices, deps, signal);
    if (taken > 0) await deps.journal.noticesTaken(peer.nodeId, groups.slice(0, taken));
    if (taken < notices.length) return;
  }
}

async function sendOnce(
  peerId: string,
  notices: readonly string[],
  { transport }: PullDeps,
  signal: AbortSignal,
): Promise<number> {
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let taken = 0;
  for await (const frame of transport.request(peerId, NOTICE_PROTOCOL, encodeNoticeRequest({ notices }), limits)) {
    const answer = decodeNoticeAnswer(frame);
    if (answer.ok) taken = Math.min(answer.value.taken, notices.length);
  }
  return taken;
}
