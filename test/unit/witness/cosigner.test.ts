/** The witness over a real journal: what it signs never contradicts what it signed or verified before. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { AuditReader } from '../../../src/journal/audit-reader.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { openCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { checkCosignature } from '../../../src/merkle/cosignature.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { parseNote } from '../../../src/merkle/note.ts';
import { Cosigner, type CosignOutcome, type WitnessedLog } from '../../../src/witness/cosigner.ts';
import { SeenHeads } from '../../../src/witness/seen-heads.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { NOW_MS, newJournal, openJournal, pullPage, temporaryFolder } from '../../support/journal-fixture.ts';

const WITNESS = createLogSigner('globex.example/witness', createHash('sha256').update('witness').digest());

interface Fixture {
  readonly journal: Journal;
  readonly seen: SeenHeads;
  readonly log: WitnessedLog;
  ask(peer: HonestPeer, size: number, old: number, path?: readonly string[], nowMs?: number): CosignOutcome;
}

function over(journal: Journal, peer: HonestPeer, nodeId: string | null = peer.nodeId, perDay?: number): Fixture {
  const audit = new AuditReader(journal.db);
  const seen = new SeenHeads(journal, audit);
  const cosigner = new Cosigner(journal, audit, WITNESS, seen, perDay);
  const log = { origin: peer.origin, key: peer.signer.publicKey, nodeId };
  const ask: Fixture['ask'] = (from, size, old, path, nowMs = NOW_MS) => {
    const hashes = path ?? (old === 0 || old > size ? [] : from.consistency(old, size));
    const proof = hashes.map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
    return cosigner.cosign({ checkpoint: from.checkpoint(size), oldSize: old, path: proof }, log, nowMs);
  };
  return { journal, seen, log, ask };
}

function fixture(t: TestContext, peer: HonestPeer): Fixture {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  return over(journal, peer);
}

/** The size and root that a cosignature stands for. */
function signedRoot(peer: HonestPeer, size: number, outcome: CosignOutcome): string | null {
  if (outcome.kind !== 'cosigned') return null;
  const note = parseNote(peer.checkpoint(size) + outcome.lines);
  assert.ok(note.ok && checkCosignature(note.value, { name: WITNESS.name, key: WITNESS.publicKey }).ok);
  return peer.root(size).toString('hex');
}

test('the answers of C2SP tlog-witness, in its order', (t) => {
  const peer = new HonestPeer().appendMany(12);
  const stranger = new HonestPeer({ authority: 'stranger.example' }).appendMany(3);
  const { ask } = fixture(t, peer);
  assert.deepEqual(ask(peer, 5, 3), { kind: 'stale', size: 0 });
  assert.deepEqual(ask(stranger, 3, 0), { kind: 'refused', code: 'bad_signature' });
  assert.deepEqual(ask(peer, 5, 0, peer.consistency(3, 5)), { kind: 'refused', code: 'bad_proof' });
  assert.equal(ask(peer, 5, 0).kind, 'cosigned');
  assert.deepEqual(ask(peer, 9, 0), { kind: 'stale', size: 5 });
  assert.deepEqual(ask(peer, 5, 9), { kind: 'refused', code: 'bad_request' });
  assert.deepEqual(ask(peer, 9, 5, peer.consistency(4, 9)), { kind: 'refused', code: 'bad_proof' });
  assert.equal(ask(peer, 9, 5).kind, 'cosigned');
  assert.deepEqual(ask(peer, 5, 5), { kind: 'stale', size: 9 });
  assert.equal(ask(peer, 9, 9).kind, 'cosigned', 'again, with a newer time');
});

test('another root for a size that was cosigned is evidence, and suspends the peer; then nothing is cosigned', (t) => {
  const peer = new HonestPeer().appendMany(12);
  const { ask, journal } = fixture(t, peer);
  ask(peer, 9, 0);
  const outcome = ask(peer.fork(4).appendMany(5), 9, 9);
  assert.ok(outcome.kind === 'contradiction' && outcome.news?.reason === 'checkpoint_split_view');
  assert.equal(new AuditReader(journal.db).suspension(peer.nodeId)?.reason, 'checkpoint_split_view');
  assert.deepEqual(ask(peer, 12, 9), { kind: 'refused', code: 'suspended' });
});

test('a log that grows by one and asks, without end: a day’s share of its checkpoints is kept, and then it waits', (t) => {
  const peer = new HonestPeer().appendMany(40);
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const [share, dayMs] = [24, 86_400_000];
  const { ask } = over(journal, peer, peer.nodeId, share);
  for (let size = 1; size <= share; size++) assert.equal(ask(peer, size, size - 1).kind, 'cosigned');
  assert.deepEqual(ask(peer, share + 1, share), { kind: 'busy', retryAfterMs: dayMs / share });
  assert.equal(ask(peer, share, share).kind, 'cosigned', 'what is stood for is signed anew, and costs nothing');
  const rows = journal.db.prepare('SELECT count(*) FROM cosigned').pluck();
  assert.equal(rows.get(), share);

  const later = NOW_MS + dayMs / share;
  assert.equal(ask(peer, 30, share, undefined, later).kind, 'cosigned', 'with all that came meanwhile');
  assert.equal(ask(peer, 31, 30, undefined, later).kind, 'busy');
  assert.equal(ask(peer, 31, 30, undefined, later - 365 * dayMs).kind, 'busy', 'a clock that is put back');
  assert.equal(ask(peer, 31, 30, undefined, later - 364 * dayMs).kind, 'cosigned');
  const other = new HonestPeer({ authority: 'initech.example' }).appendMany(2);
  assert.equal(over(journal, other, other.nodeId, share).ask(other, 2, 0).kind, 'cosigned');
});

test('a checkpoint is found at its size among those of several logs', (t) => {
  const peers = ['acme.example', 'initech.example', 'hooli.example'].map((authority) =>
    new HonestPeer({ authority }).appendMany(60),
  );
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const sizes = [1, 2, 3, 7, 8, 20, 21, 22, 40, 59];
  const asked = peers.map((peer) => ({ peer, ...over(journal, peer), old: 0 }));
  for (const size of sizes)
    for (const one of asked) {
      if (one.peer === peers[1] && size % 2 === 0) continue;
      assert.equal(one.ask(one.peer, size, one.old).kind, 'cosigned');
      one.old = size;
    }
  for (const { peer } of asked)
    for (let size = 0; size <= 61; size++) {
      const isThere = sizes.includes(size) && !(peer === peers[1] && size % 2 === 0);
      const found = journal.witness.cosignedAt(peer.origin, size);
      assert.equal(found?.note ?? null, isThere ? peer.checkpoint(size) : null, `${peer.origin} ${size}`);
    }
});

test('what was verified by pulling binds the witness as much as what it cosigned', (t) => {
  const peer = new HonestPeer().appendMany(6);
  const { ask, journal } = fixture(t, peer);
  pullPage(journal, peer, 10);
  const other = peer.fork(3).appendMany(6);
  assert.deepEqual(ask(other, 9, 0), { kind: 'stale', size: 6 });
  // The path leads to the root that it has signed now, and shows another tree of six than the one it had signed.
  const answer = ask(other, 9, 6);
  assert.deepEqual(
    [answer.kind, answer.kind === 'contradiction' && answer.reason],
    ['contradiction', 'consistency_proof_invalid'],
  );
  peer.appendMany(6);
  assert.equal(ask(peer, 9, 6).kind, 'refused', 'nothing more of that log is cosigned, the true history neither');
});

test('pulled past what was cosigned without a proof between them: nothing is signed until there is one', (t) => {
  const peer = new HonestPeer().appendMany(5);
  const { ask, journal, log, seen } = fixture(t, peer);
  pullPage(journal, peer, 10);
  const fork = peer.fork(5).appendMany(4);
  assert.equal(ask(fork, 9, 5).kind, 'cosigned');
  peer.appendMany(7);
  pullPage(journal, peer, 10);
  assert.deepEqual(ask(peer, 12, 12), { kind: 'refused', code: 'unreconciled' });
  const [pair] = seen.openPairs(log);
  assert.ok(pair !== undefined);
  assert.equal(seen.resolve(log, pair, null, NOW_MS).kind, 'no_proof');
  const path = peer.consistency(9, 12).map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
  const { kind, news } = seen.resolve(log, pair, path, NOW_MS);
  assert.deepEqual([kind, news?.reason], ['contradiction', 'consistency_proof_invalid']);
});

test('an honest log that was pulled past what was cosigned is joined by its proof, over a restart too', (t) => {
  const folder = temporaryFolder(t);
  const peer = new HonestPeer().appendMany(5);
  let journal = newJournal(folder);
  t.after(() => journal.close());
  pullPage(journal, peer, 10);
  peer.appendMany(7);
  over(journal, peer).ask(peer, 9, 5);
  pullPage(journal, peer, 10);
  journal.close();
  journal = openJournal(folder);
  const { ask, log, seen } = over(journal, peer);
  assert.deepEqual(ask(peer, 12, 12), { kind: 'refused', code: 'unreconciled' });
  const [pair] = seen.openPairs(log);
  assert.ok(pair !== undefined);
  const path = peer.consistency(9, 12).map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
  assert.equal(seen.resolve(log, pair, path, NOW_MS).kind, 'consistent');
  assert.equal(ask(peer, 12, 12).kind, 'cosigned');
});

test('1,000 requests of two histories in a race, smaller against larger: one history, never an older head', (t) => {
  const honest = new HonestPeer().appendMany(40);
  const fork = honest.fork(20).appendMany(20);
  const folder = temporaryFolder(t);
  let journal = newJournal(folder);
  t.after(() => journal.close());
  // A log that is only configured cannot be suspended: nothing but the witness's own memory stops it.
  let { ask } = over(journal, honest, null);
  const draw = draws(7);
  const signed: { readonly size: number; readonly root: string; readonly peer: HonestPeer }[] = [];
  const known = [0];
  for (let i = 0; i < 1_000; i++) {
    if (i % 250 === 249) {
      // A restart in between forgets nothing.
      journal.close();
      journal = openJournal(folder);
      ask = over(journal, honest, null).ask;
    }
    const peer = draw(4) === 0 ? fork : honest;
    const size = 1 + draw(Math.min(40, 1 + Math.floor(i / 20)));
    // Each of the racers has looked at some earlier moment.
    const old = known[known.length - 1 - draw(Math.min(3, known.length))] ?? 0;
    const outcome = ask(peer, size, Math.min(old, size));
    if (outcome.kind === 'stale') known.push(outcome.size);
    const root = signedRoot(peer, size, outcome);
    if (root !== null) signed.push({ size, root, peer });
  }
  assert.ok(signed.length > 20, `${signed.length} signatures`);
  const sizes = signed.map(({ size }) => size);
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => a - b),
    'no signature over an older head',
  );
  const last = signed.at(-1);
  for (const { size, root } of signed) assert.equal(last?.peer.root(size).toString('hex'), root, 'one history');
});

/** Pseudo-random whole numbers below n, the same in each run. */
function draws(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % n;
  };
}

test('what is kept of a cosigned checkpoint is the log’s own note', (t) => {
  const peer = new HonestPeer({ witness: createLogSigner('w.example/witness', Buffer.alloc(32, 3)) }).appendMany(3);
  const { ask, journal } = fixture(t, peer);
  ask(peer, 3, 0);
  const kept = journal.witness.cosigned(peer.origin);
  const opened = openCheckpoint(kept?.note ?? '', { origin: peer.origin, key: peer.signer.publicKey });
  assert.ok(opened.ok);
  assert.equal(opened.value.note.signatures.length, 1);
});
