/** What a partner sends never makes our own journal look damaged: each page is taken as the puller takes it, then `fsck` looks. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeEntry } from '../../../src/core/entry.ts';
import type { StoredEntry } from '../../../src/drill/peer-log.ts';
import type { PageLie } from '../../../src/drill/served-log.ts';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import { entryOf } from '../../../src/journal/entry-row.ts';
import { JOURNAL_FILE, SIGNED_HEADS_FILE } from '../../../src/journal/files.ts';
import { PeerLogs } from '../../../src/journal/fsck/peer-logs.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { ALG_ED25519, formatSignatureLine, signEd25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { type IngestInput, type IngestOutcome, PageIngest } from '../../../src/pull/ingest.ts';
import { Erasing } from '../../../src/threads/erasing.ts';
import { keyMethods } from '../../../src/threads/key-methods.ts';
import { openStatements } from '../../../src/verify/key-chain.ts';
import type { Origins } from '../../../src/wire/origins.ts';
import type { SignedPageFrames } from '../../../src/wire/page.ts';
import { signSuccession } from '../../../src/wire/succession.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import {
  appendOwn,
  fillErasures,
  IDENTITY,
  LOG_KEY,
  LOG_SEED,
  NOW_MS,
  newJournal,
  openJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { RelayLog } from '../../support/relay-log.ts';
import { pullRelayed } from '../../support/relayed-erasure.ts';

class Receiver {
  readonly folder: string;
  readonly journal: Journal;
  readonly pages: PageIngest;

  constructor(t: TestContext) {
    this.folder = temporaryFolder(t);
    this.journal = newJournal(this.folder);
    t.after(() => this.journal.db.open && this.journal.close());
    appendOwn(this.journal, 2);
    this.pages = new PageIngest(this.journal);
  }

  /** The next page of a feed, however it lies. */
  pull(peer: HonestPeer, feed: string, lie: PageLie = {}, more: Partial<IngestInput> = {}): IngestOutcome {
    const { peers } = this.journal;
    const after = peers.cursor(peer.nodeId, feed);
    const frames = peer.page({ feed, after, knownSize: peers.checkpoint(peer.nodeId)?.size ?? 0 }, lie);
    return this.take(frames, peer, feed, more);
  }

  take(frames: SignedPageFrames, peer: HonestPeer, feed: string, more: Partial<IngestInput>): IngestOutcome {
    return this.pages.ingest({
      peer: peer.pinned(),
      feed,
      frames,
      firstPage: true,
      accept: [feed],
      nowMs: NOW_MS,
      maxFutureSkewMs: 300_000,
      maxPastSkewMs: 2_592_000_000,
      maxValueBytes: 65_536,
      relay: null,
      policy: { witnesses: null, anchors: null },
      ...more,
    });
  }

  problems(): string[] {
    this.journal.head(0);
    return runFsck(this.folder, { logKey: LOG_KEY }).problems.map(
      ({ table, code, detail }) => `${table} ${code} ${detail}`,
    );
  }
}

test('one entry in two feeds is taken once: a restore gave nothing back', (t) => {
  const receiver = new Receiver(t);
  const peer = new HonestPeer().appendMany(3);
  assert.equal(receiver.pull(peer, 'public').kind, 'appended');
  const [first] = peer.entries;
  peer.append({ scope: 'company' });
  const twice: PageLie = {
    content: (page) => ({ ...page, entries: peer.entries.slice(0, 1) }),
    feedHead: (head) => ({ ...head, lastLeaf: first?.leaf ?? null }),
  };
  const outcome = receiver.pull(peer, 'company', twice);
  assert.ok(outcome.kind === 'appended');
  assert.deepEqual(
    outcome.refused.map(({ reason }) => reason),
    ['scope_not_granted'],
  );
  assert.deepEqual(receiver.problems(), []);
});

test('an entry that is sent again at a place where it does not stand', (t) => {
  const receiver = new Receiver(t);
  const peer = new HonestPeer().appendMany(3);
  assert.equal(receiver.pull(peer, 'public').kind, 'appended');
  peer.append();
  const again: PageLie = {
    content: (page) => ({ ...page, entries: peer.entries.slice(0, 1), proof: new Uint8Array(32) }),
  };
  assert.equal(receiver.pull(peer, 'public', again).kind, 'proofs_needed');
  const outcome = receiver.pull(peer, 'public', again, { inclusion: 'unavailable' });
  assert.ok(outcome.kind === 'appended');
  assert.deepEqual(
    outcome.refused.map(({ reason }) => reason),
    ['inclusion_proof_invalid'],
  );
  assert.deepEqual(receiver.problems(), []);
});

test('a relay that gives one fact at two places of its log', (t) => {
  const receiver = new Receiver(t);
  const log = new RelayLog({ facts: 2 });
  const [first] = log.origin.entries;
  assert.ok(first !== undefined);
  log.pass(first);
  const frames = log.relay.page(
    { feed: log.feed, after: 0 },
    {
      // A batch proves each leaf once: the second place is proved under an earlier checkpoint.
      content: (page) => ({
        ...page,
        origins: log.origins(page.entries as readonly StoredEntry[], (place) => (place === 2 ? 1 : 2)),
      }),
    },
  );
  const outcome = receiver.take(frames, log.relay, log.feed, { relay: log.pinned() });
  assert.ok(outcome.kind === 'appended');
  assert.deepEqual([outcome.accepted, outcome.duplicates, outcome.refusals], [2, 1, 0]);
  assert.deepEqual(receiver.problems(), []);
});

test('withheld lines that are not where the relay says: their summary is what was refused', (t) => {
  const receiver = new Receiver(t);
  const log = new RelayLog({ facts: 60 });
  const withheld: PageLie = {
    content: (page) => ({
      ...page,
      entries: page.entries.map((entry) => ({ ...entry, salt: sha256(entry.salt), bytes: new Uint8Array(0) })),
    }),
  };
  const bare = (origins: Origins): Origins => ({ ...origins, batches: [], entries: origins.entries.map(() => null) });
  const outcome = receiver.take(log.page({}, bare, withheld), log.relay, log.feed, {
    relay: log.pinned(),
    inclusion: 'unavailable',
  });
  assert.ok(outcome.kind === 'appended');
  assert.deepEqual([outcome.refusals, outcome.summaries.length], [60, 1]);
  assert.deepEqual(receiver.problems(), []);
});

test('a fact id that is spelt like an erased row', (t) => {
  const receiver = new Receiver(t);
  const liar = new HonestPeer();
  liar.append({ fact_id: 'erased:4' });
  assert.equal(receiver.pull(liar, 'public').kind, 'appended');
  fillErasures(receiver.journal);
  assert.deepEqual(receiver.problems(), []);
});

test('pages of a relay, signed by a key that the origin had changed when we met it', (t) => {
  const receiver = new Receiver(t);
  const log = new RelayLog({ facts: 3 });
  const { origin } = log;
  assert.equal(receiver.take(log.page(), log.relay, log.feed, { relay: log.pinned() }).kind, 'appended');
  const now = new HonestPeer({ authority: origin.authority, logKey: 'the next one' });
  const at = '2026-01-01T00:10:00.000Z';
  const change = { use: 'log', old: origin.logVkey, new: now.logVkey, effective_at: at, overlap_until: at } as const;
  const line = (peer: HonestPeer) => (text: string) => signEd25519(text, peer.signer);
  const statement = signSuccession(origin.nodeId, change, { old: line(origin), new: line(now) });
  receiver.journal.saveSuccessions(openStatements([statement], origin.nodeId), NOW_MS);
  const declared = now.declaration(createLogSigner(now.nodeId, sha256('node key')), 'peer id of initech');
  receiver.journal.pinDeclaration(now.nodeId, declared, { event: 'peer_verified', peer: now.nodeId }, NOW_MS);
  assert.deepEqual(receiver.problems(), []);
});

/** The origin with another log key, met: nothing leads from the key before to it. */
function metUnderAnother(receiver: Receiver, { origin }: RelayLog, atMs: number): void {
  const now = new HonestPeer({ authority: origin.authority, logKey: 'a key of its own' });
  const declared = now.declaration(createLogSigner(now.nodeId, sha256('node key')), 'peer id of initech');
  receiver.journal.pinDeclaration(now.nodeId, declared, { event: 'peer_verified', peer: now.nodeId }, atMs);
}

test('pages of a relay, under a key that an operator has replaced by hand since: it is on record what they were taken under', (t) => {
  const receiver = new Receiver(t);
  const log = new RelayLog({ facts: 3 });
  const take = (after: number): string => {
    const knownSize = receiver.journal.peers.checkpoint(log.relay.nodeId)?.size ?? 0;
    return receiver.take(log.page({ after, count: 1, knownSize }), log.relay, log.feed, { relay: log.pinned() }).kind;
  };
  assert.deepEqual([take(0), take(1), take(2)], ['appended', 'appended', 'appended']);
  const { records } = new AuditReader(receiver.journal.db).page({ event: 'origin_key_used', order: 'asc', limit: 10 });
  assert.deepEqual(
    records.map(({ peer, detail }) => [peer, detail]),
    [[log.origin.nodeId, { log_key: log.origin.logVkey, relay: log.relay.nodeId }]],
  );
  assert.deepEqual(new PeerLogs(receiver.journal.db).logOf(log.origin.nodeId, log.origin.origin)?.keys, [
    log.origin.signer.publicKey,
  ]);
  metUnderAnother(receiver, log, NOW_MS);
  assert.deepEqual(receiver.problems(), []);
});

test('pages of a relay that were taken before it was on record under which key', (t) => {
  const receiver = new Receiver(t);
  const log = new RelayLog({ facts: 3 });
  pullRelayed(receiver.journal, log);
  metUnderAnother(receiver, log, NOW_MS + 1);
  assert.deepEqual(receiver.problems(), []);

  const later = new Receiver(t);
  metUnderAnother(later, log, NOW_MS);
  pullRelayed(later.journal, log);
  const [problem, ...more] = later.problems();
  assert.match(problem ?? '', /^pages origin_proof_invalid /, 'a page under a key that was none of the node');
  assert.deepEqual(more, []);
});

test('a restore brings the tombstone back of a fact that the copy had let stay', (t) => {
  const { folder, journal } = new Receiver(t);
  const erasing = new Erasing(journal, []);
  const row = journal.erasures.bodies.row(1);
  assert.ok(row !== undefined);
  const order = { fact: row.fact_id, actor: 'agent:ann', reason: 'a test', approves: null };
  assert.equal(erasing.request(order, NOW_MS).kind, 'done');
  assert.equal(erasing.undo(order, NOW_MS).kind, 'done');
  journal.head(0);
  const copy = temporaryFolder(t);
  journal.db.exec(`VACUUM INTO '${join(copy, JOURNAL_FILE)}'`);
  const from = journal.size;
  assert.equal(erasing.request(order, NOW_MS).kind, 'done');
  erasing.advance(NOW_MS + 2 * journal.erasures.settings.undoWindowMs);
  assert.equal(journal.size, from + 1);
  journal.head(0);
  const tombstone = journal.erasures.bodies.row(from + 1);
  assert.ok(tombstone !== undefined);
  copyFileSync(join(folder, SIGNED_HEADS_FILE), join(copy, SIGNED_HEADS_FILE));

  const restored = openJournal(copy, true);
  const bytes = Buffer.from(encodeEntry(entryOf(tombstone)));
  const proved = { index: from, salt: tombstone.salt, bytes, leafHash: Buffer.from(tombstone.leaf_hash) };
  assert.ok(restored.guard.restore(new Map([[from, proved]]), NOW_MS).ok);
  restored.guard.clear();
  assert.equal(restored.erasures.records.ofTarget(1)?.step, 'issued');
  restored.head(0);
  restored.close();
  assert.deepEqual(runFsck(copy, { logKey: LOG_KEY }).problems, []);
});

test('a checkpoint of ours that a peer shows with lines of others: ours alone are kept, and served', (t) => {
  const { folder, journal } = new Receiver(t);
  journal.head(0);
  const copy = temporaryFolder(t);
  journal.db.exec(`VACUUM INTO '${join(copy, JOURNAL_FILE)}'`);
  copyFileSync(join(folder, SIGNED_HEADS_FILE), join(copy, SIGNED_HEADS_FILE));
  appendOwn(journal, 1);
  const { checkpoint: signed } = journal.head(0);
  const row = journal.erasures.bodies.row(journal.size);
  assert.ok(row !== undefined);

  const restored = openJournal(copy, true);
  const text = signed.slice(0, signed.lastIndexOf('\n\n') + 1);
  const junk = Array.from({ length: 40 }, (_, i) => {
    const name = i % 2 === 0 ? IDENTITY.journalOrigin : `w${i}.example/witness`;
    return formatSignatureLine(signEd25519(text, createLogSigner(name, sha256(`key ${i}`))));
  });
  const verdict = restored.guard.compare(signed + junk.join(''), 'stigmem://acme.example', NOW_MS);
  assert.equal(verdict.kind, 'ahead');
  const bytes = Buffer.from(encodeEntry(entryOf(row)));
  const proved = { index: row.chain_seq - 1, salt: row.salt, bytes, leafHash: Buffer.from(row.leaf_hash) };
  assert.ok(restored.guard.restore(new Map([[proved.index, proved]]), NOW_MS).ok);
  restored.guard.clear();
  assert.equal(restored.head(0).checkpoint, signed);
  restored.close();
  assert.deepEqual(runFsck(copy, { logKey: LOG_KEY }).problems, []);
});

test('after a change of the log key the same tree is signed once more, by the new one', (t) => {
  const { folder, journal } = new Receiver(t);
  const [seed, { journalOrigin: name, nodeId }] = [sha256('the next log seed'), IDENTITY];
  const [old, next] = [createLogSigner(name, LOG_SEED), createLogSigner(name, seed)];
  const vkeyOf = ({ publicKey }: LogSigner): string => formatVerifierKey({ name, algorithm: ALG_ED25519, publicKey });
  const at = new Date(NOW_MS).toISOString();
  const change = { use: 'log', old: vkeyOf(old), new: vkeyOf(next), effective_at: at, overlap_until: at } as const;
  const lines = { old: (text: string) => signEd25519(text, old), new: (text: string) => signEd25519(text, next) };
  const context = { nodeAuthority: 'globex.example', nowMs: NOW_MS, maxValueBytes: 65_536 };
  keyMethods(journal).changeKey(signSuccession(nodeId, change, lines), 'agent:ann', context);
  const before = journal.head(0);
  journal.close();

  const again = Journal.open(folder, { logSeed: seed, cacheMiB: 2, random: (bytes) => bytes });
  const after = again.head(0);
  again.close();
  assert.equal(after.size, before.size);
  assert.notEqual(after.checkpoint, before.checkpoint);
  assert.deepEqual(runFsck(folder, { logKey: next.publicKey }).problems, []);
});

test('a page whose proof leads nowhere, each entry of which is proved by itself', (t) => {
  const receiver = new Receiver(t);
  const peer = new HonestPeer().appendMany(5);
  const garbled: PageLie = { frames: (frames) => ({ ...frames, proof: Buffer.alloc(frames.proof?.length ?? 0, 7) }) };
  const frames = peer.page({ feed: 'public', after: 0, count: 3 }, garbled);
  const outcome = receiver.take(frames, peer, 'public', { inclusion: peer.inclusionMap([0, 1, 2]) });
  assert.ok(outcome.kind === 'appended');
  assert.deepEqual([outcome.accepted, outcome.refusals], [3, 0]);
  assert.deepEqual(receiver.problems(), []);
});
