/**
 * Locator sums: which column of a row was changed.
 *
 * Hashes and signatures prove that a row is not what it was; they cannot say where. Two sums over the columns' checksums
 * can, as in a Reed–Solomon code with two check symbols: if column i (from 1) changed by d, the first sum is off by d and
 * the second by i·d. They are a diagnosis, never a proof: whoever rewrites the file can rewrite them too, and is found by
 * the hashes.
 */
import { crc32 } from 'node:zlib';
import type { SummedTable, Tables } from './tables.ts';

/** A prime below 2^31: products with a column number stay exact in a double. */
const MODULUS = 2_147_483_647;

export type Cell = string | number | Uint8Array | null;

export interface LocatorSums {
  readonly sum1: number;
  readonly sum2: number;
}

/** All columns but the sums, and in `audit` those that are generated from the body. */
export type SummedColumn<T extends SummedTable> = T extends 'audit'
  ? 'seq' | 'body' | 'salt' | 'leaf_hash'
  : Exclude<keyof Tables[T] & string, keyof LocatorSums>;

/** Columns that the sums of each table cover, all but the sums. Their order is part of the stored format. */
export const SUMMED_COLUMNS: { readonly [T in SummedTable]: readonly SummedColumn<T>[] } = {
  meta: ['key', 'value'],
  feeds: ['feed_id', 'name'],
  entries: [
    'chain_seq',
    'fact_id',
    'entity',
    'relation',
    'value_type',
    'value_v',
    'source',
    'scope',
    'confidence',
    'timestamp',
    'hlc',
    'valid_until',
    'interpret_as',
    'garden_id',
    'derived_from',
    'attestation_key_id',
    'attestation_signature',
    'origin_node_id',
    'origin_chain_seq',
    'origin_leaf_hash',
    'received_from',
    'feed_id',
    'feed_seq',
    'cid',
    'event_hash',
    'previous_hash',
    'chain_hash',
    'created_us',
    'salt',
    'leaf_hash',
  ],
  audit: ['seq', 'body', 'salt', 'leaf_hash'],
  checkpoints: ['checkpoint_id', 'log', 'tree_size', 'root', 'note'],
  pages: [
    'page_id',
    'peer',
    'feed',
    'after_seq',
    'to_seq',
    'tree_size',
    'header',
    'entries',
    'proof',
    'received_us',
    'accepted',
    'refused',
    'digest',
  ],
  peer_checkpoints: ['checkpoint_id', 'peer', 'tree_size', 'root', 'note', 'received_us'],
  peer_feed_heads: ['head_id', 'peer', 'feed', 'length', 'tree_size', 'note'],
  peer_declarations: ['declaration_id', 'peer', 'note', 'received_us'],
  evidence: ['evidence_id', 'digest', 'body'],
  anchor_checkpoints: ['anchor_id', 'log', 'tree_size', 'root', 'chain_hash', 'note', 'created_us'],
  anchor_receipts: [
    'receipt_id',
    'anchor_id',
    'backend',
    'log_id',
    'log_index',
    'integrated_time',
    'leaf_hash',
    'entry',
    'trust_root',
    'submitted_us',
  ],
  cosigned: ['cosigned_id', 'origin', 'tree_size', 'root', 'note', 'cosigned_us'],
  cosignatures: ['cosignature_id', 'log', 'tree_size', 'witness', 'line', 'received_us'],
  seen_checkpoints: ['seen_id', 'origin', 'tree_size', 'root', 'note', 'seen_from', 'received_us'],
  page_notes: ['note_id', 'page_id', 'note'],
  page_receipts: ['receipt_id', 'peer', 'feed', 'after_seq', 'to_seq', 'note', 'received_us'],
  key_statements: ['statement_id', 'node_id', 'note', 'received_us'],
  grant_texts: ['grant_id', 'digest', 'text'],
  disclosures: ['disclosure_id', 'peer', 'feed', 'after_seq', 'to_seq', 'tree_size', 'grant_id', 'sent_us'],
  page_places: ['place_id', 'page_id', 'first_seq', 'entries'],
  erasure_steps: [
    'step_id',
    'fact',
    'node_id',
    'step',
    'feed',
    'feed_seq',
    'target_seq',
    'tombstone_seq',
    'page_id',
    'due_us',
    'at_us',
    'actor',
    'reason',
  ],
  erasure_acks: ['ack_id', 'peer', 'tombstone_seq', 'note', 'received_us'],
  body_copies: ['copy_id', 'page_id', 'place', 'target_seq', 'tombstone_seq'],
  relayed_acks: ['ack_id', 'peer', 'relay', 'tombstone_seq', 'note', 'declaration', 'received_us'],
  page_refusals: ['refusal_id', 'page_id', 'peer', 'feed', 'places'],
  page_retries: ['retry_id', 'page_id', 'peer', 'feed', 'first_seq', 'entries', 'places'],
};

/** What the sums of a table are made from. */
export type Summed<T extends SummedTable> = Readonly<Record<SummedColumn<T>, Cell>>;

/** Texts longer than this are summed by zlib: crossing over to it costs as much as summing so many characters here. */
const MAX_SHORT_CHARS = 200;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** 1 to MODULUS − 1 for a value, 0 for null: null and the empty text differ. */
function checksum(value: Cell): number {
  if (value === null) return 0;
  if (typeof value === 'number')
    return ((Number.isInteger(value) && value >= 0 ? value : fnv(String(value))) % (MODULUS - 1)) + 1;
  if (typeof value === 'string')
    return ((value.length > MAX_SHORT_CHARS ? crc32(value) : fnv(value)) % (MODULUS - 1)) + 1;
  return ((value.length === 32 ? fold32(value) : crc32(value)) % (MODULUS - 1)) + 1;
}

/** FNV-1a over UTF-16 code units. */
function fnv(text: string): number {
  let sum = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), FNV_PRIME);
  return sum >>> 0;
}

/** A hash or a salt: FNV-1a over its bytes. */
function fold32(bytes: Uint8Array): number {
  let sum = FNV_OFFSET;
  for (let i = 0; i < 32; i++) sum = Math.imul(sum ^ (bytes[i] ?? 0), FNV_PRIME);
  return sum >>> 0;
}

/** The two sums over cells that stand in the order of {@link SUMMED_COLUMNS}; further cells are not summed. */
export function cellSums(cells: readonly Cell[], count: number): LocatorSums {
  let sum1 = 0;
  let sum2 = 0;
  for (let i = 0; i < count; i++) {
    const one = checksum(cells[i] ?? null);
    sum1 += one;
    sum2 += one * (i + 1);
  }
  return { sum1: sum1 % MODULUS, sum2: sum2 % MODULUS };
}

/** The two sums of a row. About a microsecond for an entry of usual size. */
export function locatorSums<T extends SummedTable>(table: T, row: Summed<T>): LocatorSums {
  const columns: readonly SummedColumn<T>[] = SUMMED_COLUMNS[table];
  return cellSums(
    columns.map((column) => row[column]),
    columns.length,
  );
}

/**
 * The one column whose change explains both sums, or the sum that was itself changed. `undefined` if nothing changed,
 * `'several'` if no single column explains it.
 */
export function locate<T extends SummedTable>(
  table: T,
  row: Summed<T> & LocatorSums,
): SummedColumn<T> | keyof LocatorSums | 'several' | undefined {
  const now = locatorSums(table, row);
  const d1 = modulo(row.sum1 - now.sum1);
  const d2 = modulo(row.sum2 - now.sum2);
  if (d1 === 0) return d2 === 0 ? undefined : 'sum2';
  if (d2 === 0) return 'sum1';
  const columns: readonly SummedColumn<T>[] = SUMMED_COLUMNS[table];
  return columns.find((_, i) => (d1 * (i + 1)) % MODULUS === d2) ?? 'several';
}

/** A tampered sum may be any integer. */
function modulo(difference: number): number {
  return ((difference % MODULUS) + MODULUS) % MODULUS;
}
