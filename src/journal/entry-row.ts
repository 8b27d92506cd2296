/** The one mapping between a stored row and the entry that was hashed. The entry is never stored beside its columns. */
import type { Entry } from '../core/entry.ts';
import { pythonFloatText } from '../core/python-text.ts';
import { isoMicros } from '../core/time.ts';
import { type Cell, cellSums, SUMMED_COLUMNS } from './locator.ts';
import type { EntryRow } from './tables-logs.ts';

export function hashText(digest: Uint8Array): `sha256:${string}` {
  return `sha256:${Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex')}`;
}

export function hashBytes(text: string): Buffer {
  return Buffer.from(text.slice(7), 'hex');
}

export function hlcText(hlc: number): string {
  const counter = hlc % 1000;
  return `${String((hlc - counter) / 1000).padStart(13, '0')}.${String(counter).padStart(3, '0')}`;
}

/** `text` in the strict 13.3 form. */
export function hlcNumber(text: string): number {
  return Number(text.slice(0, 13)) * 1000 + Number(text.slice(14));
}

/** The entry that the columns of `row` say was hashed. */
export function entryOf(row: EntryRow): Entry {
  return {
    attestation: attestationOf(row),
    chain_hash: hashText(row.chain_hash),
    chain_seq: row.chain_seq,
    cid: hashText(row.cid),
    confidence: pythonFloatText(row.confidence),
    created_at: createdAt(row.created_us),
    derived_from: row.derived_from === null ? [] : parseDerived(row.derived_from),
    entity: row.entity,
    event_hash: hashText(row.event_hash),
    fact_id: row.fact_id,
    feed_seq: row.feed_seq,
    garden_id: row.garden_id,
    hlc: hlcText(row.hlc),
    interpret_as: row.interpret_as,
    origin: originOf(row),
    previous_hash: row.previous_hash === null ? null : hashText(row.previous_hash),
    received_from: row.received_from,
    relation: row.relation,
    scope: row.scope,
    source: row.source,
    tenant_id: 'default',
    timestamp: row.timestamp,
    v: 1,
    valid_until: row.valid_until,
    value_type: row.value_type,
    value_v: row.value_v,
  };
}

/**
 * A tampered row may hold anything. Two rows never give one entry: what no append writes becomes something that no entry
 * says, so that the leaf differs.
 */
const NEVER = '\u0000';

function attestationOf({ attestation_key_id, attestation_signature }: EntryRow): Entry['attestation'] {
  if (attestation_key_id === null && attestation_signature === null) return null;
  return { key_id: attestation_key_id ?? NEVER, signature: attestation_signature ?? NEVER };
}

function originOf({ origin_node_id, origin_chain_seq, origin_leaf_hash }: EntryRow): Entry['origin'] {
  if (origin_node_id === null && origin_chain_seq === null && origin_leaf_hash === null) return null;
  return {
    chain_seq: origin_chain_seq ?? -1,
    leaf_hash: origin_leaf_hash === null ? NEVER : Buffer.from(origin_leaf_hash).toString('base64'),
    node_id: origin_node_id ?? NEVER,
  };
}

function createdAt(us: number): string {
  try {
    return isoMicros(us);
  } catch {
    return NEVER;
  }
}

/** Fact ids and CIDs as a row keeps them. */
export function parseDerived(text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    const isWritten = isTexts(list) && list.length > 0 && JSON.stringify(list) === text;
    return isWritten ? list : [NEVER, text];
  } catch {
    return [NEVER, text];
  }
}

function isTexts(list: unknown): list is readonly string[] {
  return Array.isArray(list) && list.every((item) => typeof item === 'string');
}

export interface Placed {
  readonly feedId: number;
  readonly createdUs: number;
  readonly salt: Uint8Array;
  readonly leafHash: Uint8Array;
}

const SUMMED = SUMMED_COLUMNS.entries.length;
/** Columns of the insert statement, in the order of {@link entryCells}. */
export const ENTRY_COLUMNS: readonly (keyof EntryRow)[] = [...SUMMED_COLUMNS.entries, 'sum1', 'sum2'];

/** The row of `entry`, cell by cell. Written out, not looped: this runs for each fact. */
export function entryCells(entry: Entry, placed: Placed): Cell[] {
  const { attestation, origin } = entry;
  const cells: Cell[] = [
    entry.chain_seq,
    entry.fact_id,
    entry.entity,
    entry.relation,
    entry.value_type,
    entry.value_v,
    entry.source,
    entry.scope,
    Number(entry.confidence),
    entry.timestamp,
    hlcNumber(entry.hlc),
    entry.valid_until,
    entry.interpret_as,
    entry.garden_id,
    entry.derived_from.length === 0 ? null : JSON.stringify(entry.derived_from),
    attestation === null ? null : attestation.key_id,
    attestation === null ? null : attestation.signature,
    origin === null ? null : origin.node_id,
    origin === null ? null : origin.chain_seq,
    origin === null ? null : Buffer.from(origin.leaf_hash, 'base64'),
    entry.received_from,
    placed.feedId,
    entry.feed_seq,
    hashBytes(entry.cid),
    hashBytes(entry.event_hash),
    entry.previous_hash === null ? null : hashBytes(entry.previous_hash),
    hashBytes(entry.chain_hash),
    placed.createdUs,
    placed.salt,
    placed.leafHash,
  ];
  const { sum1, sum2 } = cellSums(cells, SUMMED);
  cells.push(sum1, sum2);
  return cells;
}
