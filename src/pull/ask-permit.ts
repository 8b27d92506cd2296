/** Asks a peer whether we may relay its public facts. */
import type { PeerFile } from '../config/peer-file.ts';
import type { HeldPermit } from '../core/disclosure.ts';
import { RELAY_PROTOCOL } from '../wire/protocols.ts';
import { decodePermitAnswer, encodePermitRequest, MAX_PERMIT_ANSWER_BYTES } from '../wire/relay-permit.ts';
import type { PullDeps } from './deps.ts';
import type { Greeted } from './greet.ts';

const ANSWER_MS = 10_000;

export type TakenPermit =
  | { readonly kind: 'taken'; readonly feed: string; readonly permit: HeldPermit }
  | { readonly kind: 'refused'; readonly code: string };

/**
 * A peer that does not know the protocol is not asked, nor one whose facts nobody is to get from us.
 *
 * @returns whether there is one now
 * @throws TransportError: it is asked again after the next pull
 */
export async function askPermit(
  peer: PeerFile,
  { protocols }: Greeted,
  { journal, transport, relaying, logger }: PullDeps,
  signal: AbortSignal,
): Promise<boolean> {
  if (!protocols.includes(RELAY_PROTOCOL) || !relaying.isShared(`from/${peer.authority}/public`)) return false;
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_PERMIT_ANSWER_BYTES };
  for await (const frame of transport.request(peer.peerId, RELAY_PROTOCOL, encodePermitRequest(), limits)) {
    const answer = decodePermitAnswer(frame);
    if (!answer.ok || answer.value === null) return false;
    const taken = await journal.takePermit(peer.nodeId, answer.value);
    if (taken.kind === 'refused') logger.warn({ peer: peer.name, code: taken.code }, 'a relay permit is refused');
    else relaying.permitted(taken.feed, taken.permit);
    return taken.kind === 'taken';
  }
  return false;
}
