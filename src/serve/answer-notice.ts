/** Takes a peer's notices about facts of ours that it refused. Whatever they say, the answer tells of no feed. */
import { decodeNoticeRequest, encodeNoticeAnswer } from '../wire/refusal-notice.ts';
import type { ServeDeps } from './deps.ts';

/** What became of a peer's notices. */
export interface NoticesTaken {
  /** How many, from the first on, need not come again: the peer's allowance, or its key that is not known, ends them. */
  readonly taken: number;
  /** Those of them that say something new. */
  readonly changed: number;
  /** Why others of them are not kept. */
  readonly dropped: readonly string[];
}

export interface NoticeDeps extends Pick<ServeDeps, 'peerOf'> {
  /** Checks and stores them. */
  readonly takeNotices: (nodeId: string, notices: readonly string[]) => Promise<NoticesTaken>;
}

/** One frame; none for a request that cannot be read. */
export async function* answerNotice(request: Uint8Array, peerId: string, deps: NoticeDeps): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeNoticeRequest(request);
  if (peer === undefined || !decoded.ok) return;
  const { taken } = await deps.takeNotices(peer.nodeId, decoded.value.notices);
  yield encodeNoticeAnswer({ taken });
}
