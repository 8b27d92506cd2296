/** The journal's part in receipts for pages: signing ours, and taking those of peers. */
import { DisclosureRecords } from '../journal/disclosure-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { AuditInput } from '../journal/read-model.ts';
import type { ReceiptRecords } from '../journal/receipt-records.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { MAX_RECEIPT_REQUEST_BYTES, type PendingReceipts } from '../pull/send-receipts.ts';
import { openReceipt, signReceipt } from '../wire/page-receipt.ts';
import { MAX_RECEIPTS } from '../wire/receipt.ts';
import { declaredLogOf } from './declared-log.ts';

/** Receipts of one peer that are kept; later ones are answered and dropped. Some 600 bytes each. */
const MAX_RECEIPTS_OF_PEER = 100_000;

export interface ReceiptsMethods {
  /** Signed receipts for the next pages that the peer has taken none for. */
  pendingReceipts(peer: string, origin: string): PendingReceipts;
  /** The peer has taken our receipts up to this page. */
  receiptsTaken(peer: string, pageId: number): void;
  /** @returns how many, from the first on, need not come again: all, or none while the peer's key is not known */
  takeReceipts(peer: string, receipts: readonly string[], nowMs: number): number;
  /** Pins a declaration of a peer that has none yet; undefined when it has one. */
  pinIfNew(peer: string, note: string, input: AuditInput, nowMs: number): number | undefined;
}

/**
 * @param signer       the log key under the journal's origin
 * @param maxOfOnePeer how many receipts of one peer are kept
 */
export function receiptsMethods(
  journal: Journal,
  records: ReceiptRecords,
  signer: LogSigner,
  maxOfOnePeer: number = MAX_RECEIPTS_OF_PEER,
): ReceiptsMethods {
  const shelf = { journal, records, ledger: new DisclosureRecords(journal.db), maxOfOnePeer };
  return {
    pendingReceipts: (peer, origin) => pending(records, signer, peer, origin),
    receiptsTaken: (peer, pageId) => records.markTaken(peer, pageId),
    takeReceipts: (peer, receipts, nowMs) => take(shelf, peer, receipts, nowMs),
    pinIfNew: (peer, note, input, nowMs) =>
      journal.peers.declaration(peer) === null ? journal.pinDeclaration(peer, note, input, nowMs) : undefined,
  };
}

function pending(records: ReceiptRecords, signer: LogSigner, peer: string, origin: string): PendingReceipts {
  const receipts: string[] = [];
  const pageIds: number[] = [];
  let bytes = 0;
  let upTo: number | null = null;
  for (const { pageId, note, feed, after, to, accepted, refused } of records.unacknowledged(peer, MAX_RECEIPTS)) {
    if (note !== null) {
      const signed = signReceipt({ sender: origin, feed, after, to, accepted, refused }, note, signer);
      bytes += Buffer.byteLength(JSON.stringify(signed)) + 1;
      if (bytes > MAX_RECEIPT_REQUEST_BYTES && receipts.length > 0) break;
      receipts.push(signed);
      pageIds.push(pageId);
    }
    upTo = pageId;
  }
  return { receipts, pageIds, upTo };
}

interface Shelf {
  readonly journal: Journal;
  readonly records: ReceiptRecords;
  readonly ledger: DisclosureRecords;
  readonly maxOfOnePeer: number;
}

function take(
  { journal, records, ledger, maxOfOnePeer }: Shelf,
  peer: string,
  receipts: readonly string[],
  nowMs: number,
): number {
  const log = declaredLogOf(journal, peer);
  if (log === null) return 0;
  let room = maxOfOnePeer - records.count(peer);
  const save = (note: string): void => {
    const receipt = log.keys.map((key) => openReceipt(note, { origin: log.origin, key })).find(({ ok }) => ok);
    if (receipt?.ok !== true || receipt.value.sender !== journal.identity.journalOrigin) return;
    const { feed, after, to } = receipt.value;
    // In order and within what it was given: it can store no more receipts here than it has entries, nor make the ledger look cut off.
    const isNext = after >= records.acknowledgedTo(peer, feed) && to <= (ledger.last(peer, feed)?.to ?? 0);
    if (isNext && room-- > 0) records.save(peer, receipt.value, note, nowMs * 1000);
  };
  try {
    journal.db.transaction(() => receipts.forEach(save)).immediate();
  } catch (error) {
    records.forget(peer);
    throw error;
  }
  return receipts.length;
}
