/** The journal's part in refusal notices, on real journals: what is told to whom, and which notices of a peer are kept. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { DisclosureRecords } from '../../../src/journal/disclosure-records.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { RefusalNotices } from '../../../src/journal/refusal-notices.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { noticesMethods } from '../../../src/threads/notices-methods.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { MAX_NAMED_ENTRIES, openNotice, type RefusalNotice, signNotice } from '../../../src/wire/refusal-notice.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  appendOwn,
  IDENTITY,
  LOG_KEY,
  LOG_SEED,
  NOW_MS,
  newJournal,
  pullPage,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

const signer: LogSigner = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
const methodsOf = (journal: Journal) => noticesMethods(journal, new AuditReader(journal.db), signer);
const audited = (journal: Journal, event: string) =>
  new AuditReader(journal.db).page({ event, order: 'asc', limit: 100 }).records;

function opened(note: string | undefined): RefusalNotice {
  const read = openNotice(note ?? '', { origin: IDENTITY.journalOrigin, key: LOG_KEY });
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

function journalOf(t: TestContext): Journal {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  return journal;
}

test('a peer is told of its own refusals, by reason, until it has taken them, and once more in each run', (t) => {
  const journal = journalOf(t);
  const [acme, hooli] = [new HonestPeer(), new HonestPeer({ authority: 'hooli.example', journal: '00000000000000dd' })];
  const stolen = { source: 'stigmem://initech.example/agent/stolen' };
  acme.appendMany(2).appendMany(256, () => stolen);
  hooli.appendMany(3, () => stolen);
  pullPage(journal, acme, 300);
  pullPage(journal, hooli, 100);

  const methods = methodsOf(journal);
  const told = methods.pendingNotices(acme.nodeId, NOW_MS);
  assert.equal(told.notices.length, 1);
  const { author, feed, reason, refused, resolved, entries } = opened(told.notices[0]);
  assert.deepEqual(
    { author, feed, reason, refused, resolved },
    { author: acme.nodeId, feed: 'public', reason: 'source_not_owned', refused: 256, resolved: 0 },
  );
  // Sixteen, and the first and the last of each of four summaries at least.
  assert.ok(entries.length >= 24 && entries.length <= MAX_NAMED_ENTRIES, `${entries.length}`);
  assert.deepEqual([entries[0]?.feed_seq, entries[0]?.chain_seq], [258, 258]);
  assert.deepEqual(methods.pendingNotices(acme.nodeId, NOW_MS).notices, told.notices, 'nothing is forgotten untold');
  assert.equal(opened(methods.pendingNotices(hooli.nodeId, NOW_MS).notices[0]).refused, 3);

  methods.noticesTaken(acme.nodeId, told.groups);
  assert.deepEqual(methods.pendingNotices(acme.nodeId, NOW_MS).notices, []);
  const restarted = methodsOf(journal);
  assert.deepEqual(restarted.pendingNotices(acme.nodeId, NOW_MS).notices, told.notices);
  restarted.noticesTaken(acme.nodeId, told.groups);
  acme.append(stolen);
  pullPage(journal, acme, 100);
  const more = opened(restarted.pendingNotices(acme.nodeId, NOW_MS).notices[0]);
  assert.deepEqual([more.refused, more.entries[0]?.feed_seq], [257, 259]);

  journal.guard.hold('a test');
  assert.deepEqual(restarted.pendingNotices(acme.nodeId, NOW_MS).notices, []);
});

test('a peer that has a page refused and the next one taken, again and again, costs one end of it in ten minutes', (t) => {
  const journal = journalOf(t);
  const peer = new HonestPeer();
  const methods = methodsOf(journal);
  const turn = (nowMs: number): void => {
    const refused = {
      event: 'federation_integrity_rejected',
      reason: 'page_malformed',
      peer: peer.nodeId,
      feed: 'public',
    };
    journal.audit(refused, nowMs);
    peer.append();
    pullPage(journal, peer, 10, { nowMs: nowMs + 1 });
    methods.pendingNotices(peer.nodeId, nowMs + 2);
  };
  for (let i = 0; i < 20; i++) turn(NOW_MS + 1_000 * i);
  assert.deepEqual(
    audited(journal, 'refusal_resolved').map(({ detail }) => detail['count']),
    [1],
  );
  turn(NOW_MS + 600_000);
  assert.deepEqual(
    audited(journal, 'refusal_resolved').map(({ detail }) => detail['count']),
    [1, 20],
  );
});

test('a refusal, and the end of one, that a wrong clock has dated ahead put off no end', (t) => {
  const journal = journalOf(t);
  const peer = new HonestPeer();
  const methods = methodsOf(journal);
  const refused = {
    event: 'federation_integrity_rejected',
    reason: 'page_malformed',
    peer: peer.nodeId,
    feed: 'public',
  };
  const take = (nowMs: number): number => {
    peer.append();
    pullPage(journal, peer, 10, { nowMs });
    methods.pendingNotices(peer.nodeId, nowMs + 1);
    return audited(journal, 'refusal_resolved').length;
  };
  const aheadMs = NOW_MS + 365 * 86_400_000;
  journal.audit(refused, aheadMs);
  assert.equal(take(NOW_MS), 0, 'nothing says that it was taken later');
  journal.audit({ event: 'anything' }, NOW_MS + 1_000);
  assert.equal(take(NOW_MS + 2_000), 1);

  journal.audit(refused, aheadMs + 1_000);
  assert.equal(take(aheadMs + 2_000), 2);
  journal.audit(refused, NOW_MS + 10_000);
  assert.equal(take(NOW_MS + 11_000), 3, 'an end that is dated ahead puts off no other');
});

test('what could not be written down for want of room is told as soon as there is some', (t) => {
  const journal = journalOf(t);
  const peer = new HonestPeer();
  peer.append({ source: 'stigmem://initech.example/agent/stolen' });
  pullPage(journal, peer, 10);
  const methods = methodsOf(journal);
  // The commit fails, as it does on a full disk: everything before it went well.
  journal.db.pragma('foreign_keys = ON');
  journal.db.exec(`CREATE TEMP TABLE there (id INTEGER PRIMARY KEY);
    CREATE TEMP TABLE gone (id INTEGER REFERENCES there (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TEMP TRIGGER full AFTER INSERT ON told_refusals BEGIN INSERT INTO gone VALUES (1); END`);
  assert.throws(() => methods.pendingNotices(peer.nodeId, NOW_MS), /FOREIGN KEY/);
  journal.db.exec('DROP TRIGGER full');
  assert.equal(methods.pendingNotices(peer.nodeId, NOW_MS).notices.length, 1);
});

test('what a peer is told of a rewritten fact says nothing of what is held', (t) => {
  const journal = journalOf(t);
  const [acme, hooli] = [new HonestPeer(), new HonestPeer({ authority: 'hooli.example', journal: '00000000000000dd' })];
  acme.append({ fact_id: 'an id that two peers use' });
  hooli.append({ fact_id: 'an id that two peers use' });
  pullPage(journal, acme, 10);
  // As the pull path does it: what is held is looked up before the page is judged.
  const detail = { difference: { field: 'node_id', claimed: hooli.nodeId, computed: acme.nodeId }, feed_seq: 1 };
  const input = { peer: hooli.nodeId, feed: 'public', reason: 'fact_rewritten', chainSeq: 1, detail };
  journal.audit({ event: 'federation_integrity_rejected', ...input }, NOW_MS);
  const [note = ''] = methodsOf(journal).pendingNotices(hooli.nodeId, NOW_MS).notices;
  assert.deepEqual(opened(note).entries[0]?.difference, { claimed: hooli.nodeId, computed: null, field: 'node_id' });
  assert.ok(!note.includes('acme'));
});

const HASH = `sha256:${'0'.repeat(64)}`;
const at = '2026-02-01T00:00:00.000Z';
const entryAt = (feedSeq: number, chainSeq = feedSeq) => ({
  at,
  chain_seq: chainSeq,
  cid: HASH,
  difference: null,
  evidence: HASH,
  feed_seq: feedSeq,
});

/** Our own journal, and a peer that was given entries 1 to 10 of `public`. */
async function given(t: TestContext): Promise<{ journal: Journal; peer: HonestPeer; sign: Sign }> {
  const journal = journalOf(t);
  const peer = new HonestPeer();
  appendOwn(journal, 20);
  const seed = new Uint8Array(32).fill(7);
  const { peerId } = await identityFromSeed(seed);
  const pinned = { event: 'peer_pinned', peer: peer.nodeId, detail: {} };
  const sign: Sign = (change = {}) => signNotice({ ...NOTICE, ...change }, peer.signer);
  assert.equal(methodsOf(journal).takeNotices(peer.nodeId, [sign()], NOW_MS).taken, 0, 'its key is not known yet');
  journal.pinDeclaration(peer.nodeId, peer.declaration(createLogSigner(peer.nodeId, seed), peerId), pinned, NOW_MS);
  const run = { peer: peer.nodeId, feed: 'public', after: 0, to: 10, treeSize: 20, grant: 'g' };
  journal.durably(() => new DisclosureRecords(journal.db).save(run, [run], NOW_MS * 1000));
  return { journal, peer, sign };
}

type Sign = (change?: Partial<RefusalNotice>) => string;
const NOTICE = {
  author: IDENTITY.nodeId,
  feed: 'public',
  reason: 'cid_mismatch',
  number: 5,
  refused: 1,
  resolved: 0,
  at,
  entries: [entryAt(3)],
};

test('a notice is kept once, a later one takes its place, and the end of it is recorded', async (t) => {
  const { journal, peer, sign } = await given(t);
  const methods = methodsOf(journal);
  const take = (note: string) => methods.takeNotices(peer.nodeId, [note], NOW_MS);
  assert.deepEqual(take(sign()), { taken: 1, changed: 1, dropped: [] });
  assert.deepEqual(take(sign()), { taken: 1, changed: 0, dropped: [] });
  assert.equal(take(sign({ number: 6, refused: 3, entries: [entryAt(4), entryAt(3)] })).changed, 1);
  assert.equal(take(sign()).changed, 0, 'an older one');
  const notices = new RefusalNotices(journal.db);
  assert.deepEqual(notices.ofPeer(peer.nodeId), [{ feed: 'public', reason: 'cid_mismatch', refused: 3, resolved: 0 }]);
  const [first, second, ...more] = audited(journal, 'refusal_notice_received');
  assert.deepEqual([first?.detail['places'], second?.detail['places'], more.length], [[3], [4, 3], 0]);
  const later = '2026-02-02T00:00:00.000Z';
  assert.equal(take(sign({ number: 2, at: later })).changed, 1, 'its sender was put back from a copy');
  assert.deepEqual(notices.ofPeer(peer.nodeId), [{ feed: 'public', reason: 'cid_mismatch', refused: 1, resolved: 0 }]);
  assert.equal(take(sign({ number: 9, at: later, refused: 3, resolved: 3, entries: [] })).changed, 1);
  assert.equal(audited(journal, 'refusal_notice_resolved').length, 1);
});

test('a peer can say nothing about what it was not given, nor for another, nor without end', async (t) => {
  const { journal, peer, sign } = await given(t);
  const methods = methodsOf(journal);
  const dropped = (note: string) => methods.takeNotices(peer.nodeId, [note], NOW_MS).dropped;
  assert.deepEqual(dropped(sign({ author: 'stigmem://hooli.example' })), ['notice_not_for_us']);
  assert.deepEqual(dropped(sign({ feed: 'company' })), ['notice_not_given']);
  assert.deepEqual(dropped(sign({ entries: [entryAt(11)] })), ['notice_not_given'], 'behind what was given');
  assert.deepEqual(dropped(sign({ entries: [entryAt(3, 4)] })), ['notice_not_given'], 'another entry');
  assert.deepEqual(dropped(sign({ refused: 11 })), ['notice_not_given'], 'more than were given');
  assert.deepEqual(dropped(sign({ entries: [] })), ['notice_names_nothing']);
  const posing = createLogSigner(peer.signer.name, new Uint8Array(32).fill(9));
  assert.deepEqual(dropped(signNotice(NOTICE, posing)), ['notice_invalid']);
  assert.deepEqual(dropped('no note'), ['notice_invalid']);
  assert.equal(new RefusalNotices(journal.db).count(peer.nodeId), 0);

  const many = Array.from({ length: 16 }, (_, i) => sign({ reason: `made_up_${'abcdefghijklmnop'[i]}` }));
  const endless = Array.from({ length: 16 }, (_, i) => sign({ number: 10 + i }));
  assert.equal(methods.takeNotices(peer.nodeId, many, NOW_MS).taken, 16);
  assert.equal(methods.takeNotices(peer.nodeId, endless, NOW_MS).taken, 16);
  assert.deepEqual(methods.takeNotices(peer.nodeId, [sign({ number: 99 })], NOW_MS).taken, 0, 'its allowance is used');
  assert.equal(methods.takeNotices(peer.nodeId, [sign({ number: 99 })], NOW_MS + 60_000).taken, 1);
  for (let group = 0, nowMs = NOW_MS + 60_000; group < 260; group++) {
    nowMs += 60_000;
    const letters = `${String.fromCharCode(97 + (group % 26))}${String.fromCharCode(97 + Math.floor(group / 26))}`;
    methods.takeNotices(peer.nodeId, [sign({ reason: `more_${letters}` })], nowMs);
  }
  assert.equal(new RefusalNotices(journal.db).count(peer.nodeId), 256);
});
