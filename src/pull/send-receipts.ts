/** Tells a peer which of its pages are judged and stored here. What it has not taken yet is read out of the journal. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { RECEIPT_PROTOCOL } from '../wire/protocols.ts';
import { decodeReceiptAnswer, encodeReceiptRequest } from '../wire/receipt.ts';
import type { PullDeps } from './deps.ts';
import type { Greeted } from './greet.ts';

const ANSWER_MS = 10_000;
/** Room for the members around the receipts. */
export const MAX_RECEIPT_REQUEST_BYTES: number = MAX_REQUEST_BYTES - 256;

/** Receipts for the next pages of a peer, and the pages that they are for. */
export interface PendingReceipts {
  /** Signed notes. */
  readonly receipts: readonly string[];
  /** Of the page that each is for. */
  readonly pageIds: readonly number[];
  /** The last page looked at, also one that nothing can be signed for; null: there is none. */
  readonly upTo: number | null;
}

/**
 * Sends what is due, batch by batch, until the peer has all of it or takes no more.
 *
 * @throws TransportError: it is sent again after the next pull
 */
export async function sendReceipts(
  peer: PeerFile,
  { pinned, protocols }: Greeted,
  deps: PullDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!protocols.includes(RECEIPT_PROTOCOL)) return;
  while (!signal.aborted) {
    const { receipts, pageIds, upTo } = await deps.journal.pendingReceipts(peer.nodeId, pinned.origin);
    if (upTo === null) return;
    const taken = receipts.length === 0 ? 0 : await sendOnce(peer.peerId, receipts, deps, signal);
    const isAll = taken === receipts.length;
    const reached = isAll ? upTo : pageIds[taken - 1];
    if (reached !== undefined) await deps.journal.receiptsTaken(peer.nodeId, reached);
    if (!isAll) return;
  }
}

async function sendOnce(
  peerId: string,
  receipts: readonly string[],
  { transport }: PullDeps,
  signal: AbortSignal,
): Promise<number> {
  const limits = { signal, idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let taken = 0;
  for await (const frame of transport.request(peerId, RECEIPT_PROTOCOL, encodeReceiptRequest({ receipts }), limits)) {
    const answer = decodeReceiptAnswer(frame);
    if (answer.ok) taken = Math.min(answer.value.taken, receipts.length);
  }
  return taken;
}
