/** What the first entry of a page has to link to is the same after a restart as before it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryLie } from '../../../src/drill/entry-draft.ts';
import type { StoredEntry } from '../../../src/drill/peer-log.ts';
import type { PageLie } from '../../../src/drill/served-log.ts';
import { PageIngest } from '../../../src/pull/ingest.ts';
import type { SignedPageFrames } from '../../../src/wire/page.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { NOW_MS, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';

const ZEROS = `sha256:${'0'.repeat(64)}`;

function ingest(pages: PageIngest, peer: HonestPeer, frames: SignedPageFrames, firstPage: boolean): unknown[] {
  const rules = { maxFutureSkewMs: 300_000, maxPastSkewMs: 2_592_000_000, maxValueBytes: 65_536 };
  const asked = { feed: 'public', relay: null, accept: ['public'], policy: { witnesses: null, anchors: null } };
  const input = { peer: peer.pinned(), frames, firstPage, nowMs: NOW_MS, ...asked, ...rules };
  const first = pages.ingest(input);
  const outcome =
    first.kind === 'proofs_needed' ? pages.ingest({ ...input, inclusion: peer.inclusionMap(first.indexes) }) : first;
  assert.equal(outcome.kind, 'appended');
  return outcome.kind === 'appended' ? [outcome.accepted, outcome.refused.map(({ reason }) => reason)] : [];
}

/** The last entry of the first page has another chain hash, put in on the way. */
const garbled: PageLie = {
  content: (page) => ({
    ...page,
    entries: (page.entries as readonly StoredEntry[]).map((stored) => {
      if (stored.feedSeq !== 3) return stored;
      const text = Buffer.from(stored.bytes).toString().replace(stored.entry.chain_hash, ZEROS);
      return { ...stored, bytes: Buffer.from(text) };
    }),
  }),
};

/** The peer states a wrong chain hash, and goes on from the right one. */
function rightAfterWrong(): HonestPeer {
  const honest = new HonestPeer().appendMany(6);
  const lie = (i: number): EntryLie => (i === 2 ? { claim: { chain_hash: ZEROS } } : {});
  const peer = new HonestPeer();
  for (let i = 0; i < 6; i++) {
    const previous_hash = honest.entries[i - 1]?.entry.chain_hash ?? null;
    peer.append({}, { claim: { previous_hash, ...lie(i).claim } });
  }
  return peer;
}

const CASES = {
  'an entry garbled on the way': {
    peer: new HonestPeer().appendMany(6),
    lie: garbled,
    reason: 'inclusion_proof_invalid',
  },
  'an entry with a wrong chain hash': { peer: rightAfterWrong(), lie: {}, reason: 'chain_hash_mismatch' },
};

for (const [what, { peer, lie, reason }] of Object.entries(CASES))
  for (const restarted of [false, true])
    test(`after ${what}, ${restarted ? 'restarted' : 'running on'}: the next facts are taken`, (t) => {
      const journal = newJournal(temporaryFolder(t));
      t.after(() => journal.close());
      const pages = new PageIngest(journal);
      const first = peer.page({ feed: 'public', after: 0, count: 3 }, lie);
      assert.deepEqual(ingest(pages, peer, first, true), [2, [reason]]);
      const next = restarted ? new PageIngest(journal) : pages;
      const second = peer.page({ feed: 'public', after: 3, knownSize: null });
      assert.deepEqual(ingest(next, peer, second, false), [3, []]);
    });
