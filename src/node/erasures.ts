/** Acknowledgements of erasures in a running node: what comes from peers, and whom to tell when a body is gone. */
import type { PeerFile } from '../config/peer-file.ts';
import { authorityOf } from '../core/node-id.ts';
import type { PeerSessions } from '../pull/peer-sessions.ts';
import type { ErasureDeps } from '../serve/answer-erasure.ts';
import type { RelayedAckDeps } from '../serve/answer-relayed-ack.ts';
import type { Base } from './base.ts';

export type Erasures = Pick<ErasureDeps, 'takeErasures'> & Pick<RelayedAckDeps, 'takeRelayedAcks'>;

/** @param sessions asked late: they are made after the protocols that they listen to */
export function erasuresOf({ writer }: Base, sessions: () => PeerSessions | undefined): Erasures {
  return {
    takeErasures: (nodeId, acks) => writer.takeErasures(nodeId, acks),
    async takeRelayedAcks(nodeId, acks) {
      const { taken, authors } = await writer.takeRelayedAcks(nodeId, acks);
      for (const author of authors) sessions()?.due(author);
      return taken;
    },
  };
}

/** Authors of facts that are erased here are told, and so are those who relay their facts. */
export function tellErased(
  { erased }: Base,
  peers: () => readonly PeerFile[],
  sessions: PeerSessions,
  owned: AsyncDisposableStack,
): void {
  const tell = (authors: readonly string[]): void => {
    for (const author of authors) sessions.due(author);
    const feeds = authors.map((author) => `from/${authorityOf(author) ?? ''}/public`);
    for (const { nodeId, accept } of peers()) if (accept.some(({ feed }) => feeds.includes(feed))) sessions.due(nodeId);
  };
  erased.add(tell);
  owned.defer(() => void erased.delete(tell));
}
