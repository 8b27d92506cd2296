import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatCheckpoint, openCheckpoint } from '../../src/merkle/checkpoint.ts';
import { commitment, entryLeafHash, leafData } from '../../src/merkle/commitment.ts';
import { checkConsistency } from '../../src/merkle/consistency.ts';
import { checkCosignature } from '../../src/merkle/cosignature.ts';
import { formatFeedHead, openFeedHead } from '../../src/merkle/feed-head.ts';
import { packHashes, unpackHashes } from '../../src/merkle/hash.ts';
import { checkInclusion } from '../../src/merkle/inclusion.ts';
import { formatNote, parseNote, verifyNote } from '../../src/merkle/note.ts';
import { foldPage, inclusionFromPage } from '../../src/merkle/page-proof.ts';
import { proveConsistency, proveInclusion, provePage, rootAt, type TileSource } from '../../src/merkle/tiles.ts';
import { TreeBuilder } from '../../src/merkle/tree-builder.ts';
import { formatVerifierKey, noteVerifier, parseVerifierKey } from '../../src/merkle/verifier-key.ts';

interface JournalVectors {
  readonly origin: string;
  readonly public_key: string;
  readonly verifier_key: string;
  readonly entries: readonly {
    readonly feed: string;
    readonly bytes: string;
    readonly salt: string;
    readonly leaf_data: string;
    readonly leaf_hash: string;
  }[];
  readonly roots: readonly { readonly size: number; readonly root: string }[];
  readonly inclusion: readonly { readonly size: number; readonly index: number; readonly proof: readonly string[] }[];
  readonly consistency: readonly { readonly from: number; readonly to: number; readonly proof: readonly string[] }[];
  readonly page_proofs: readonly {
    readonly size: number;
    readonly indexes: readonly number[];
    readonly proof: readonly string[];
  }[];
  readonly checkpoint: { readonly size: number; readonly note: string };
  readonly cosigned: {
    readonly witness: string;
    readonly witness_public_key: string;
    readonly time: number;
    readonly note: string;
  };
  readonly feed_head: { readonly feed: string; readonly length: number; readonly size: number; readonly note: string };
  readonly empty_feed_head: { readonly feed: string; readonly note: string };
}

const vectors = JSON.parse(readFileSync(new URL('journal.json', import.meta.url), 'utf8')) as JournalVectors;
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const leaves = vectors.entries.map((entry) => bytes(entry.leaf_hash));
const log = { origin: vectors.origin, key: bytes(vectors.public_key) };

/** Tiles as a journal of all the entries keeps them. */
function storedTiles(): TileSource {
  const builder = new TreeBuilder();
  const stored = [...builder.append(packHashes(leaves)), ...builder.partialTiles()];
  return {
    tile: (level, index, width) => {
      const tile = stored.find((one) => one.level === level && one.index === index);
      assert.ok(tile);
      return tile.bytes.subarray(0, width * 32);
    },
  };
}

const tiles = storedTiles();
const rootOf = (size: number): Buffer => rootAt(size, tiles);

test('entries and salts give the leaf data and leaf hashes', () => {
  assert.equal(vectors.entries.length, 300);
  for (const { bytes: entry, salt, leaf_data, leaf_hash } of vectors.entries) {
    assert.equal(leafData(commitment(bytes(salt), entry)).toString('base64'), leaf_data);
    assert.equal(entryLeafHash(bytes(salt), Buffer.from(entry)).toString('base64'), leaf_hash);
  }
});

test('roots', () => {
  for (const { size, root } of vectors.roots) {
    const builder = new TreeBuilder();
    builder.append(packHashes(leaves.slice(0, size)));
    assert.equal(builder.root().toString('base64'), root);
    assert.equal(rootOf(size).toString('base64'), root);
  }
});

test('inclusion proofs are the same, and are accepted', () => {
  for (const { size, index, proof } of vectors.inclusion) {
    assert.deepEqual(proveInclusion(index, size, tiles), proof.map(bytes));
    assert.equal(checkInclusion(leaves[index] as Buffer, index, proof.map(bytes), rootOf(size), size), 'ok');
  }
});

test('consistency proofs are the same, and are accepted', () => {
  for (const { from, to, proof } of vectors.consistency) {
    assert.deepEqual(proveConsistency(from, to, tiles), proof.map(bytes));
    assert.equal(checkConsistency(from, rootOf(from), to, rootOf(to), proof.map(bytes)), 'ok');
  }
});

test('page proofs are the same, fold into the root and yield the single paths', () => {
  for (const { size, indexes, proof } of vectors.page_proofs) {
    const packed = packHashes(proof.map(bytes));
    const listed = packHashes(indexes.map((index) => leaves[index] as Buffer));
    assert.deepEqual(unpackHashes(provePage(indexes, size, tiles)), proof.map(bytes));
    assert.deepEqual(foldPage(size, indexes, listed, packed), { ok: true, value: rootOf(size) });
    indexes.forEach((index, position) => {
      assert.deepEqual(inclusionFromPage(size, indexes, listed, packed, position), proveInclusion(index, size, tiles));
    });
  }
});

test('the verifier key', () => {
  const key = { name: vectors.origin, algorithm: 1, publicKey: log.key };
  assert.equal(formatVerifierKey(key), vectors.verifier_key);
  assert.deepEqual(parseVerifierKey(vectors.verifier_key), { ok: true, value: key });
});

test('the checkpoint', () => {
  const { size, note } = vectors.checkpoint;
  const opened = openCheckpoint(note, log);
  assert.ok(opened.ok);
  assert.equal(opened.value.size, size);
  assert.deepEqual(opened.value.root, rootOf(size));
  assert.equal(formatCheckpoint(log.origin, size, rootOf(size)), opened.value.note.text);
  assert.equal(formatNote(opened.value.note), note);

  const parsed = parseVerifierKey(vectors.verifier_key);
  const verifier = parsed.ok ? noteVerifier(parsed.value) : parsed;
  assert.ok(verifier.ok);
  assert.equal(verifyNote(opened.value.note, [verifier.value]).ok, true);
});

test('the cosigned checkpoint', () => {
  const { witness, witness_public_key, time, note } = vectors.cosigned;
  assert.equal(openCheckpoint(note, log).ok, true);
  const parsed = parseNote(note);
  assert.ok(parsed.ok);
  const checked = checkCosignature(parsed.value, { name: witness, key: bytes(witness_public_key) });
  assert.deepEqual(checked, { ok: true, value: { timeSeconds: time } });
});

test('feed heads', () => {
  const { feed, length, size, note } = vectors.feed_head;
  const inFeed = vectors.entries.flatMap((entry, index) => (entry.feed === feed ? [leaves[index] as Buffer] : []));
  const head = { origin: log.origin, feed, length, size, lastLeaf: inFeed[length - 1] as Buffer };
  assert.equal(inFeed.length, length);
  assert.deepEqual(openFeedHead(note, log), { ok: true, value: head });
  assert.ok(note.startsWith(`${formatFeedHead(head)}\n`));

  const empty = { origin: log.origin, feed: vectors.empty_feed_head.feed, length: 0, size, lastLeaf: null };
  assert.deepEqual(openFeedHead(vectors.empty_feed_head.note, log), { ok: true, value: empty });
  assert.ok(vectors.empty_feed_head.note.startsWith(`${formatFeedHead(empty)}\n`));
});
