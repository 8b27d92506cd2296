/** Gives a peer the signed end of grants that it had. Of every other feed, there or not, the answer says nothing. */
import { decideFeed } from '../core/disclosure.ts';
import { decodeClosureRequest, encodeClosureAnswer, MAX_CLOSURES } from '../wire/closure.ts';
import type { ServeDeps } from './deps.ts';

/** A feed whose last grant to a peer is over. */
export interface EndedFeed {
  readonly feed: string;
  /** Unix ms. */
  readonly closedAtMs: number;
}

export interface ClosureDeps extends Pick<ServeDeps, 'peerOf' | 'rules' | 'nowMs'> {
  /** Signs the end of those feeds that the peer was given anything of. */
  readonly giveClosures: (nodeId: string, ended: readonly EndedFeed[]) => Promise<readonly string[]>;
}

/** One frame; none for a request that cannot be read. */
export async function* answerClosure(
  request: Uint8Array,
  peerId: string,
  deps: ClosureDeps,
): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeClosureRequest(request);
  if (peer === undefined || !decoded.ok) return;
  const ended = decoded.value.feeds.flatMap((feed): EndedFeed[] => {
    const { code, grant } = decideFeed(feed, peer, deps.rules, deps.nowMs());
    return code === 'expired' && grant.notAfterMs !== null ? [{ feed, closedAtMs: grant.notAfterMs }] : [];
  });
  const closures = ended.length === 0 ? [] : await deps.giveClosures(peer.nodeId, ended.slice(0, MAX_CLOSURES));
  yield encodeClosureAnswer({ closures });
}
