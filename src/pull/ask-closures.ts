/** Asks a peer what became of feeds that it gave before: the signed end of a grant tells an end from a failure. */
import type { PeerFile } from '../config/peer-file.ts';
import { decodeClosureAnswer, encodeClosureRequest, MAX_CLOSURE_ANSWER_BYTES } from '../wire/closure.ts';
import { CLOSURE_PROTOCOL } from '../wire/protocols.ts';
import type { PullDeps } from './deps.ts';
import type { Greeted } from './greet.ts';

const ANSWER_MS = 10_000;

/** What became of a peer's closures: those that are not refused are recorded. */
export interface TakenClosures {
  readonly refused: readonly { readonly code: string; readonly note: string }[];
}

/**
 * A peer that does not know the protocol is not asked.
 *
 * @param feeds feeds of which something was taken and nothing is shown now
 * @throws TransportError: it is asked again after the next pull
 */
export async function askClosures(
  peer: PeerFile,
  { protocols }: Greeted,
  feeds: readonly string[],
  { journal, transport, logger }: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  if (feeds.length === 0 || !protocols.includes(CLOSURE_PROTOCOL)) return;
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_CLOSURE_ANSWER_BYTES };
  for await (const frame of transport.request(peer.peerId, CLOSURE_PROTOCOL, encodeClosureRequest({ feeds }), limits)) {
    const answer = decodeClosureAnswer(frame);
    if (!answer.ok) return;
    const { refused } = await journal.takeClosures(peer.nodeId, feeds, answer.value.closures);
    for (const { code, note } of refused) logger.warn({ peer: peer.name, code, note }, 'a closure is refused');
    // One answer to a request: what comes behind it nobody has asked for.
    return;
  }
}
