import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeEntry, type Entry, encodeEntry } from '../../../src/core/entry.ts';
import { parseIsoInstant } from '../../../src/core/time.ts';
import { ENTRY_COLUMNS, entryCells, entryOf, type Placed } from '../../../src/journal/entry-row.ts';
import { checkRow } from '../../../src/journal/row-check.ts';
import type { EntryRow } from '../../../src/journal/tables-logs.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';

interface Vector {
  /** Null for what never leaves the node; it is numbered all the same. */
  readonly feed: string | null;
  readonly bytes: string;
  readonly salt: string;
  readonly leaf_hash: string;
}

const { entries } = JSON.parse(readFileSync(new URL('../../vectors/journal.json', import.meta.url), 'utf8')) as {
  entries: readonly Vector[];
};

function rowOf(entry: Entry, placed: Placed): EntryRow {
  const cells = entryCells(entry, placed);
  return Object.fromEntries(ENTRY_COLUMNS.map((column, i) => [column, cells[i]])) as unknown as EntryRow;
}

function decoded({ bytes }: Vector): Entry {
  const entry = decodeEntry(Buffer.from(bytes));
  assert.ok(entry.ok);
  return entry.value;
}

function rowFor(vector: Vector): EntryRow {
  const entry = decoded(vector);
  const at = parseIsoInstant(entry.created_at);
  return rowOf(entry, {
    feedId: 1,
    createdUs: at.ok ? Number(at.value) : -1,
    salt: Buffer.from(vector.salt, 'base64'),
    leafHash: Buffer.from(vector.leaf_hash, 'base64'),
  });
}

function feedOfVector(vector: Vector): string {
  const { origin } = decoded(vector);
  return vector.feed ?? (origin === null ? 'local' : `from/${origin.node_id.slice('stigmem://'.length)}/local`);
}

test('every entry of the vectors goes into a row and comes back byte for byte', () => {
  assert.ok(entries.length > 100);
  for (const vector of entries) {
    const row = rowFor(vector);
    assert.equal(encodeEntry(entryOf(row)), vector.bytes);
    const leaf = entryLeafHash(row.salt, encodeEntry(entryOf(row)));
    assert.equal(Buffer.from(leaf).toString('base64'), vector.leaf_hash);
    assert.equal(checkRow(row, { treeLeaf: leaf, feed: feedOfVector(vector) }).ok, true);
  }
});

/** Values of the right type that no append writes. */
const ODD = [
  { created_us: -1 },
  { created_us: Number.MAX_SAFE_INTEGER },
  { created_us: 1.5 },
  { hlc: -5 },
  { confidence: Number.POSITIVE_INFINITY },
  { confidence: -0.5 },
  { salt: new Uint8Array(0) },
  { leaf_hash: new Uint8Array(3) },
  { cid: new Uint8Array(0) },
  { previous_hash: new Uint8Array(0) },
  { derived_from: '[]' },
  { derived_from: '{}' },
  { derived_from: 'no JSON' },
  { derived_from: '[ "sha256:00" ]' },
  { attestation_signature: '' },
  { attestation_key_id: '' },
  { origin_chain_seq: 0 },
  { origin_node_id: '' },
  { origin_leaf_hash: new Uint8Array(0) },
  { garden_id: '' },
  { scope: 'nobody' },
  { feed_seq: 1.5 },
] as const satisfies readonly Partial<EntryRow>[];

test('two rows never give one entry: whatever a column holds that was not written is found, and nothing throws', () => {
  const vector = entries.find((one) => {
    const { attestation, derived_from, garden_id, origin } = decoded(one);
    return attestation === null && derived_from.length === 0 && garden_id === null && origin === null;
  });
  assert.ok(vector !== undefined);
  const row = rowFor(vector);
  assert.equal(checkRow(row, { treeLeaf: undefined, feed: feedOfVector(vector) }).ok, true);
  for (const change of ODD) {
    const checked = checkRow({ ...row, ...change }, { treeLeaf: undefined, feed: feedOfVector(vector) });
    assert.equal(checked.ok, false, JSON.stringify(change));
    assert.ok(!checked.ok && checked.kind === 'corrupt');
    assert.deepEqual([checked.corrupt.difference.field], Object.keys(change));
  }
});

test('null and an empty text in a two-column member are not the same entry', () => {
  const vector = entries[0];
  assert.ok(vector !== undefined);
  const entry: Entry = { ...decoded(vector), attestation: { key_id: 'k', signature: '' } };
  const row = rowOf(entry, { feedId: 1, createdUs: 1, salt: Buffer.alloc(32), leafHash: Buffer.alloc(32) });
  assert.notEqual(encodeEntry(entryOf(row)), encodeEntry(entryOf({ ...row, attestation_signature: null })));
});

test('another feed than the entry says is refused: it would be served under another grant', () => {
  const vector = entries[0];
  assert.ok(vector !== undefined);
  const checked = checkRow({ ...rowFor(vector), feed_id: 2 }, { treeLeaf: undefined, feed: 'public/other' });
  assert.ok(!checked.ok && checked.kind === 'corrupt');
  assert.equal(checked.corrupt.difference.field, 'feed_id');
});
