/** Tells a peer whether it may relay our public facts: a signed permit, or nothing. */
import { decideFeed } from '../core/disclosure.ts';
import { decodePermitRequest, encodePermitAnswer, RELAYED_FEED } from '../wire/relay-permit.ts';
import type { ServeDeps } from './deps.ts';

export interface RelayDeps extends Pick<ServeDeps, 'peerOf' | 'rules' | 'nowMs'> {
  /**
   * A permit that ends before `untilMs`, if that is not null; null while nothing can be signed.
   *
   * @param nodeId who may relay
   */
  readonly givePermit: (nodeId: string, untilMs: number | null) => Promise<string | null>;
}

/** One frame; none for a request that cannot be read. */
export async function* answerRelay(request: Uint8Array, peerId: string, deps: RelayDeps): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  if (peer === undefined || !decodePermitRequest(request).ok) return;
  const { code, grant } = decideFeed(RELAYED_FEED, peer, deps.rules, deps.nowMs());
  const isPermitted = peer.relay && code === 'granted';
  yield encodePermitAnswer(isPermitted ? await deps.givePermit(peer.nodeId, grant.notAfterMs) : null);
}
