/** Restore notes: one encoding, one key, one page; whatever else is opened gives nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PAGE_ENTRIES } from '../../../src/core/limits.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import {
  decodeRestoreNote,
  encodeRestoreNote,
  MAX_SEALED_BYTES,
  NONCE_BYTES,
  type NotedRange,
  openRestoreNote,
  type RestoreNote,
  restoreNoteKey,
  sealedBytes,
  sealRestoreNote,
} from '../../../src/wire/restore-note.ts';

const KEY = restoreNoteKey(Buffer.alloc(32, 1));
const NONCE = Buffer.alloc(NONCE_BYTES, 2);
const RANGE: NotedRange = {
  receiver: 'stigmem://globex.example',
  sender: 'stigmem://acme.example',
  feed: 'public',
  after: 10,
  to: 14,
};

function noteOf(places: readonly number[], change: Partial<RestoreNote> = {}): RestoreNote {
  return {
    firstSeq: 7,
    firstFeedSeq: 3,
    createdUs: 1_767_225_600_000_001,
    previousHash: sha256('before'),
    digest: sha256('leaves'),
    entries: places.map((place) => ({ place, salt: sha256(`salt ${place}`) })),
    ...change,
  };
}

test('a note opens to what was sealed; the first of a log has nothing before it', () => {
  for (const note of [noteOf([0, 1, 3]), noteOf([2], { firstSeq: 1, previousHash: null })]) {
    const sealed = sealRestoreNote(note, RANGE, KEY, NONCE);
    assert.equal(sealed.length, sealedBytes(note.entries.length));
    assert.deepEqual(openRestoreNote(sealed, RANGE, KEY), note);
  }
});

test('one about the largest page has the largest size', () => {
  const note = noteOf(Array.from({ length: MAX_PAGE_ENTRIES }, (_, i) => i));
  const range = { ...RANGE, to: RANGE.after + MAX_PAGE_ENTRIES };
  const sealed = sealRestoreNote(note, range, KEY, NONCE);
  assert.equal(sealed.length, MAX_SEALED_BYTES);
  assert.deepEqual(openRestoreNote(sealed, range, KEY)?.entries.length, MAX_PAGE_ENTRIES);
});

test('it opens under no other key, for no other page, and with no bit changed', () => {
  const sealed = sealRestoreNote(noteOf([0, 3]), RANGE, KEY, NONCE);
  assert.equal(openRestoreNote(sealed, RANGE, restoreNoteKey(Buffer.alloc(32, 3))), null);
  const others: readonly Partial<NotedRange>[] = [
    { receiver: 'stigmem://initech.example' },
    { sender: 'stigmem://initech.example' },
    { feed: 'company' },
    { after: 9 },
    { to: 15 },
  ];
  for (const other of others) assert.equal(openRestoreNote(sealed, { ...RANGE, ...other }, KEY), null);
  for (let at = 0; at < sealed.length; at++) {
    const garbled = Buffer.from(sealed);
    garbled[at] = (garbled[at] ?? 0) ^ 1;
    assert.equal(openRestoreNote(garbled, RANGE, KEY), null, `byte ${at}`);
    assert.equal(openRestoreNote(sealed.subarray(0, at), RANGE, KEY), null, `${at} bytes`);
  }
});

test('a place beyond the page is none, though we had sealed it', () => {
  assert.equal(openRestoreNote(sealRestoreNote(noteOf([4]), RANGE, KEY, NONCE), RANGE, KEY), null);
});

test('only a note that can be is written or read', () => {
  const bad: readonly Partial<RestoreNote>[] = [
    { firstSeq: 0 },
    { firstFeedSeq: 0 },
    { createdUs: 0 },
    { previousHash: null },
    { firstSeq: 1 },
    { entries: [] },
    { entries: noteOf([1, 0]).entries },
    { entries: noteOf([1, 1]).entries },
    { entries: noteOf([MAX_PAGE_ENTRIES]).entries },
  ];
  for (const change of bad) assert.throws(() => encodeRestoreNote(noteOf([0, 1], change)), RangeError);
  const bytes = encodeRestoreNote(noteOf([0, 1]));
  const cut = [bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(34)]), Buffer.alloc(0)];
  for (const wrong of cut) assert.equal(decodeRestoreNote(wrong), null);
  const version = Buffer.from(bytes);
  version[0] = 2;
  assert.equal(decodeRestoreNote(version), null);
});
