/**
 * What each pull asks of a peer, and what a peer may ask for, costs the same however many pages of it are held. A peer makes
 * as many as it likes: one for each entry.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { HeldPages } from '../../../src/journal/held-pages.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { PagePlaces } from '../../../src/journal/page-places.ts';
import { ReceiptRecords } from '../../../src/journal/receipt-records.ts';
import { newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const PEER = 'stigmem://globex.example';
const OTHER = 'stigmem://hooli.example';
const MANY = 20_000;
const BEST_OF = 5;
/** A walk over all pages is hundreds of times as long. */
const LEAST_RATIO = 20;

function withPages(t: TestContext, count: number): Journal {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  journal.durably(() => addPages(journal, PEER, 0, count));
  return journal;
}

function addPages(journal: Journal, peer: string, from: number, to: number): void {
  const frames = {
    header: Buffer.alloc(1_000, 1),
    entries: Buffer.alloc(600, 2),
    proof: null,
    note: Buffer.from('note'),
  };
  for (let after = from; after < to; after++) {
    const page = { peer, feed: 'public', after, to: after + 1, treeSize: after + 1, frames };
    journal.peers.savePage({ ...page, stored: page.frames.entries, accepted: after % 2, refused: (after + 1) % 2 }, 1);
  }
}

function millisecondsOf(work: () => unknown): number {
  const times = Array.from({ length: BEST_OF }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
  return Math.min(...times);
}

test('none of them walks over all pages of the peer', (t) => {
  const journal = withPages(t, MANY);
  const { peers, db } = journal;
  const held = new HeldPages(db);
  const places = new PagePlaces(db);
  const receipts = new ReceiptRecords(db);
  receipts.markTaken(PEER, MANY - 1);
  places.markNoted(PEER, MANY - 1);
  peers.totals(PEER);
  const walk = db.prepare('SELECT sum(length(header) + accepted) FROM pages WHERE peer = ?').pluck();
  const whole = millisecondsOf(() => walk.get(PEER));
  const asked: Readonly<Record<string, () => unknown>> = {
    'how many facts were taken': () => peers.totals(PEER),
    'where it stands': () => peers.cursor(PEER, 'public'),
    'its last link': () => peers.neighbour(PEER),
    'receipts that are due': () => receipts.unacknowledged(PEER, 64),
    'restore notes that are due': () => places.unnoted(PEER, 64),
    'a page that it asks back': () => held.page(PEER, { from: 0, behind: 0, skip: 0 }),
    'the one behind it': () => held.page(PEER, { from: 0, behind: MANY / 2, skip: 0 }),
    'the last one within a size': () => held.lastWithin(PEER, MANY),
  };
  for (const [what, ask] of Object.entries(asked)) {
    const took = millisecondsOf(ask);
    assert.ok(took < whole / LEAST_RATIO, `${what}: ${took.toFixed(3)} ms, all pages ${whole.toFixed(3)} ms`);
  }
});

test('totals: pages that come are added once, those of others never, and what was taken back is not counted', (t) => {
  const journal = withPages(t, 10);
  const { peers } = journal;
  assert.deepEqual(peers.totals(PEER), { accepted: 5, refused: 5 });
  journal.durably(() => addPages(journal, OTHER, 0, 3));
  assert.deepEqual(peers.totals(PEER), { accepted: 5, refused: 5 });
  assert.deepEqual(peers.totals(OTHER), { accepted: 1, refused: 2 });
  assert.throws(() =>
    journal.durably(() => {
      addPages(journal, PEER, 10, 12);
      assert.deepEqual(peers.totals(PEER), { accepted: 6, refused: 6 });
      throw new Error('the disk is full');
    }),
  );
  assert.deepEqual(peers.totals(PEER), { accepted: 5, refused: 5 });
  journal.durably(() => addPages(journal, PEER, 10, 14));
  assert.deepEqual(peers.totals(PEER), { accepted: 7, refused: 7 });
});

test('pages that are asked back come in their order, each once, whichever way they are passed over', (t) => {
  const journal = withPages(t, 6);
  journal.durably(() => {
    addPages(journal, OTHER, 0, 2);
    addPages(journal, PEER, 6, 9);
  });
  const held = new HeldPages(journal.db);
  const skipped = Array.from({ length: 7 }, (_, skip) => held.page(PEER, { from: 2, behind: 0, skip })?.id);
  assert.deepEqual(skipped, [3, 4, 5, 6, 9, 10, 11]);
  const followed: number[] = [];
  for (let behind = 0; ; behind = followed.at(-1) ?? 0) {
    const page = held.page(PEER, { from: 2, behind, skip: 0 });
    if (page === undefined) break;
    followed.push(page.id);
  }
  assert.deepEqual(followed, skipped);
  assert.equal(held.page(PEER, { from: 2, behind: 0, skip: 7 }), undefined);
  assert.equal(held.lastWithin(PEER, 7), 9);
  assert.equal(held.lastWithin(PEER, 0), 0);
});
