/** Tells a peer which of its facts have no body here any more, as its tombstones ask. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { decodeErasureAnswer, encodeErasureRequest } from '../wire/erasure-ack.ts';
import { ERASURE_PROTOCOL } from '../wire/protocols.ts';
import type { PullDeps } from './deps.ts';
import type { Greeted } from './greet.ts';

const ANSWER_MS = 10_000;
/** Requests in a row; what is left is told after the next pull. */
const MAX_REQUESTS = 16;

export interface PendingErasures {
  /** Signed notes. */
  readonly acks: readonly string[];
  /** The step that each is about. */
  readonly steps: readonly number[];
}

/** @throws TransportError: it is sent again after the next turn */
export async function sendErasures(
  peer: PeerFile,
  { protocols }: Greeted,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!protocols.includes(ERASURE_PROTOCOL)) return;
  for (let requests = 0; requests < MAX_REQUESTS && !signal.aborted; requests++) {
    const { acks, steps } = await deps.journal.pendingErasures(peer.nodeId);
    if (acks.length === 0) return;
    const taken = await sendOnce(peer.peerId, acks, deps, signal);
    if (taken > 0) await deps.journal.erasuresTold(peer.nodeId, steps.slice(0, taken));
    if (taken < acks.length) return;
  }
}

async function sendOnce(
  peerId: string,
  acks: readonly string[],
  { transport }: PullDeps,
  signal: AbortSignal,
): Promise<number> {
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let taken = 0;
  for await (const frame of transport.request(peerId, ERASURE_PROTOCOL, encodeErasureRequest({ acks }), limits)) {
    const answer = decodeErasureAnswer(frame);
    if (answer.ok) taken = Math.min(answer.value.taken, acks.length);
  }
  return taken;
}
