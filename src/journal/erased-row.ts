/** The form of a row whose body was erased: it says where an entry stood and what the tree has in its place. */
import { type RawBuilder, sql } from 'kysely';
import { encodeEntry } from '../core/entry.ts';
import { commitment, leafData } from '../merkle/commitment.ts';
import { HASH_BYTES, leafHash, sameHash } from '../merkle/hash.ts';
import { entryOf } from './entry-row.ts';
import { locatorSums } from './locator.ts';
import type { EntryRow } from './tables-logs.ts';

/** Condition on rows of `entries`: those whose body was not erased. */
export const hasBody: RawBuilder<boolean> = sql<boolean>`length(entries.event_hash) > 0`;

const NOTHING = new Uint8Array(0);

/** An appended row has hashes of 32 bytes; one whose body was erased has no event hash. */
export function isErased(row: Pick<EntryRow, 'event_hash'>): boolean {
  return row.event_hash.length === 0;
}

/** What is left of a row. @param salted the commitment of its leaf takes the place of its salt */
export function erasedRow(
  row: EntryRow,
  salted: Uint8Array = commitment(row.salt, encodeEntry(entryOf(row))),
): EntryRow {
  const left: EntryRow = {
    ...row,
    fact_id: `erased:${row.chain_seq}`,
    entity: '',
    relation: '',
    value_type: '',
    value_v: '',
    source: '',
    scope: '',
    confidence: 0,
    timestamp: '',
    valid_until: null,
    interpret_as: '',
    garden_id: null,
    derived_from: null,
    attestation_key_id: null,
    attestation_signature: null,
    cid: NOTHING,
    event_hash: NOTHING,
    salt: salted,
  };
  return { ...left, ...locatorSums('entries', left) };
}

/** The leaf data of an erased row, 33 bytes; undefined if it does not give the row's leaf hash. */
export function erasedLeafData(row: Pick<EntryRow, 'salt' | 'leaf_hash'>): Buffer | undefined {
  if (row.salt.length !== HASH_BYTES) return undefined;
  const data = leafData(row.salt);
  return sameHash(leafHash(data), row.leaf_hash) ? data : undefined;
}

/** Whether a row that was erased holds nothing but what an erasure leaves. */
export function isWhollyErased(row: EntryRow): boolean {
  const left = erasedRow(row, row.salt);
  return (Object.keys(left) as (keyof EntryRow)[]).every(
    (column) => column === 'sum1' || column === 'sum2' || sameCell(left[column], row[column]),
  );
}

function sameCell(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}
