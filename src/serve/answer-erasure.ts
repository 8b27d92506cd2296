/** Takes a peer's word that it has erased facts of ours. Whatever it says, the answer is the same: it tells of no feed. */
import { decodeErasureRequest, encodeErasureAnswer } from '../wire/erasure-ack.ts';
import type { ServeDeps } from './deps.ts';

export interface ErasureDeps extends Pick<ServeDeps, 'peerOf'> {
  /** Checks and stores them. @returns how many, from the first on, need not come again */
  readonly takeErasures: (nodeId: string, acks: readonly string[]) => Promise<number>;
}

/** One frame; none for a request that cannot be read. */
export async function* answerErasure(
  request: Uint8Array,
  peerId: string,
  deps: ErasureDeps,
): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeErasureRequest(request);
  if (peer === undefined || !decoded.ok) return;
  yield encodeErasureAnswer({ taken: await deps.takeErasures(peer.nodeId, decoded.value.acks) });
}
