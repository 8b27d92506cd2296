import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { decodeMessage, encodeMessage } from './message.ts';
import { MAX_RECEIPT_BYTES } from './page-receipt.ts';
import { integer, list, literal, type Malformed, object, type Shape, text } from './shape.ts';

/** Receipts of one request: with names of a usual length they fill half of what a request may have. */
export const MAX_RECEIPTS = 64;
/** Receipts for pages that the asker has judged and stored. */
export interface ReceiptRequest {
  /** Signed notes, see `page-receipt.ts`. */
  readonly receipts: readonly string[];
  readonly v: 1;
}

/** How many of the receipts, from the first on, need not come again. */
export interface ReceiptAnswer {
  readonly taken: number;
  readonly v: 1;
}

const RECEIPT_REQUEST: Shape<ReceiptRequest> = object<ReceiptRequest>({
  receipts: list(text(MAX_RECEIPT_BYTES), MAX_RECEIPTS),
  v: literal(1),
});

const RECEIPT_ANSWER: Shape<ReceiptAnswer> = object<ReceiptAnswer>({ taken: integer(MAX_RECEIPTS), v: literal(1) });

export function encodeReceiptRequest(request: Omit<ReceiptRequest, 'v'>): Uint8Array {
  return encodeMessage(RECEIPT_REQUEST, { ...request, v: 1 });
}

/** Pure and total. */
export function decodeReceiptRequest(bytes: Uint8Array): Result<ReceiptRequest, Malformed> {
  return decodeMessage(bytes, RECEIPT_REQUEST, MAX_REQUEST_BYTES);
}

export function encodeReceiptAnswer(answer: Omit<ReceiptAnswer, 'v'>): Uint8Array {
  return encodeMessage(RECEIPT_ANSWER, { ...answer, v: 1 });
}

/** Pure and total. */
export function decodeReceiptAnswer(bytes: Uint8Array): Result<ReceiptAnswer, Malformed> {
  return decodeMessage(bytes, RECEIPT_ANSWER, MAX_REQUEST_BYTES);
}
