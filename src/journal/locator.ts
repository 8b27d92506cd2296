/**
 * Locator sums: which column of a row was changed.
 *
 * The leaf hash proves that a row is not what it was; it cannot say where. Two sums over the columns' checksums can, as in
 * a Reed–Solomon code with two check symbols: if column i (from 1) changed by d, the first sum is off by d and the second
 * by i·d. They are a diagnosis, never a proof: whoever rewrites the file can rewrite them too, and is found by the leaf.
 */
import { crc32 } from 'node:zlib';
import type { EntryRow } from './tables.ts';

/** A prime below 2^31: products with a column number stay exact in a double. */
const MODULUS = 2_147_483_647;

type LocatedField = Exclude<keyof EntryRow, 'chain_seq' | 'leaf_hash' | 'sum1' | 'sum2'>;

/** Columns that the sums cover. Their order is part of the stored format. */
const LOCATED: readonly LocatedField[] = [
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
];

type Located = Pick<EntryRow, LocatedField>;

/** 1 to MODULUS − 1 for a value, 0 for null: null and the empty text differ. */
function checksum(value: string | number | Uint8Array | null): number {
  if (value === null) return 0;
  if (typeof value === 'number')
    return ((Number.isInteger(value) ? Math.abs(value) : Math.abs(value) * 1e9) % (MODULUS - 1)) + 1;
  // Hashes and salts are uniform already: their first bytes serve, and fsck compares the rest by recomputing them.
  return (crc32(value) % (MODULUS - 1)) + 1;
}

/** The two sums of a row. About a microsecond for a row of usual size. */
export function locatorSums(row: Located): { sum1: number; sum2: number } {
  let sum1 = 0;
  let sum2 = 0;
  for (let i = 0; i < LOCATED.length; i++) {
    const c = Math.floor(checksum(row[LOCATED[i] as LocatedField]));
    sum1 += c;
    sum2 += c * (i + 1);
  }
  return { sum1: sum1 % MODULUS, sum2: sum2 % MODULUS };
}

/** The one column whose change explains both sums; undefined if none or more than one changed, or the sums themselves. */
export function locate(row: Located & Pick<EntryRow, 'sum1' | 'sum2'>): keyof EntryRow | undefined {
  const now = locatorSums(row);
  const d1 = (row.sum1 - now.sum1 + MODULUS) % MODULUS;
  const d2 = (row.sum2 - now.sum2 + MODULUS) % MODULUS;
  if (d1 === 0) return undefined;
  const position = LOCATED.findIndex((_, i) => (d1 * (i + 1)) % MODULUS === d2);
  return position < 0 ? undefined : LOCATED[position];
}
