/** Takes acknowledgements of erasures at a relay, from who has the fact by it, and at the author, from a relay. */
import { decodeRelayedAcks, encodeRelayedAckAnswer, type RelayedAck } from '../wire/relayed-ack.ts';
import type { ServeDeps } from './deps.ts';

export interface RelayedAckDeps extends Pick<ServeDeps, 'peerOf'> {
  /** Checks and stores them. @returns how many, from the first on, need not come again */
  readonly takeRelayedAcks: (nodeId: string, acks: readonly RelayedAck[]) => Promise<number>;
}

/** One frame, the same whatever becomes of them; none for a request that cannot be read. */
export async function* answerRelayedAck(
  request: Uint8Array,
  peerId: string,
  deps: RelayedAckDeps,
): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeRelayedAcks(request);
  if (peer === undefined || !decoded.ok) return;
  yield encodeRelayedAckAnswer(await deps.takeRelayedAcks(peer.nodeId, decoded.value.acks));
}
