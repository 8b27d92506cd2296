/** Notes, receipts and the ledger of what was given, that a skilled hand has changed together with their sums: fsck judges them by what they say. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Db } from '../../../src/journal/database.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { locatorSums } from '../../../src/journal/locator.ts';
import { signReceipt } from '../../../src/wire/page-receipt.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { fillJournal, IDENTITY, LOG_KEY, newJournal } from '../../support/journal-fixture.ts';
import { copyJournal, tamper } from '../../support/tampering.ts';

let origin: string;
before(() => {
  origin = mkdtempSync(join(tmpdir(), 'peerd-notes-'));
  const journal = newJournal(origin);
  fillJournal(journal, 60, 20);
  journal.close();
});
after(() => rmSync(origin, { recursive: true, force: true }));

type Table = 'page_notes' | 'page_receipts' | 'disclosures' | 'grant_texts' | 'page_places';
const KEYS = {
  page_notes: 'note_id',
  page_receipts: 'receipt_id',
  disclosures: 'disclosure_id',
  grant_texts: 'grant_id',
  page_places: 'place_id',
} as const;

function told(change: (db: Db) => void): unknown[] {
  const base = mkdtempSync(join(tmpdir(), 'peerd-notes-copy-'));
  try {
    const folder = copyJournal(origin, base, 'copy');
    tamper(folder, change);
    return runFsck(folder, { logKey: LOG_KEY }).problems.map(({ table, row, code }) => [table, row, code]);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** Sets columns of a row, and its sums to what they have to be. */
function rewrite(db: Db, table: Table, key: number, change: Record<string, unknown>): void {
  const row = db.prepare(`SELECT * FROM ${table} WHERE ${KEYS[table]} = ?`).get(key) as Record<string, never>;
  const { sum1: _, sum2: __, ...told } = { ...row, ...change } as Record<string, never>;
  const all = { ...told, ...locatorSums(table, told as never) };
  const names = Object.keys(all);
  const sets = names.map((name) => `${name} = @${name}`).join(', ');
  db.prepare(`UPDATE ${table} SET ${sets} WHERE ${KEYS[table]} = @${KEYS[table]}`).run(all);
}

function noteOf(db: Db, table: Table, key: number): string {
  return (db.prepare(`SELECT note FROM ${table} WHERE ${KEYS[table]} = ?`).get(key) as { note: string }).note;
}

test('the journal as it was made has nothing to find', () =>
  assert.deepEqual(
    told(() => undefined),
    [],
  ));

test('a note of another page, with right sums', () => {
  const found = told((db) => rewrite(db, 'page_notes', 2, { note: noteOf(db, 'page_notes', 1) }));
  assert.deepEqual(found, [['page_notes', 2, 'page_note_mismatch']]);
});

test('a note whose signature was changed, with right sums', () => {
  const change = (note: string): string =>
    note.replace(/.(.{20}\n)$/, (end, rest) => `${end[0] === 'A' ? 'B' : 'A'}${rest}`);
  const found = told((db) => rewrite(db, 'page_notes', 1, { note: change(noteOf(db, 'page_notes', 1)) }));
  assert.deepEqual(found, [['page_notes', 1, 'page_note_signature_invalid']]);
});

test('notes that are gone: the last, and one in the middle whose place was closed', () => {
  const last = told((db) => db.exec('DELETE FROM page_notes WHERE note_id = (SELECT max(note_id) FROM page_notes)'));
  assert.match(JSON.stringify(last), /"page_note_missing"/);
  const middle = told((db) => {
    db.exec('DELETE FROM page_notes WHERE note_id = 3');
    const { last: end } = db.prepare('SELECT max(note_id) AS last FROM page_notes').get() as { last: number };
    for (let id = 4; id <= end; id++) {
      db.exec(`UPDATE page_notes SET note_id = ${id - 1} WHERE note_id = ${id}`);
      rewrite(db, 'page_notes', id - 1, {});
    }
  });
  assert.deepEqual(middle, [['page_notes', 3, 'page_note_missing']]);
});

test('a receipt of another key, for another journal, of another range, or out of order', () => {
  const { signer } = new HonestPeer();
  const stranger = new HonestPeer({ authority: 'globex.example' });
  const page = { feed: 'public', after: 10, to: 20, accepted: 10, refused: 0 };
  const sender = IDENTITY.journalOrigin;
  const signedBy = { ...signer, sign: stranger.signer.sign };
  const notes: readonly (readonly [note: string, code: string])[] = [
    [signReceipt({ ...page, sender }, 'x', signedBy), 'receipt_signature_invalid'],
    [signReceipt({ ...page, sender: 'hooli.example/journal/x' }, 'x', signer), 'receipt_mismatch'],
    [signReceipt({ ...page, sender, to: 21 }, 'x', signer), 'receipt_mismatch'],
    [signReceipt({ ...page, sender }, 'x', stranger.signer), 'receipt_origin_mismatch'],
    ['no receipt', 'receipt_origin_mismatch'],
  ];
  for (const [note, code] of notes)
    assert.deepEqual(
      told((db) => rewrite(db, 'page_receipts', 2, { note })),
      [['page_receipts', 2, code]],
      note,
    );
  const swapped = told((db) => {
    const of = (key: number) => db.prepare('SELECT * FROM page_receipts WHERE receipt_id = ?').get(key) as object;
    const [one, two] = [of(1), of(2)];
    rewrite(db, 'page_receipts', 1, { ...two, receipt_id: 1 });
    rewrite(db, 'page_receipts', 2, { ...one, receipt_id: 2 });
  });
  assert.deepEqual(swapped, [['page_receipts', 2, 'receipt_order']]);
});

test('places that are not where the entries of the page stand, with right sums', () => {
  const found = (key: number, change: Record<string, unknown>): unknown =>
    told((db) => rewrite(db, 'page_places', key, change))[0];
  assert.deepEqual(found(1, { first_seq: 1 }), ['page_places', 1, 'place_mismatch']);
  assert.deepEqual(found(2, { first_seq: 1 }), ['page_places', 2, 'place_order']);
  assert.deepEqual(found(2, { entries: 0 }), ['page_places', 2, 'place_order']);
  assert.deepEqual(found(2, { page_id: 999 }), ['page_places', 2, 'place_without_page']);
});

test('entries of a peer whose pages are gone, and that no restore gave back', () => {
  const found = told((db) => db.exec('DELETE FROM page_places; DELETE FROM page_notes; DELETE FROM pages'));
  assert.ok(found.some((problem) => String(problem).includes('received_without_page')));
});

test('the ledger, with right sums: a run beyond its feed, one under the grant of another, a grant with another text', () => {
  const beyond = told((db) => rewrite(db, 'disclosures', 3, { to_seq: 100_000, tree_size: 100_000 }));
  assert.deepEqual(beyond, [['disclosures', 3, 'disclosure_range']]);
  const otherFeed = told((db) =>
    rewrite(db, 'disclosures', 2, { feed: 'company/incident-42', after_seq: 0, to_seq: 1 }),
  );
  assert.deepEqual(otherFeed, [['disclosures', 2, 'disclosure_grant_mismatch']]);
  const otherPeer = told((db) => rewrite(db, 'disclosures', 2, { peer: 'stigmem://hooli.example' }));
  assert.deepEqual(otherPeer, [['disclosures', 2, 'disclosure_grant_mismatch']]);
  const noGrant = told((db) => rewrite(db, 'disclosures', 2, { grant_id: 9 }));
  assert.deepEqual(noGrant, [['disclosures', 2, 'disclosure_without_grant']]);
  const text = told((db) => rewrite(db, 'grant_texts', 1, { text: '{}' }));
  assert.deepEqual(text, [['grant_texts', 1, 'grant_hash_mismatch']]);
});

test('the end of the ledger is gone: the peer has acknowledged what it is said not to have been given', () => {
  const found = told((db) => db.exec('DELETE FROM disclosures WHERE disclosure_id = 3'));
  assert.deepEqual(found, [['disclosures', null, 'disclosure_missing']]);
});
