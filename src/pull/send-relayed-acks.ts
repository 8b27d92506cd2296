/**
 * Acknowledgements of erasures by way of a relay: our own to the node that brought the tombstone of another, and to an author
 * those of the nodes that we relayed its fact to.
 */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { ERASURE_RELAY_PROTOCOL } from '../wire/protocols.ts';
import { decodeRelayedAckAnswer, encodeRelayedAcks, type RelayedAck } from '../wire/relayed-ack.ts';
import type { PullDeps } from './deps.ts';
import type { Greeted } from './greet.ts';

const ANSWER_MS = 10_000;
/** Requests in a row; what is left is told after the next pull. */
const MAX_REQUESTS = 16;

/** What is remembered once an acknowledgement was taken. */
export type AckTold =
  | { readonly kind: 'own'; readonly author: string; readonly step: number }
  | { readonly kind: 'passed'; readonly ackId: number };

export interface PendingAck extends RelayedAck {
  readonly told: AckTold;
}

/** @throws TransportError: it is sent again after the next turn */
export async function sendRelayedAcks(
  peer: PeerFile,
  { protocols }: Greeted,
  { journal, transport }: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!protocols.includes(ERASURE_RELAY_PROTOCOL)) return;
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  const feeds = peer.accept.map(({ feed }) => feed);
  for (let requests = 0; requests < MAX_REQUESTS && !signal.aborted; requests++) {
    const acks = await journal.pendingRelayedAcks(peer.nodeId, feeds);
    if (acks.length === 0) return;
    let taken = 0;
    for await (const frame of transport.request(peer.peerId, ERASURE_RELAY_PROTOCOL, encodeRelayedAcks(acks), limits)) {
      const answer = decodeRelayedAckAnswer(frame);
      if (answer.ok) taken = Math.min(answer.value.taken, acks.length);
    }
    if (taken > 0)
      await journal.relayedAcksTold(
        peer.nodeId,
        acks.slice(0, taken).map(({ told }) => told),
      );
    if (taken < acks.length) return;
  }
}
