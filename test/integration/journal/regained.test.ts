/**
 * What was received comes back by notes and pages of its sender. Journals in folders, without a network: the copy is asked
 * as the restore guard asks it, by peers that tell the truth, and by some that do not.
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { PageIngest } from '../../../src/pull/ingest.ts';
import { type GuardMethods, guardMethods } from '../../../src/threads/guard-methods.ts';
import { notesMethods } from '../../../src/threads/notes-methods.ts';
import { notesReads } from '../../../src/threads/notes-reads.ts';
import type { SealedNote } from '../../../src/wire/keep.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  IDENTITY,
  LOG_KEY,
  LOG_SEED,
  NOW_MS,
  newJournal,
  openJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

const SEED = Buffer.alloc(32, 5);
const SIGNER = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);

/** One page of a peer through the ordinary path. */
function pull(journal: Journal, peer: HonestPeer, count: number, nowMs = NOW_MS): void {
  const outcome = new PageIngest(journal).ingest({
    peer: peer.pinned(),
    feed: 'public',
    frames: peer.page({
      feed: 'public',
      after: journal.peers.cursor(peer.nodeId, 'public'),
      count,
      knownSize: journal.peers.checkpoint(peer.nodeId)?.size ?? 0,
    }),
    firstPage: true,
    relay: null,
    accept: ['public'],
    nowMs,
    maxFutureSkewMs: 0,
    maxPastSkewMs: 0,
    maxValueBytes: 65_536,
    policy: { witnesses: null, anchors: null },
  });
  assert.equal(outcome.kind, 'appended', JSON.stringify(outcome));
}

interface Lost {
  /** Opened again as a daemon opens it, from the copy. */
  readonly methods: GuardMethods;
  readonly journal: Journal;
  readonly notes: readonly SealedNote[];
  /** Every row of the entries that were lost, and of those before them. */
  readonly entries: readonly unknown[];
}

const rowsOf = (journal: Journal): readonly unknown[] =>
  journal.db.prepare('SELECT * FROM entries ORDER BY chain_seq').all();
function fsckOf(journal: Journal): unknown {
  journal.head(0);
  const { problems, notices } = runFsck(dirname(journal.db.name), { logKey: LOG_KEY });
  return { problems, notices: notices.map(({ code }) => code).filter((code) => code.startsWith('restored')) };
}

const notesFor = (journal: Journal, peer: HonestPeer): readonly SealedNote[] =>
  notesReads(journal.db, journal.identity.nodeId, SEED).pendingNotes(peer.nodeId).notes;

/** Four entries, a copy, then what `after` does; the copy is asked for what is missing. */
function loseAfterCopy(t: TestContext, peer: HonestPeer, after: (journal: Journal) => void): Lost {
  const folder = temporaryFolder(t);
  const lost = newJournal(folder);
  pull(lost, peer, 4, NOW_MS - 2_000);
  lost.head(0);
  lost.close();
  const copy = join(temporaryFolder(t), 'copy');
  cpSync(folder, copy, { recursive: true });
  const whole = openJournal(folder);
  after(whole);
  const { checkpoint } = whole.head(0);
  const entries = rowsOf(whole);
  const notes = notesFor(whole, peer);
  whole.close();

  const journal = openJournal(copy, true);
  t.after(() => journal.close());
  const methods = guardMethods(journal, SIGNER, SEED);
  methods.compareOwnHead(checkpoint, 'stigmem://witness.example', NOW_MS);
  return { methods, journal, notes, entries };
}

/** Notes of another journal that was the same up to here, and took the next page at its own time with its own salts. */
function branchNotes(t: TestContext, whole: Journal, peer: HonestPeer, nowMs: number): readonly SealedNote[] {
  const folder = temporaryFolder(t);
  whole.db.exec(`VACUUM INTO '${join(folder, 'journal.db')}'`);
  cpSync(join(whole.db.name, '..', 'signed-heads.json'), join(folder, 'signed-heads.json'));
  const other = openJournal(folder);
  pull(other, peer, 4, nowMs);
  const notes = notesFor(other, peer);
  other.close();
  return notes;
}

function offer(methods: GuardMethods, peer: HonestPeer, { sealed, ...note }: SealedNote): string {
  return methods.offerNote(peer.nodeId, { ...note, sealed: decodeBase64(sealed) ?? Buffer.alloc(0) });
}

/** Twenty facts: the 7th and the 8th are another's, and refused; the 10th is an instruction. */
function acme(): HonestPeer {
  return new HonestPeer().appendMany(20, (i) => ({
    ...(i === 6 || i === 7 ? { source: 'stigmem://hooli.example/agent/x' } : {}),
    ...(i === 9 ? { interpret_as: 'instruction' } : {}),
  }));
}

test('entries come back byte by byte from pages of other borders; the pages come once more, and bring nothing twice', (t) => {
  const peer = acme();
  const { methods, journal, notes, entries } = loseAfterCopy(t, peer, (whole) => {
    pull(whole, peer, 6);
    pull(whole, peer, 5);
  });
  // Of the pages before the copy too: a copy may lack the mark that they were left.
  assert.deepEqual(
    notes.map((note) => [note.after, note.to, offer(methods, peer, note)]),
    [
      [0, 4, 'needless'],
      [4, 10, 'wanted'],
      [10, 15, 'wanted'],
    ],
  );
  assert.deepEqual(methods.feedCursors(peer.nodeId), [{ feed: 'public', after: 4 }]);
  const ends: unknown[] = [];
  for (let after = 4; after < 15; after += 3)
    ends.push(methods.offerSentPage(peer.nodeId, peer.page({ feed: 'public', after, count: 3 })));
  assert.deepEqual(ends, [
    { to: 7, held: 0 },
    { to: 10, held: 4 },
    { to: 13, held: 4 },
    { to: 16, held: 9 },
  ]);
  assert.equal(methods.restoreTail(NOW_MS).kind, 'restored');
  assert.deepEqual(rowsOf(journal), entries);
  methods.clearGuard();
  assert.deepEqual(fsckOf(journal), { problems: [], notices: ['restored_without_page'] });

  const quarantined = journal.db.prepare('SELECT chain_seq, reason FROM quarantine').all();
  assert.deepEqual(quarantined, [{ chain_seq: 8, reason: 'instruction_inbound' }]);
  pull(journal, peer, 9);
  pull(journal, peer, 9);
  const pages = journal.db.prepare('SELECT after_seq, to_seq, accepted, refused FROM pages ORDER BY page_id').all();
  assert.deepEqual(pages.slice(1), [
    { after_seq: 4, to_seq: 13, accepted: 7, refused: 2 },
    { after_seq: 13, to_seq: 20, accepted: 7, refused: 0 },
  ]);
  assert.equal(journal.size, 18);
  assert.deepEqual(fsckOf(journal), { problems: [], notices: [] });
  // Only what came anew is noted for these pages: notes about the rest lie with the peer already.
  assert.deepEqual(
    notesFor(journal, peer).map(({ to }) => to),
    [4, 20],
  );
});

test('a note that is another’s, for another page or of another peer opens for nobody', (t) => {
  const peer = acme();
  const { methods, notes } = loseAfterCopy(t, peer, (whole) => {
    pull(whole, peer, 6);
    pull(whole, peer, 6);
  });
  const [, first, second] = notes;
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(offer(methods, peer, { ...first, sealed: second.sealed }), 'foreign');
  assert.equal(offer(methods, peer, { ...first, feed: 'company' }), 'foreign');
  assert.equal(offer(methods, new HonestPeer({ authority: 'hooli.example' }), first), 'foreign');
  assert.equal(offer(methods, peer, { ...first, sealed: '' }), 'foreign');
  const outcome = methods.restoreTail(NOW_MS);
  assert.ok(outcome.kind === 'refused' && outcome.code === 'tail_incomplete');
});

test('entries that are not those taken then come to nothing; the true ones complete it', (t) => {
  const peer = acme();
  const liar = peer.fork(5).appendMany(15);
  const { methods, journal, notes, entries } = loseAfterCopy(t, peer, (whole) => pull(whole, peer, 4));
  const [, note] = notes;
  assert.ok(note !== undefined);
  for (const [from, held] of [
    [liar, 0],
    [peer, 2],
  ] as const) {
    assert.equal(offer(methods, peer, note), 'wanted');
    const page = from.page({ feed: 'public', after: 4, count: 4 });
    assert.deepEqual(methods.offerSentPage(peer.nodeId, page), { to: 8, held });
    const outcome = methods.restoreTail(NOW_MS);
    if (from === peer) break;
    assert.deepEqual(outcome, { kind: 'refused', code: 'tail_incomplete', missing: [[4, 5]], missingCount: 2 });
  }
  assert.deepEqual(rowsOf(journal), entries);
});

test('a note of a history that was given up forks nothing: alone it completes nothing, beside the true one it gives way', (t) => {
  const peer = acme();
  let stale: readonly SealedNote[] = [];
  const { methods, journal, notes, entries } = loseAfterCopy(t, peer, (whole) => {
    stale = branchNotes(t, whole, peer, NOW_MS);
    pull(whole, peer, 4);
  });
  const [, wrong] = stale;
  const [, right] = notes;
  assert.ok(wrong !== undefined && right !== undefined);
  const page = peer.page({ feed: 'public', after: 4, count: 4 });
  assert.equal(offer(methods, peer, wrong), 'wanted');
  assert.deepEqual(methods.offerSentPage(peer.nodeId, page), { to: 8, held: 2 });
  assert.deepEqual(methods.restoreTail(NOW_MS), {
    kind: 'refused',
    code: 'tail_incomplete',
    missing: [[4, 5]],
    missingCount: 2,
  });
  assert.equal(methods.guardView().forked, false);

  // Both are of one moment: which is right, only the root tells. A second round believes the other.
  const rounds: string[] = [];
  for (let round = 1; round <= 2 && rounds.at(-1) !== 'restored'; round++) {
    for (const note of [right, wrong]) {
      offer(methods, peer, note);
      methods.offerSentPage(peer.nodeId, page);
    }
    rounds.push(methods.restoreTail(NOW_MS).kind);
  }
  assert.equal(rounds.at(-1), 'restored', rounds.join());
  assert.deepEqual(rowsOf(journal), entries);
});

for (const order of ['before', 'behind'] as const) {
  test(`a stale note ${order} the true one gives way to it in the first round: it is older`, (t) => {
    const peer = acme();
    let stale: readonly SealedNote[] = [];
    const { methods, journal, notes, entries } = loseAfterCopy(t, peer, (whole) => {
      stale = branchNotes(t, whole, peer, NOW_MS - 1_000);
      pull(whole, peer, 4);
    });
    const pair = [stale[1], notes[1]];
    const page = peer.page({ feed: 'public', after: 4, count: 4 });
    for (const note of order === 'before' ? pair : pair.toReversed()) {
      assert.ok(note !== undefined);
      offer(methods, peer, note);
      methods.offerSentPage(peer.nodeId, page);
    }
    assert.equal(methods.restoreTail(NOW_MS).kind, 'restored');
    assert.deepEqual(rowsOf(journal), entries);
  });
}

test('the peer that lost its notes is left them again, from a page on', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  t.after(() => journal.close());
  const peer = acme();
  for (const count of [4, 4, 4]) pull(journal, peer, count);
  const methods = notesMethods(journal);
  const ends = (): readonly number[] => notesFor(journal, peer).map(({ to }) => to);
  assert.deepEqual(ends(), [4, 8, 12]);
  methods.notesTaken(peer.nodeId, 3);
  assert.deepEqual(ends(), []);
  methods.leaveNotesAgain(peer.nodeId, 1);
  assert.deepEqual(ends(), [8, 12]);
  methods.leaveNotesAgain(peer.nodeId, 2);
  assert.deepEqual(ends(), [8, 12], 'what is due stays due');
});
