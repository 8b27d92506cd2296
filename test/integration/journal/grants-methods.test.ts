/** The journal's part in grants, on a real journal: what the ledger takes, and which closures of a peer are taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { DisclosureRecords } from '../../../src/journal/disclosure-records.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { grantsMethods } from '../../../src/threads/grants-methods.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { signClosure } from '../../../src/wire/closure.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { IDENTITY, LOG_SEED, NOW_MS, newJournal, pullPage, temporaryFolder } from '../../support/journal-fixture.ts';

const PEER = 'stigmem://acme.example';
const CLOSED_MS = NOW_MS - 1_000;
const signer: LogSigner = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
const methodsOf = (journal: Journal) => grantsMethods(journal, new AuditReader(journal.db), signer);
const audited = (journal: Journal, event: string) =>
  new AuditReader(journal.db).page({ event, order: 'asc', limit: 100 }).records;

test('the ledger holds each position once under a grant, however it is asked for', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const methods = methodsOf(journal);
  const ledger = new DisclosureRecords(journal.db);
  const page = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }));
  let feeds = 0;
  fc.assert(
    fc.property(fc.array(page, { maxLength: 25 }), (pages) => {
      const feed = `public/g${feeds++}`;
      const given = new Set<number>();
      for (const [after, count] of pages) {
        methods.disclose({ peer: PEER, feed, after, to: after + count, treeSize: 100, grant: feed }, NOW_MS);
        for (let seq = after + 1; seq <= after + count; seq++) given.add(seq);
      }
      const found = ledger.runs({ peer: PEER, cursor: 0, limit: 100_000 }).filter((run) => run.feed === feed);
      const listed = found.flatMap(({ after, to }) => Array.from({ length: to - after }, (_, i) => after + 1 + i));
      assert.deepEqual([...listed].sort(), [...given].sort(), 'each position once, none that was not given');
      const summary = ledger.feeds(PEER).find((one) => one.feed === feed);
      assert.equal(summary?.entries ?? 0, given.size);
      assert.equal(ledger.last(PEER, feed)?.to ?? 0, Math.max(0, ...given));
      for (const seq of [1, 30, 60])
        assert.equal(ledger.ofFact(PEER, feed, seq).length, given.has(seq) ? 1 : 0, `position ${seq}`);
    }),
    { numRuns: 40 },
  );
});

test('an end is signed only of what was given, and recorded once', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const methods = methodsOf(journal);
  const ended = [{ feed: 'public', closedAtMs: CLOSED_MS }];
  assert.deepEqual(methods.giveClosures(PEER, ended, NOW_MS), []);
  methods.disclose({ peer: PEER, feed: 'public', after: 0, to: 7, treeSize: 9, grant: 'g' }, NOW_MS);
  const first = methods.giveClosures(PEER, ended, NOW_MS);
  assert.equal(first.length, 1);
  assert.deepEqual(methods.giveClosures(PEER, ended, NOW_MS + 60_000), first);
  assert.equal(audited(journal, 'grant_ended').length, 1);
  journal.guard.hold('a test');
  assert.throws(() => methods.giveClosures(PEER, ended, NOW_MS), { code: 'guarded' });
});

test('of a peer, a closure is taken once, and only one that it may sign', async (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const acme = new HonestPeer();
  acme.appendMany(10);
  const seed = new Uint8Array(32).fill(7);
  const identity = createLogSigner(acme.nodeId, seed);
  const { peerId } = await identityFromSeed(seed);
  const methods = methodsOf(journal);
  const closure = { receiver: IDENTITY.nodeId, feed: 'public', to: 10, treeSize: 10 };
  const closedAt = new Date(CLOSED_MS).toISOString();
  const note = signClosure({ ...closure, closedAt }, acme.signer);
  const take = (given: string): readonly string[] =>
    methods.takeClosures(acme.nodeId, ['public'], [given], NOW_MS).refused.map(({ code }) => code);
  assert.deepEqual(take(note), ['peer_unknown']);

  const pinned = { event: 'peer_pinned', peer: acme.nodeId, detail: {} };
  journal.pinDeclaration(acme.nodeId, acme.declaration(identity, peerId), pinned, NOW_MS);
  pullPage(journal, acme, 10);
  assert.deepEqual(take(note), []);
  assert.deepEqual(take(note), []);
  assert.equal(audited(journal, 'feed_closed').length, 1);
  assert.deepEqual(new AuditReader(journal.db).closures(acme.nodeId), [
    { feed: 'public', to: 10, closed_at: closedAt },
  ]);

  // It signs the same end again and again, each time with other words: neither many notes nor many answers cost a record.
  const anew = Array.from({ length: 64 }, (_, i) => {
    return signClosure({ ...closure, closedAt: new Date(CLOSED_MS + i + 1).toISOString() }, acme.signer);
  });
  assert.deepEqual(methods.takeClosures(acme.nodeId, ['public'], anew, NOW_MS).refused, []);
  assert.equal(audited(journal, 'feed_closed').length, 1);
  assert.deepEqual(methods.takeClosures(acme.nodeId, ['public'], anew, NOW_MS + 600_000).refused, []);
  assert.equal(audited(journal, 'feed_closed').length, 2, 'a later end is written down, later');

  const again = (i: number): string =>
    signClosure({ ...closure, closedAt: new Date(CLOSED_MS + 1_000 + i).toISOString() }, acme.signer);
  const at = (nowMs: number, i: number): number => {
    methods.takeClosures(acme.nodeId, ['public'], [again(i)], nowMs);
    return audited(journal, 'feed_closed').length;
  };
  const [rightMs, aheadMs] = [NOW_MS + 1_200_000, NOW_MS + 365 * 86_400_000];
  assert.equal(at(aheadMs, 1), 3, 'a clock that is a year ahead');
  assert.equal(at(rightMs, 2), 4, 'put right, it puts nothing off until that year is over');
  assert.equal(at(rightMs + 599_999, 3), 4);

  const signed = (change: object): string => signClosure({ ...closure, closedAt, ...change }, acme.signer);
  assert.deepEqual(take(signed({ receiver: 'stigmem://hooli.example' })), ['closure_not_for_us']);
  assert.deepEqual(take(signed({ feed: 'company' })), ['closure_not_asked']);
  assert.deepEqual(take(signed({ to: 9 })), ['closure_behind']);
  assert.deepEqual(take(signClosure({ ...closure, closedAt }, signer)), ['closure_origin_mismatch']);
  const posing = createLogSigner(acme.signer.name, new Uint8Array(32).fill(9));
  assert.deepEqual(take(signClosure({ ...closure, closedAt }, posing)), ['closure_signature_invalid']);
  assert.deepEqual(take('no note'), ['closure_malformed']);
  assert.equal(audited(journal, 'feed_closed').length, 4);
});
