/** Takes a peer's receipts for pages that it was given. Whatever they say, the answer is the same: it tells of no feed. */
import { decodeReceiptRequest, encodeReceiptAnswer } from '../wire/receipt.ts';
import type { ServeDeps } from './deps.ts';

export interface ReceiptDeps extends Pick<ServeDeps, 'peerOf'> {
  /** Checks and stores them. @returns how many, from the first on, need not come again */
  readonly takeReceipts: (nodeId: string, receipts: readonly string[]) => Promise<number>;
}

/** One frame; none for a request that cannot be read. */
export async function* answerReceipt(
  request: Uint8Array,
  peerId: string,
  deps: ReceiptDeps,
): AsyncGenerator<Uint8Array> {
  const peer = deps.peerOf(peerId);
  const decoded = decodeReceiptRequest(request);
  if (peer === undefined || !decoded.ok) return;
  yield encodeReceiptAnswer({ taken: await deps.takeReceipts(peer.nodeId, decoded.value.receipts) });
}
