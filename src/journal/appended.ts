/** Tables whose keys count up from 1: their key columns, and the one way to append to them. */
import { type Db, prepareLastKey, prepareSummedInsert } from './database.ts';
import type { Cell, Summed, SummedColumn } from './locator.ts';
import type { SummedTable } from './tables.ts';

export type CountedTable = Exclude<SummedTable, 'meta'>;

export const KEY_OF = {
  feeds: 'feed_id',
  entries: 'chain_seq',
  audit: 'seq',
  checkpoints: 'checkpoint_id',
  pages: 'page_id',
  peer_checkpoints: 'checkpoint_id',
  peer_feed_heads: 'head_id',
  peer_declarations: 'declaration_id',
  evidence: 'evidence_id',
  anchor_checkpoints: 'anchor_id',
  anchor_receipts: 'receipt_id',
  cosigned: 'cosigned_id',
  cosignatures: 'cosignature_id',
  seen_checkpoints: 'seen_id',
  page_notes: 'note_id',
  page_receipts: 'receipt_id',
  key_statements: 'statement_id',
  grant_texts: 'grant_id',
  disclosures: 'disclosure_id',
  page_places: 'place_id',
  erasure_steps: 'step_id',
  erasure_acks: 'ack_id',
  body_copies: 'copy_id',
  relayed_acks: 'ack_id',
  page_refusals: 'refusal_id',
  page_retries: 'retry_id',
} as const;

/** A row without its key, which the table gives, and without its sums. */
export type NewRow<T extends CountedTable> = Readonly<Record<Exclude<SummedColumn<T>, (typeof KEY_OF)[T]>, Cell>>;

/** Appends rows under the next key, with their locator sums. The caller holds the transaction. @returns the key */
export function prepareAppend<T extends CountedTable>(db: Db, table: T): (row: NewRow<T>) => number {
  const insert = prepareSummedInsert(db, table);
  const lastKey = prepareLastKey(db, table, KEY_OF[table]);
  return (row) => {
    const key = lastKey() + 1;
    insert({ ...row, [KEY_OF[table]]: key } as Summed<T>);
    return key;
  };
}
