/**
 * Journals in temporary folders, made by the real code: own facts through the rules for own facts, peers' facts through
 * pages of an HonestPeer that are opened and judged. Clock and fact ids are fixed, salts are random.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { grantText } from '../../src/core/disclosure.ts';
import { type JsonValue, parseJson } from '../../src/core/json.ts';
import { nextLogLine } from '../../src/core/reference/local-log.ts';
import { EPOCH_MS } from '../../src/drill/peer-log.ts';
import { type NewRow, prepareAppend } from '../../src/journal/appended.ts';
import { type FourEyes, NO_FOUR_EYES } from '../../src/journal/approvals.ts';
import { DisclosureRecords } from '../../src/journal/disclosure-records.ts';
import { hashText } from '../../src/journal/entry-row.ts';
import { ErasureAcks } from '../../src/journal/erasure-acks.ts';
import { JOURNAL_FILE, type JournalIdentity } from '../../src/journal/files.ts';
import { initJournal } from '../../src/journal/init.ts';
import { type AppendedPage, Journal } from '../../src/journal/journal.ts';
import { KeptNotes } from '../../src/journal/kept-notes.ts';
import { ReceiptRecords } from '../../src/journal/receipt-records.ts';
import { SinkRecords } from '../../src/journal/sink-records.ts';
import { type AnchorSigner, createAnchorSigner, signAnchor } from '../../src/merkle/ecdsa.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_ECDSA } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { Projector } from '../../src/projections/projector.ts';
import { RecallIndex } from '../../src/projections/recall-index.ts';
import { retryNext } from '../../src/pull/retry-pages.ts';
import { Erasing } from '../../src/threads/erasing.ts';
import { type AssertRequest, type VerifiedAssertion, verifyAssertion } from '../../src/verify/assertion.ts';
import type { InclusionPaths } from '../../src/verify/judge.ts';
import { openStatements } from '../../src/verify/key-chain.ts';
import { signErasureAck } from '../../src/wire/erasure-ack.ts';
import type { PageFrames } from '../../src/wire/page.ts';
import { signReceipt } from '../../src/wire/page-receipt.ts';
import { signSuccession } from '../../src/wire/succession.ts';
import { HonestPeer } from './honest-peer.ts';
import { judged } from './judging.ts';

export const IDENTITY: JournalIdentity = {
  nodeId: 'stigmem://globex.example',
  journalOrigin: 'globex.example/journal/00000000000000bb',
  auditOrigin: 'globex.example/audit/00000000000000bc',
  createdAt: '2026-01-01T00:00:00.000000+00:00',
};
export const LOG_SEED: Uint8Array = sha256('log seed');
export const LOG_KEY: Uint8Array = createLogSigner(IDENTITY.journalOrigin, LOG_SEED).publicKey;
/** Some hours after the first fact of an HonestPeer. */
export const NOW_MS: number = EPOCH_MS + 3_600_000;

/** A folder that is removed when the test ends. */
export function temporaryFolder(test: { after(clean: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-journal-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function newJournal(folder: string): Journal {
  initJournal(folder, IDENTITY);
  return openJournal(folder);
}

/** @param guarded as a daemon with peers opens it */
export function openJournal(folder: string, guarded = false, fourEyes: FourEyes = NO_FOUR_EYES): Journal {
  let drawn = 0;
  return Journal.open(folder, {
    logSeed: LOG_SEED,
    cacheMiB: 4,
    guarded,
    fourEyes,
    random: (bytes) => {
      bytes.set(sha256(`random ${folder} ${drawn++} ${process.hrtime.bigint()}`).subarray(0, bytes.length));
      return bytes;
    },
  });
}

/** A plain connection, as any other program would open the file. */
export function openRaw(folder: string): Database.Database {
  return new Database(join(folder, JOURNAL_FILE));
}

/** Takes every guard off, as somebody with the file in hand can. */
export function dropGuards(db: Database.Database): void {
  const triggers = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
  for (const name of triggers) db.exec(`DROP TRIGGER ${name}`);
}

export function ownFact(
  n: number,
  overrides: Partial<AssertRequest> = {},
  nodeAuthority = 'globex.example',
): VerifiedAssertion {
  const request: AssertRequest = {
    entity: `stigmem://globex.example/service/s${n}`,
    relation: 'memory:status',
    value_type: 'text',
    value: `state ${n} “naïve”` as JsonValue,
    source: 'stigmem://globex.example/agent/a1',
    confidence: 0.5 + (n % 5) / 10,
    scope: 'public',
    valid_until: null,
    garden_id: null,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
    ...overrides,
  };
  const verified = verifyAssertion(request, {
    nodeAuthority,
    nowMs: NOW_MS,
    maxValueBytes: 65_536,
    mayWriteInstructions: true,
  });
  if (!verified.ok) throw new Error(`${verified.error.code}: ${verified.error.message}`);
  return verified.value;
}

export function appendOwn(journal: Journal, count: number, overrides: Partial<AssertRequest> = {}): void {
  const facts = Array.from({ length: count }, (_, i) => ownFact(journal.size + i, overrides));
  journal.appendOwn(facts, NOW_MS + journal.size);
}

/** Pulls one page, as the pull path does. */
export function pullPage(
  journal: Journal,
  peer: HonestPeer,
  count: number,
  options: {
    feed?: string;
    frames?: (frames: PageFrames) => PageFrames;
    inclusion?: InclusionPaths;
    nowMs?: number;
  } = {},
): AppendedPage {
  const nowMs = options.nowMs ?? NOW_MS;
  const feed = options.feed ?? 'public';
  const after = journal.peers.cursor(peer.nodeId, feed);
  const known = journal.peers.checkpoint(peer.nodeId);
  const frames = peer.page({ feed, after, count, knownSize: known?.size ?? 0 });
  const ctx = peer.context({
    feed,
    after,
    known,
    knownFeedLength: journal.peers.feedLength(peer.nodeId, feed),
    neighbour: journal.peers.neighbour(peer.nodeId),
    nowMs: NOW_MS,
  });
  const told = options.frames === undefined ? frames : peer.signed(options.frames(frames));
  const batch = judged(told, ctx, [], options.inclusion);
  return journal.appendPage(batch, nowMs);
}

/** Two peers, refusals, a quarantined fact, a refused page, own facts of many shapes: something in every table. */
export function fillJournal(journal: Journal, own = 300, refused = 285): void {
  const acme = new HonestPeer();
  acme.appendMany(30);
  acme.append({ source: 'stigmem://hooli.example/agent/x' });
  acme.append({ interpret_as: 'instruction' });
  acme.append({ scope: 'company', valid_until: '2027-01-01T00:00:00Z' });
  acme.appendMany(10);
  const identity = createLogSigner(acme.nodeId, sha256('identity of acme'));
  journal.pinDeclaration(acme.nodeId, acme.declaration(identity, 'peer id of acme'), PINNED, NOW_MS);
  journal.head(0);

  appendOwn(journal, Math.ceil(own / 2));
  pullPage(journal, acme, 20);
  journal.head(0);
  anchor(journal);
  pullPage(journal, acme, 15);
  pullPage(journal, acme, 15);
  pullPage(journal, acme, 10, { feed: 'company' });
  acme.appendMany(5);
  pullPage(journal, acme, 15);
  const initech = new HonestPeer({ authority: 'initech.example', journal: '00000000000000cc' }).appendMany(12);
  pullPage(journal, initech, 20);

  for (let i = 0, left = refused; left > 0; i++, left -= RECORDED_EACH)
    pullLies(journal, `h${i}.example`, Math.min(left, RECORDED_EACH));
  if (refused > RECORDED_EACH) pullLies(journal, 'hooli.example', 3 * RECORDED_EACH);
  retryAcme(journal, acme);

  appendOwn(journal, 1, { scope: 'company', garden_id: 'incident-42', derived_from: ['sha256:00', 'a "quoted" id'] });
  appendOwn(journal, 1, { scope: 'local', attestation: { key_id: 'k1', signature: 'c2lnbmF0dXJl' } });
  appendOwn(journal, 1, { interpret_as: 'instruction', valid_until: '2026-12-31T23:59:59Z' });
  journal.head(0);
  anchor(journal);
  appendOwn(journal, Math.floor(own / 2));
  journal.head(0);
  anchor(journal);
  fillDisclosures(journal, acme.nodeId);
  fillReceipts(journal, acme);
  fillKeptNotes(journal, acme.nodeId);
  fillSinks(journal);
  fillStatements(journal);
  fillSuccessions(journal);
  const projector = new Projector(journal.db);
  while (projector.advance() > 0);
  const words = new RecallIndex(journal.db);
  while (words.advance() > 0);
}

/** An own fact whose body is erased, as a peer acknowledges. Not part of {@link fillJournal}: what an erasure changes, other tests would see. */
export function fillErasures(journal: Journal): void {
  appendOwn(journal, 1);
  const erased = journal.erasures.bodies.row(journal.size);
  if (erased === undefined) throw new Error('nothing was appended');
  const projector = new Projector(journal.db);
  const words = new RecallIndex(journal.db);
  const erasing = new Erasing(journal, [projector, words]);
  const nowMs = NOW_MS + journal.size;
  erasing.request({ fact: erased.fact_id, actor: 'agent:test', reason: 'a test', approves: null }, nowMs);
  while (erasing.advance(nowMs + journal.erasures.settings.undoWindowMs).steps > 0);
  const peer = new HonestPeer();
  const at = { feed: 'public', feedSeq: erased.feed_seq, leafHash: hashText(erased.leaf_hash) };
  const ack = { author: IDENTITY.nodeId, ...at, erasedAt: '2026-01-02T00:00:00.000Z' };
  journal.durably(() =>
    new ErasureAcks(journal.db).save(peer.nodeId, journal.size, signErasureAck(ack, peer.signer), NOW_MS * 1000),
  );
  journal.chainMutationAttempts(nowMs);
  journal.head(0);
  while (projector.advance() > 0);
  while (words.advance() > 0);
}

/** So few refusals of a peer that each has its record. */
const RECORDED_EACH = 16;

function pullLies(journal: Journal, authority: string, lies: number): void {
  const peer = new HonestPeer({ authority, journal: '00000000000000dd' });
  peer.appendMany(5).appendMany(lies, () => ({ source: 'stigmem://acme.example/agent/stolen' }));
  while (journal.peers.cursor(peer.nodeId, 'public') < peer.size) pullPage(journal, peer, 100);
}

/** What it was refused for is corrected, and is judged again. */
function retryAcme(journal: Journal, acme: HonestPeer): void {
  const { peer, accept, nowMs, maxFutureSkewMs, maxPastSkewMs, maxValueBytes } = acme.context({ nowMs: NOW_MS });
  const corrected = { ...peer, namespaces: [...peer.namespaces, 'hooli.example'] };
  const by = { actor: 'agent:ann#00000001', why: 'it speaks for them, too' };
  const rules = { accept, nowMs, maxFutureSkewMs, maxPastSkewMs, maxValueBytes, by, origins: new Map() };
  const page = retryNext(journal, { ...rules, peer: corrected, afterPage: 0 });
  if (page?.resolved.get('source_not_owned') !== 1) throw new Error('nothing was taken');
}

type StatementTable = 'cosigned' | 'cosignatures' | 'seen_checkpoints';

/** Anchors the journal as it stands, with a receipt of a local log. */
function anchor(journal: Journal): void {
  const signer = createAnchorSigner(IDENTITY.journalOrigin, sha256('anchor seed'));
  const checkpoint = journal.makeAnchor('journal', signer, NOW_MS);
  if (checkpoint === null) throw new Error('there is nothing new to anchor');
  const payload = parseJson(
    JSON.stringify({ chain_hash: checkpoint.chainHash, covered_chain_seq: checkpoint.treeSize }),
  );
  if (!payload.ok) throw new Error('a payload is JSON');
  const line = nextLogLine(null, payload.value, NOW_MS / 1000);
  const receipt = {
    logId: '0123456789abcdef',
    logIndex: checkpoint.id - 1,
    integratedTime: 1_700_000_000,
    leafHash: line.leaf_hash,
    entry: line.text.trimEnd(),
    trustRoot: 'root 1',
  };
  journal.saveAnchorReceipt(checkpoint.id, { backend: 'local', ...receipt }, NOW_MS);
}

/** A peer that has pulled some of our own facts, and says so. */
function fillReceipts(journal: Journal, peer: HonestPeer): void {
  const records = new ReceiptRecords(journal.db);
  for (const after of [0, 10, 20]) {
    const page = { feed: 'public', after, to: after + 10 };
    const told = { ...page, sender: IDENTITY.journalOrigin, accepted: 10, refused: 0 };
    records.save(peer.nodeId, page, signReceipt(told, `note of ${after}`, peer.signer), NOW_MS * 1000);
  }
}

/** What a peer was given, under three grants of one feed. */
function fillDisclosures(journal: Journal, peer: string): void {
  const ledger = new DisclosureRecords(journal.db);
  for (const after of [0, 10, 20]) {
    const grant = grantText(peer, { feed: 'public', notBeforeMs: after, notAfterMs: null });
    const run = { peer, feed: 'public', after, to: after + 10, treeSize: 200, grant };
    ledger.save(run, ledger.missing(run), NOW_MS * 1000);
  }
}

/** Receivers of the audit log, each at its place. */
function fillSinks(journal: Journal): void {
  const sinks = new SinkRecords(journal.db);
  for (const name of ['archive', 'siem', 'pager']) {
    sinks.add(name, 0);
    sinks.fail(name, 0, 'unreachable: nobody there', NOW_MS * 1000);
    sinks.ack(name, 0, 1, NOW_MS * 1000);
  }
}

/** What a peer left here about pages of ours. */
function fillKeptNotes(journal: Journal, peer: string): void {
  const kept = new KeptNotes(journal.db);
  const lengths = new Map(journal.feeds().map(({ feed, length }) => [feed, length]));
  for (const after of [0, 10, 20]) {
    const sealed = sha256(`sealed ${after}`).toString('hex').repeat(3);
    kept.keep(peer, { feed: 'public', after, to: after + 10, sealed: Buffer.from(sealed) }, lengths, NOW_MS * 1000);
  }
}

/** Rows of the tables that hold what others signed: their contents are not looked at here. */
function fillStatements(journal: Journal): void {
  const root = sha256('root');
  const at = NOW_MS * 1000;
  const rows: { readonly [T in StatementTable]: NewRow<T> } = {
    cosigned: { origin: 'acme.example/journal/00000000000000aa', tree_size: 9, root, note: 'note a', cosigned_us: at },
    cosignatures: { log: 1, tree_size: 9, witness: 'acme.example/witness', line: 'line', received_us: at },
    seen_checkpoints: { origin: 'o', tree_size: 9, root, note: 'n', seen_from: 'stigmem://a.example', received_us: at },
  };
  for (let i = 1; i <= 3; i++) {
    for (const [table, row] of Object.entries(rows))
      prepareAppend(journal.db, table as 'cosigned')(row as NewRow<'cosigned'>);
  }
}

/** Three changes of the anchor key, one after the other. */
function fillSuccessions(journal: Journal): void {
  const keyOf = (i: number): AnchorSigner => createAnchorSigner(IDENTITY.journalOrigin, sha256(`anchor seed ${i}`));
  const vkeyOf = ({ name, publicKey }: AnchorSigner): string =>
    formatVerifierKey({ name, algorithm: ALG_ECDSA, publicKey });
  for (let i = 1; i <= 3; i++) {
    const [old, next] = [keyOf(i), keyOf(i + 1)];
    const times = { effective_at: '2026-01-01T00:00:00Z', overlap_until: '2026-01-08T00:00:00Z' };
    const succession = { use: 'anchor', old: vkeyOf(old), new: vkeyOf(next), ...times } as const;
    const signers = {
      old: (text: string) => signAnchor(text, old),
      new: (text: string) => signAnchor(text, next),
    };
    const note = signSuccession(IDENTITY.nodeId, succession, signers);
    journal.saveSuccessions(openStatements([note], IDENTITY.nodeId), NOW_MS);
  }
}

const PINNED = { event: 'peer_pinned', peer: 'stigmem://acme.example', detail: {} };

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
