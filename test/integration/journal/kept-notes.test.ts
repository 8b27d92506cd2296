/** What peers leave here: the newest note per page, in order, within bounds; what cannot be about a page is dropped. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MAX_PAGE_ENTRIES } from '../../../src/core/limits.ts';
import { DisclosureRecords } from '../../../src/journal/disclosure-records.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { KeptNotes } from '../../../src/journal/kept-notes.ts';
import { notesMethods } from '../../../src/threads/notes-methods.ts';
import { sealedBytes } from '../../../src/wire/restore-note.ts';
import { appendOwn, LOG_KEY, newJournal, openRaw, temporaryFolder } from '../../support/journal-fixture.ts';

const PEER = 'stigmem://acme.example';
const LENGTHS: ReadonlyMap<string, number> = new Map([
  ['company', 10],
  ['public', 40],
]);
const ALL = { notes: 64, bytes: 1_000_000 };

function kept(t: TestContext): KeptNotes {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  return new KeptNotes(journal.db);
}

const noteOf = (feed: string, after: number, to: number, fill = 1, bytes = sealedBytes(1)) => ({
  feed,
  after,
  to,
  sealed: Buffer.alloc(bytes, fill),
});
const placesOf = (notes: KeptNotes, cursors: readonly [string, number][] = [], skip = 0, limits = ALL) =>
  notes.list(PEER, new Map(cursors), skip, limits).map(({ feed, to, sealed }) => [feed, to, sealed[0]]);

test('notes come back feed by feed in order, behind the cursors, a page of them at a time', (t) => {
  const notes = kept(t);
  for (const [feed, after, to] of [
    ['public', 0, 4],
    ['public', 4, 9],
    ['company', 0, 3],
    ['public', 9, 11],
  ] as const)
    notes.keep(PEER, noteOf(feed, after, to), LENGTHS, 1);
  const all = [
    ['company', 3, 1],
    ['public', 4, 1],
    ['public', 9, 1],
    ['public', 11, 1],
  ];
  assert.deepEqual(placesOf(notes), all);
  assert.deepEqual(placesOf(notes, [['public', 4]]), [all[0], all[2], all[3]]);
  for (let skip = 0; skip <= 4; skip++) assert.deepEqual(placesOf(notes, [], skip), all.slice(skip), `skip ${skip}`);
  assert.deepEqual(placesOf(notes, [], 1, { ...ALL, notes: 2 }), all.slice(1, 3));
  assert.deepEqual(placesOf(notes, [], 0, { ...ALL, bytes: 2 * sealedBytes(1) }), all.slice(0, 2));
  assert.deepEqual(placesOf(notes, [], 0, { ...ALL, bytes: 1 }), all.slice(0, 1), 'one at least');
  assert.deepEqual(notes.list('stigmem://other.example', new Map(), 0, ALL), []);
});

test('a later note takes the place of the one before: what a peer took, lost and took again', (t) => {
  const notes = kept(t);
  notes.keep(PEER, noteOf('public', 0, 4, 1), LENGTHS, 1);
  notes.keep(PEER, noteOf('public', 2, 4, 2), LENGTHS, 2);
  assert.deepEqual(placesOf(notes), [['public', 4, 2]]);
});

test('what cannot be about a page that was given is not kept', (t) => {
  const notes = kept(t);
  const bad = [
    noteOf('public', 4, 4),
    noteOf('public', 5, 4),
    noteOf('public', 39, 41),
    noteOf('secret', 0, 1),
    noteOf('public', 3, 4, 1, sealedBytes(1) + 1),
  ];
  for (const note of bad) notes.keep(PEER, note, LENGTHS, 1);
  notes.keep(PEER, noteOf('public', 0, MAX_PAGE_ENTRIES + 1), new Map([['public', 10_000]]), 1);
  assert.deepEqual(placesOf(notes), []);
});

test('a peer can leave no more than a few hundred bytes for each fact that there is', (t) => {
  const notes = kept(t);
  const lengths = new Map([['public', 4]]);
  // Overlapping notes of the largest size that their range allows.
  for (let to = 1; to <= 4; to++) notes.keep(PEER, noteOf('public', 0, to, 1, sealedBytes(to)), lengths, 1);
  for (let round = 0; round < 50; round++)
    for (let to = 1; to <= 4; to++) notes.keep(PEER, noteOf('public', 0, to, 2, sealedBytes(to)), lengths, 1);
  const bytes = notes.list(PEER, new Map(), 0, ALL).reduce((sum, { sealed }) => sum + sealed.length, 0);
  assert.equal(
    bytes,
    [1, 2, 3, 4].reduce((sum, to) => sum + sealedBytes(to), 0),
    'replacing costs nothing',
  );
  assert.ok(bytes <= 4 * 2 * sealedBytes(1));
  const one = new Map([
    ['public', 1],
    ['company', 1],
  ]);
  const other = 'stigmem://other.example';
  for (const feed of one.keys()) notes.keep(other, noteOf(feed, 0, 1), one, 1);
  assert.equal(notes.list(other, new Map(), 0, ALL).length, 2);
});

test('of a feed that was never given nothing is kept, whether it exists or not', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  appendOwn(journal, 3);
  const methods = notesMethods(journal);
  const notes = new KeptNotes(journal.db);
  const left = ['public', 'secret'].map((feed) => noteOf(feed, 0, 2));
  methods.keepNotes(PEER, left, 1);
  assert.deepEqual(placesOf(notes), []);
  const given = { peer: PEER, feed: 'public', after: 0, to: 2, treeSize: 3, grant: 'public' };
  new DisclosureRecords(journal.db).save(given, [given], 1);
  methods.keepNotes(PEER, [...left, noteOf('public', 2, 3)], 1);
  assert.deepEqual(placesOf(notes), [['public', 2, 1]], 'as far as it was given');
});

test('notes that could not be kept for want of room count for nothing once there is some', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  appendOwn(journal, 3);
  const run = { peer: PEER, feed: 'public', after: 0, to: 3, treeSize: 3, grant: 'g' };
  journal.durably(() => new DisclosureRecords(journal.db).save(run, [run], 1));
  const methods = notesMethods(journal);
  // The commit fails, as it does on a full disk.
  journal.db.pragma('foreign_keys = ON');
  journal.db.exec(`CREATE TEMP TABLE there (id INTEGER PRIMARY KEY);
    CREATE TEMP TABLE gone (id INTEGER REFERENCES there (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TEMP TRIGGER full AFTER INSERT ON kept_notes BEGIN INSERT INTO gone VALUES (1); END`);
  for (let i = 0; i < 10; i++) assert.throws(() => methods.keepNotes(PEER, [noteOf('public', 0, 3)], 1), /FOREIGN KEY/);
  journal.db.exec('DROP TRIGGER full');
  methods.keepNotes(PEER, [noteOf('public', 0, 3)], 1);
  assert.deepEqual(placesOf(new KeptNotes(journal.db)), [['public', 3, 1]]);
});

test('fsck finds what no peer can have left', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 3);
  journal.head(0);
  const notes = new KeptNotes(journal.db);
  const lengths = new Map([['public', 3]]);
  notes.keep(PEER, noteOf('public', 0, 2), lengths, 1);
  notes.keep(PEER, noteOf('public', 2, 3), lengths, 1);
  journal.close();
  const codes = (): unknown[] =>
    runFsck(folder, { logKey: LOG_KEY }).problems.map(({ table, row, field, code }) => [table, row, field, code]);
  assert.deepEqual(codes(), []);
  const db = openRaw(folder);
  db.exec("UPDATE kept_notes SET to_seq = 4 WHERE kept_id = 2; UPDATE kept_notes SET sealed = x'00' WHERE kept_id = 1");
  db.close();
  assert.deepEqual(codes(), [
    ['kept_notes', 1, 'sealed', 'kept_note_size'],
    ['kept_notes', 2, 'to_seq', 'kept_note_range'],
  ]);
});
