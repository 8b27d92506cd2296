/** Two real journals: pages with notes one way, receipts the other; answers that are lost, restarts, and wrong receipts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import { grantText } from '../../../src/core/disclosure.ts';
import { AnchorRecords } from '../../../src/journal/anchor-records.ts';
import { DisclosureRecords } from '../../../src/journal/disclosure-records.ts';
import { EntryReader } from '../../../src/journal/entry-reader.ts';
import type { JournalIdentity } from '../../../src/journal/files.ts';
import { checkJournal, filesOf } from '../../../src/journal/fsck/run-fsck.ts';
import { initJournal } from '../../../src/journal/init.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { OriginProofs } from '../../../src/journal/origin-proofs.ts';
import { ReceiptRecords } from '../../../src/journal/receipt-records.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { ALG_ED25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import type { PullDeps } from '../../../src/pull/deps.ts';
import { PageIngest } from '../../../src/pull/ingest.ts';
import { sendReceipts } from '../../../src/pull/send-receipts.ts';
import { answerReceipt } from '../../../src/serve/answer-receipt.ts';
import { buildPage } from '../../../src/serve/build-page.ts';
import { receiptsMethods } from '../../../src/threads/receipts-methods.ts';
import { TransportError } from '../../../src/transport/errors.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { signDeclaration } from '../../../src/wire/declaration.ts';
import { isNoteOf, openPageNote } from '../../../src/wire/page-note.ts';
import { openReceipt, signReceipt } from '../../../src/wire/page-receipt.ts';
import { RECEIPT_PROTOCOL } from '../../../src/wire/protocols.ts';
import { NOW_MS, ownFact, temporaryFolder } from '../../support/journal-fixture.ts';

const MAX_REQUEST_BYTES = 65_536;

class Node {
  readonly identity: JournalIdentity;
  readonly folder: string;
  readonly signer: LogSigner;
  readonly nodeSeed: Buffer;
  readonly #logSeed: Buffer;
  journal: Journal;
  pages: PageIngest;

  constructor(t: TestContext, authority: string) {
    this.identity = {
      nodeId: `stigmem://${authority}`,
      journalOrigin: `${authority}/journal/00000000000000aa`,
      auditOrigin: `${authority}/audit/00000000000000aa`,
      createdAt: '2026-01-01T00:00:00.000000+00:00',
    };
    this.folder = temporaryFolder(t);
    this.#logSeed = seed(`log ${authority}`);
    this.nodeSeed = seed(`node ${authority}`);
    this.signer = createLogSigner(this.identity.journalOrigin, this.#logSeed);
    initJournal(this.folder, this.identity);
    this.journal = this.#open();
    this.pages = new PageIngest(this.journal);
    t.after(() => this.journal.close());
  }

  get records(): ReceiptRecords {
    return new ReceiptRecords(this.journal.db);
  }

  get methods(): ReturnType<typeof receiptsMethods> {
    return receiptsMethods(this.journal, this.records, this.signer);
  }

  /** Records that a peer was given entries of the public feed, as serving them does. */
  given(peer: Node, to: number, after = 0): void {
    const { nodeId } = peer.identity;
    const grant = grantText(nodeId, { feed: 'public', notBeforeMs: null, notAfterMs: null });
    const run = { peer: nodeId, feed: 'public', after, to, treeSize: this.journal.size, grant };
    this.journal.durably(() => new DisclosureRecords(this.journal.db).save(run, [{ after, to }], NOW_MS * 1000));
  }

  restart(): void {
    this.journal.close();
    this.journal = this.#open();
    this.pages = new PageIngest(this.journal);
  }

  async declaration(): Promise<string> {
    const { peerId } = await identityFromSeed(this.nodeSeed);
    const { nodeId, journalOrigin, auditOrigin, createdAt } = this.identity;
    const vkey = formatVerifierKey({ name: journalOrigin, algorithm: ALG_ED25519, publicKey: this.signer.publicKey });
    const keys = [{ algorithm: 'ed25519', not_after: null, not_before: createdAt, use: 'log', vkey }] as const;
    const rest = { audit_origin: auditOrigin, issued_at: createdAt, journal_origin: journalOrigin };
    return signDeclaration({ ...rest, keys, node_id: nodeId, peer_id: peerId }, createLogSigner(nodeId, this.nodeSeed));
  }

  #open(): Journal {
    const random = (bytes: Uint8Array): Uint8Array => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
    return Journal.open(this.folder, { logSeed: this.#logSeed, cacheMiB: 2, random });
  }
}

function seed(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The receiver pulls everything, in pages of so many entries. */
function pull(sender: Node, receiver: Node, count: number): void {
  const { nodeId, journalOrigin } = sender.identity;
  const reader = new EntryReader(sender.journal.db, sender.signer);
  const { size, checkpoint } = sender.journal.head(0);
  const authority = nodeId.slice('stigmem://'.length);
  const peer = {
    nodeId,
    authority,
    origin: journalOrigin,
    logKey: sender.signer.publicKey,
    anchorKey: null,
    former: { logKeys: [], anchorKeys: [] },
    namespaces: [authority],
  };
  const policy = { witnesses: null, anchors: null };
  const rules = {
    maxFutureSkewMs: 0,
    maxPastSkewMs: 0,
    maxValueBytes: 65_536,
    relay: null,
    accept: ['public'],
    nowMs: NOW_MS,
    policy,
  };
  for (let first = true; ; first = false) {
    const after = receiver.journal.peers.cursor(nodeId, 'public');
    const knownSize = first ? (receiver.journal.peers.checkpoint(nodeId)?.size ?? 0) : null;
    const ask = { feed: 'public', permit: null, after, maxEntries: count, maxBytes: 1 << 20, knownSize, zstd: true };
    const note = { size, note: checkpoint };
    const built = buildPage(
      reader,
      new AnchorRecords(sender.journal.db),
      new OriginProofs(sender.journal.db),
      { ...ask, receiver: receiver.identity.nodeId, checkpoint: note },
      sender.signer,
    );
    if (built === undefined || built.to === after) return;
    sender.given(receiver, built.to, after);
    const input = { peer, feed: 'public', frames: built.frames, firstPage: first, ...rules };
    const outcome = receiver.pages.ingest(input);
    assert.equal(outcome.kind, 'appended', JSON.stringify(outcome));
  }
}

interface Wire {
  /** What becomes of each answer: the n-th request's. */
  readonly answers?: (n: number) => 'given' | 'lost' | 'never asked';
  readonly requests: number[];
}

/** The receiver gives its receipts; the sender answers by its real answerer. */
async function give(receiver: Node, sender: Node, wire: Wire): Promise<void> {
  const { methods } = receiver;
  const peerFile = { nodeId: sender.identity.nodeId, peerId: 'sender' } as PeerFile;
  const request = async function* (_peer: string, protocol: string, body: Uint8Array) {
    assert.equal(protocol, RECEIPT_PROTOCOL);
    assert.ok(body.length <= MAX_REQUEST_BYTES, String(body.length));
    const nth = wire.requests.push(body.length);
    const fate = wire.answers?.(nth) ?? 'given';
    if (fate === 'never asked') throw new TransportError('reset', 'no');
    const receiverFile = { nodeId: receiver.identity.nodeId } as PeerFile;
    const answered = answerReceipt(body, 'receiver', {
      peerOf: () => receiverFile,
      takeReceipts: async (nodeId, receipts) => sender.methods.takeReceipts(nodeId, receipts, NOW_MS),
    });
    for await (const frame of answered) {
      if (fate === 'lost') throw new TransportError('truncated', 'lost');
      yield frame;
    }
  };
  const journal = {
    pendingReceipts: async (peer: string, origin: string) => methods.pendingReceipts(peer, origin),
    receiptsTaken: async (peer: string, pageId: number) => methods.receiptsTaken(peer, pageId),
  };
  const deps = { journal, transport: { request } } as unknown as PullDeps;
  const greeted = { pinned: { origin: sender.identity.journalOrigin }, protocols: [RECEIPT_PROTOCOL] };
  await sendReceipts(peerFile, greeted as never, deps, AbortSignal.timeout(10_000));
}

async function pair(t: TestContext, facts: number, perPage: number): Promise<{ sender: Node; receiver: Node }> {
  const [sender, receiver] = [new Node(t, 'acme.example'), new Node(t, 'globex.example')];
  assertFacts(sender, facts);
  pull(sender, receiver, perPage);
  const pinned = { event: 'peer_verified', peer: receiver.identity.nodeId };
  sender.methods.pinIfNew(receiver.identity.nodeId, await receiver.declaration(), pinned, NOW_MS);
  return { sender, receiver };
}

function assertFacts(node: Node, count: number): void {
  const source = `${node.identity.nodeId}/agent/a`;
  const from = node.journal.size;
  const facts = Array.from({ length: count }, (_, i) => ownFact(from + i, { source, scope: 'public' }, 'acme.example'));
  node.journal.appendOwn(facts, NOW_MS);
}

function acknowledged(sender: Node, receiver: Node): readonly [to: number, count: number] {
  const { records } = sender;
  const { nodeId } = receiver.identity;
  return [records.acknowledgedTo(nodeId, 'public'), records.count(nodeId)];
}

test('each page is stored with its note, each note is answered by a receipt, and both say the same', async (t) => {
  const { sender, receiver } = await pair(t, 25, 10);
  const rows = receiver.journal.db
    .prepare('SELECT p.*, n.note FROM pages p LEFT JOIN page_notes n USING (page_id) ORDER BY page_id')
    .all() as Record<string, never>[];
  assert.equal(rows.length, 3);
  await give(receiver, sender, { requests: [] });
  assert.deepEqual(acknowledged(sender, receiver), [25, 3]);

  const query = { peer: receiver.identity.nodeId, feed: 'public', cursor: 0, limit: 10 };
  const receipts = sender.records.list(query);
  for (const [i, row] of rows.entries()) {
    const note = openPageNote(row['note'] ?? '', { origin: sender.signer.name, key: sender.signer.publicKey });
    assert.ok(note.ok && isNoteOf(note.value, row as never));
    assert.equal(note.value.receiver, receiver.identity.nodeId);
    const given = receipts[i]?.note ?? '';
    const receipt = openReceipt(given, { origin: receiver.signer.name, key: receiver.signer.publicKey });
    assert.ok(receipt.ok);
    assert.deepEqual(receipt.value.page, sha256(row['note'] ?? ''));
    const { after, to, accepted, refused } = receipt.value;
    assert.deepEqual([after, to, accepted, refused], [row['after_seq'], row['to_seq'], row['accepted'], 0]);
  }
  assert.deepEqual(sender.records.list({ ...query, cursor: 2, feed: null }).length, 1);
});

for (const fate of ['lost', 'never asked'] as const)
  test(`an answer that is ${fate}: given again after the next pull, also after a restart, and stored once`, async (t) => {
    const { sender, receiver } = await pair(t, 25, 10);
    const wire: Wire = { requests: [], answers: () => fate };
    await assert.rejects(give(receiver, sender, wire), TransportError);
    assert.deepEqual(acknowledged(sender, receiver), fate === 'lost' ? [25, 3] : [0, 0]);
    receiver.restart();
    sender.restart();
    assertFacts(sender, 5);
    pull(sender, receiver, 10);
    const again: Wire = { requests: [] };
    await give(receiver, sender, again);
    assert.deepEqual([...acknowledged(sender, receiver), again.requests.length], [30, 4, 1]);
    await give(receiver, sender, again);
    assert.equal(again.requests.length, 1, 'nothing is due any more');
  });

test('the mark of what was taken is gone: all are given again, none is stored twice', async (t) => {
  const { sender, receiver } = await pair(t, 25, 10);
  await give(receiver, sender, { requests: [] });
  receiver.journal.db.exec("DELETE FROM state WHERE name LIKE 'receipts %'");
  receiver.restart();
  const wire: Wire = { requests: [] };
  await give(receiver, sender, wire);
  assert.deepEqual([...acknowledged(sender, receiver), wire.requests.length], [25, 3, 1]);
});

test('more pages than one request has room for: as many requests as it takes, each within its limit', async (t) => {
  const { sender, receiver } = await pair(t, 200, 1);
  const wire: Wire = { requests: [], answers: (n) => (n === 3 ? 'lost' : 'given') };
  await assert.rejects(give(receiver, sender, wire), TransportError);
  await give(receiver, sender, wire);
  assert.deepEqual([...acknowledged(sender, receiver), wire.requests.length], [200, 200, 5]);
});

test('a sender that does not know the receiver’s key takes none, until it does', async (t) => {
  const [sender, receiver] = [new Node(t, 'acme.example'), new Node(t, 'globex.example')];
  assertFacts(sender, 5);
  pull(sender, receiver, 10);
  await give(receiver, sender, { requests: [] });
  assert.deepEqual(acknowledged(sender, receiver), [0, 0]);
  const { nodeId } = receiver.identity;
  const declaration = await receiver.declaration();
  const pin = (): number | undefined =>
    sender.methods.pinIfNew(nodeId, declaration, { event: 'peer_verified' }, NOW_MS);
  assert.notEqual(pin(), undefined);
  assert.equal(pin(), undefined, 'pinned twice');
  await give(receiver, sender, { requests: [] });
  assert.deepEqual(acknowledged(sender, receiver), [5, 1]);
});

test('wrong receipts are answered like right ones, and none is stored', async (t) => {
  const { sender, receiver } = await pair(t, 25, 10);
  const { nodeId } = receiver.identity;
  const honest = { sender: sender.signer.name, feed: 'public', after: 0, to: 10, accepted: 10, refused: 0 };
  const otherKey = createLogSigner(receiver.signer.name, seed('another'));
  const wrong = [
    signReceipt(honest, 'note', otherKey),
    signReceipt(honest, 'note', createLogSigner('hooli.example/journal/x', seed('hooli'))),
    signReceipt({ ...honest, sender: 'hooli.example/journal/00000000000000dd' }, 'note', receiver.signer),
    signReceipt({ ...honest, after: 20, to: 26, accepted: 6 }, 'note', receiver.signer),
    signReceipt({ ...honest, feed: 'company/secret' }, 'note', receiver.signer),
    'no receipt',
  ];
  assert.equal(sender.methods.takeReceipts(nodeId, wrong, NOW_MS), wrong.length);
  assert.deepEqual(acknowledged(sender, receiver), [0, 0]);
  const twice = signReceipt(honest, 'note', receiver.signer);
  assert.equal(sender.methods.takeReceipts(nodeId, [twice, twice], NOW_MS), 2);
  assert.deepEqual(acknowledged(sender, receiver), [10, 1]);
});

test('a receipt for more than was given is dropped: no peer makes the ledger look cut off', async (t) => {
  const { sender, receiver } = await pair(t, 25, 10);
  await give(receiver, sender, { requests: [] });
  assertFacts(sender, 15);
  const { nodeId } = receiver.identity;
  const page = { sender: sender.signer.name, feed: 'public', accepted: 5, refused: 0 };
  const lies = [
    signReceipt({ ...page, after: 25, to: 30 }, 'a page that was never sent', receiver.signer),
    signReceipt({ ...page, after: 25, to: 41 }, 'a page that cannot be', receiver.signer),
  ];
  assert.equal(sender.methods.takeReceipts(nodeId, lies, NOW_MS), 2, 'answered alike');
  assert.deepEqual(acknowledged(sender, receiver), [25, 3]);
  const clean = (): readonly unknown[] =>
    checkJournal(filesOf(sender.folder), { logKey: sender.signer.publicKey }).problems;
  assert.deepEqual(clean(), []);
  sender.given(receiver, 30, 25);
  assert.equal(sender.methods.takeReceipts(nodeId, lies, NOW_MS), 2);
  assert.deepEqual([acknowledged(sender, receiver), clean()], [[30, 4], []]);
});

test('a flood from one peer: the first so many are kept, all are answered alike, and no other peer loses one', async (t) => {
  const limit = 10;
  const sender = new Node(t, 'acme.example');
  const [flooding, other] = [new Node(t, 'globex.example'), new Node(t, 'hooli.example')];
  assertFacts(sender, 60);
  for (const node of [flooding, other])
    sender.methods.pinIfNew(node.identity.nodeId, await node.declaration(), { event: 'peer_verified' }, NOW_MS);
  for (const node of [flooding, other]) sender.given(node, 60);
  const limited = receiptsMethods(sender.journal, sender.records, sender.signer, limit);
  const giveOf = ({ identity, signer }: Node, from: number, count: number): void => {
    const origin = sender.signer.name;
    const receipts = Array.from({ length: count }, (_, i) => {
      const page = { sender: origin, feed: 'public', after: from + i, to: from + i + 1, accepted: 1, refused: 0 };
      return signReceipt(page, `note ${from + i}`, signer);
    });
    assert.equal(limited.takeReceipts(identity.nodeId, receipts, NOW_MS), count);
  };
  const kept = ({ identity }: Node): readonly number[] =>
    sender.records.list({ peer: identity.nodeId, feed: null, cursor: 0, limit: 100 }).map(({ to }) => to);

  giveOf(other, 0, 3);
  for (let round = 0; round < 3; round++) for (let from = 0; from < 60; from += 15) giveOf(flooding, from, 15);
  assert.deepEqual(kept(flooding), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(acknowledged(sender, flooding), [limit, limit]);
  assert.deepEqual(kept(other), [1, 2, 3]);
  giveOf(other, 3, 2);
  assert.deepEqual(kept(other), [1, 2, 3, 4, 5], 'who has room goes on');
});

test('how many receipts a peer has sent is counted once, not with each of its messages', (t) => {
  const { journal, records } = new Node(t, 'acme.example');
  const [many, few] = ['stigmem://globex.example', 'stigmem://hooli.example'];
  journal.db.transaction(() => {
    for (let to = 1; to <= 20_000; to++) records.save(many, { feed: 'public', after: to - 1, to }, 'a note', NOW_MS);
    records.save(few, { feed: 'public', after: 0, to: 1 }, 'a note', NOW_MS);
  })();
  const fresh = new ReceiptRecords(journal.db);
  const startedMs = performance.now();
  for (let i = 0; i < 5_000; i++) assert.equal(fresh.count(many), 20_000);
  // Each on its own, they took half a minute.
  assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`);
  fresh.save(many, { feed: 'public', after: 20_000, to: 20_001 }, 'a note', NOW_MS);
  assert.deepEqual([fresh.count(many), fresh.count(few)], [20_001, 1]);
});
