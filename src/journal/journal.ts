/** The writer of a node's journal: one instance, one thread, one process. Everything it does is one transaction. */
import { join } from 'node:path';
import { type Draft, draftReceived } from '../core/draft.ts';
import type { Entry } from '../core/entry.ts';
import { givenFeed } from '../core/feed-name.ts';
import { uuidV7 } from '../core/ids.ts';
import { isoMicros } from '../core/time.ts';
import { appendSignature } from '../merkle/cosignature.ts';
import { type AnchorSigner, signAnchor } from '../merkle/ecdsa.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import type { VerifiedAssertion } from '../verify/assertion.ts';
import { quarantineOf } from '../verify/entry-rules.ts';
import type { VerifiedBatch } from '../verify/judge.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { type AnchorCheckpoint, AnchorRecords, type NewAnchorReceipt } from './anchor-records.ts';
import { Approvals, NO_FOUR_EYES } from './approvals.ts';
import { AuditLog } from './audit-log.ts';
import { fillCases } from './case-filling.ts';
import { JournalClock } from './clock.ts';
import { type Db, openDatabase } from './database.ts';
import { draftOwn } from './drafts.ts';
import { EntryLog } from './entry-log.ts';
import { hashBytes } from './entry-row.ts';
import { DEFAULT_ERASURES, Erasures } from './erasures.ts';
import { EvidenceStore } from './evidence-store.ts';
import { JOURNAL_FILE, type JournalIdentity, SIGNED_HEADS_FILE } from './files.ts';
import { JournalGuard } from './guard.ts';
import { readIdentity } from './identity.ts';
import type { JournalOptions } from './journal-options.ts';
import { KeyStatements, successionDetail } from './key-statements.ts';
import { MutationWatch } from './mutation-watch.ts';
import { PagePlaces } from './page-places.ts';
import { PeerRecords } from './peer-records.ts';
import { restoreQuarantine } from './quarantine.ts';
import type { AuditInput, JournalHead } from './read-model.ts';
import { type FoundContradiction, Refusals, type RefusedFacts, type RefusedPageInput } from './refusals.ts';
import { RetriedPages } from './retried-pages.ts';
import { SeenFacts } from './seen-facts.ts';
import { SignedHeadFile } from './signed-heads.ts';
import { CheckpointSigner } from './signing.ts';
import { explain } from './sqlite-fault.ts';
import type { LogName } from './tables.ts';
import { WitnessRecords } from './witness-records.ts';

/** What a verified page became. */
export interface AppendedPage extends RefusedFacts {
  /** First and last `chain_seq` given; null when nothing was accepted. */
  readonly appended: { readonly first: number; readonly last: number } | null;
  readonly to: number;
  readonly duplicates: number;
}

export class Journal {
  readonly identity: JournalIdentity;
  readonly peers: PeerRecords;
  readonly guard: JournalGuard;
  readonly anchors: AnchorRecords;
  readonly witness: WitnessRecords;
  readonly statements: KeyStatements;
  readonly erasures: Erasures;
  readonly approvals: Approvals;
  readonly retries: RetriedPages;
  readonly seen: SeenFacts;
  readonly refusals: Refusals;
  readonly #db: Db;
  readonly #entries: EntryLog;
  readonly #audit: AuditLog;
  readonly #evidence: EvidenceStore;
  readonly #signer: CheckpointSigner;
  readonly #attempts: MutationWatch;
  readonly #random: JournalOptions['random'];
  readonly #places: PagePlaces;
  readonly #clock: JournalClock;

  private constructor(db: Db, identity: JournalIdentity, heads: SignedHeadFile, options: JournalOptions) {
    this.#db = db;
    this.identity = identity;
    this.#entries = new EntryLog(db);
    this.#audit = new AuditLog(db, options.traceId);
    this.erasures = new Erasures(db, this.#audit, options.erasures ?? DEFAULT_ERASURES);
    this.#evidence = new EvidenceStore(db);
    this.approvals = new Approvals(db, this.#audit, options.fourEyes ?? NO_FOUR_EYES);
    this.peers = new PeerRecords(db);
    this.#places = new PagePlaces(db);
    const log = createLogSigner(identity.journalOrigin, options.logSeed, options.formerLogSeeds);
    this.anchors = new AnchorRecords(db);
    this.witness = new WitnessRecords(db);
    this.statements = new KeyStatements(db);
    this.#signer = new CheckpointSigner(db, heads, {
      journal: log,
      audit: createLogSigner(identity.auditOrigin, options.logSeed, options.formerLogSeeds),
    });
    this.guard = new JournalGuard({
      db,
      heads,
      signer: this.#signer,
      entries: this.#entries,
      audit: this.#audit,
      evidence: this.#evidence,
      log: { origin: log.name, key: log.publicKey },
      transact: (work) => this.#transact(work),
      onPutBack: (entries, nowMs) => this.#takePutBack(entries, nowMs),
    });
    this.#attempts = new MutationWatch(db);
    this.#random = options.random;
    this.seen = new SeenFacts(db, this.erasures);
    this.refusals = new Refusals(db, this.#audit, this.#evidence);
    this.retries = new RetriedPages(db, {
      entries: this.#entries,
      audit: this.#audit,
      refusals: this.refusals,
      transact: (work) => this.#transact(work),
      onReceived: (entries, nowMs) => this.#takeLate(entries, nowMs),
    });
    this.#clock = new JournalClock(db);
  }

  /**
   * Opens the journal of a data folder for writing. The caller holds the folder's lock.
   *
   * @throws JournalError `schema_unknown`, or `history_rewritten` if it is not the one that was signed last
   */
  static open(folder: string, options: JournalOptions): Journal {
    const db = openDatabase(join(folder, JOURNAL_FILE), { ...options, readonly: false });
    try {
      fillCases(db, options.onCasesFilled);
      const path = options.signedHeadsFile ?? join(folder, SIGNED_HEADS_FILE);
      const heads = options.guarded === true ? SignedHeadFile.openOrCreate(path) : SignedHeadFile.open(path);
      const journal = new Journal(db, readIdentity(db), heads, options);
      if (options.guarded === true) journal.guard.begin(Date.now());
      else {
        journal.guard.assertNotForked();
        journal.#signer.assertExtendsSigned('journal', journal.#entries.size);
        journal.#signer.assertExtendsSigned('audit', journal.#audit.size);
      }
      restoreQuarantine(db);
      return journal;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get auditSize(): number {
    return this.#audit.size;
  }

  /** The peer is one that a drill of this node has made. */
  isDrill(peer: string): boolean {
    return this.#audit.drills.has(peer);
  }

  /** The connection, for projections that follow in the same thread. */
  get db(): Db {
    return this.#db;
  }

  /**
   * Appends facts that were asserted here.
   *
   * @param save writes what belongs to them, in the same transaction, and gives the record of it
   */
  appendOwn(
    assertions: readonly VerifiedAssertion[],
    nowMs: number,
    save?: (entries: readonly Entry[]) => AuditInput,
  ): Entry[] {
    this.guard.assertOpen();
    return this.#transact(() => {
      const drafts = assertions.map((assertion) => this.#draftOwn(assertion, nowMs));
      const entries = this.#entries.append(drafts, nowMs * 1000);
      this.#clock.store();
      if (save !== undefined) this.#audit.append(save(entries), null, nowMs * 1000);
      return entries;
    });
  }

  /**
   * Takes a verified page: facts, refusals with their evidence, the page as received and the cursor, or nothing of it.
   * A crash before the commit leaves the cursor where it was, and the page is asked for again.
   */
  appendPage(batch: VerifiedBatch, nowMs: number): AppendedPage {
    this.guard.assertOpen();
    return this.#transact(() => {
      const { peer } = batch;
      const nowUs = nowMs * 1000;
      this.peers.assertCursor(batch);
      const first = this.#entries.size + 1;
      const entries = this.#entries.append(
        batch.accepted.map(({ entry, leafHash }) => draftReceived(entry, leafHash, peer.nodeId)),
        nowUs,
      );
      for (const [i, fact] of batch.accepted.entries())
        if (fact.quarantine !== null) this.refusals.quarantined(entries[i] as Entry, fact.quarantine, batch, nowUs);
      const refused = this.refusals.facts(batch, nowUs);
      const pageId = this.peers.saveProgress(batch, nowUs);
      if (pageId !== null && entries.length > 0) this.#places.save(pageId, first, entries.length);
      if (pageId !== null && batch.refused.length > 0)
        this.retries.pages.save({ pageId, peer: peer.nodeId, feed: batch.feed }, batch.refused);
      if (pageId !== null) this.erasures.copied(pageId, batch.copies);
      if (pageId !== null) this.erasures.blanked(pageId, batch.gone, batch.author);
      this.erasures.take(entries, nowUs);
      this.#clock.receive(entries, nowMs);
      return {
        appended: entries.length === 0 ? null : { first, last: this.#entries.size },
        to: batch.to,
        ...refused,
        duplicates: batch.duplicates,
      };
    });
  }

  /** Records a page that was refused as a whole. The cursor stays. @returns the sequence of the audit record */
  recordRefusedPage(page: RefusedPageInput, nowMs: number): number {
    return this.#transact(() => this.refusals.page(page, nowMs * 1000));
  }

  /** Writes the summaries of refusals that have waited for an hour. @returns how many; looking costs some 10 µs */
  summarizeRefusals(nowMs: number): number {
    if (!this.refusals.isOverdue(nowMs * 1000)) return 0;
    return this.#transact(() => this.refusals.writeOverdue(nowMs * 1000));
  }

  /**
   * Records two heads of a peer's log that contradict each other, and suspends the peer.
   *
   * @param save writes what belongs to it, in the same transaction
   * @returns the sequence of the audit record
   */
  recordContradiction(found: FoundContradiction, save: () => void, nowMs: number): number {
    return this.#transact(() => {
      save();
      return this.refusals.contradiction(found, nowMs * 1000);
    });
  }

  /** Runs `work`, which may write audit records, as one transaction: what it writes is durable when it returns. */
  durably<T>(work: (record: (input: AuditInput, nowMs: number) => number) => T): T {
    return this.#transact(() => work((input, nowMs) => this.#audit.append(input, null, nowMs * 1000)));
  }

  /** @param save writes what belongs to the record, in the same transaction */
  audit(input: AuditInput, nowMs: number, save?: () => void): number {
    return this.#transact(() => {
      save?.();
      return this.#audit.append(input, null, nowMs * 1000);
    });
  }

  /** A record with its evidence. */
  auditEvidence(input: AuditInput, evidence: string, nowMs: number): number {
    return this.#transact(() => this.#audit.append(input, this.#evidence.save(evidence), nowMs * 1000));
  }

  /** Pins a peer's signed declaration, with its audit record. */
  pinDeclaration(peer: string, note: string, input: AuditInput, nowMs: number): number {
    return this.#transact(() => {
      this.peers.saveDeclaration(peer, note, nowMs * 1000);
      return this.#audit.append(input, null, nowMs * 1000);
    });
  }

  /**
   * Keeps statements of key successions that are news, each with its audit record.
   *
   * @param learnedFrom for this node's own, made after the copy that was put back here: the peer that has shown them
   * @returns how many were news
   */
  saveSuccessions(statements: readonly OpenedSuccession[], nowMs: number, learnedFrom?: string): number {
    const event = learnedFrom === undefined ? 'peer_key_succession' : 'key_succession_learned';
    return this.#transact(() => {
      const news = this.statements.save(statements, nowMs * 1000);
      for (const one of news) {
        const input = { event, peer: learnedFrom ?? one.nodeId, detail: successionDetail(one) };
        this.#audit.append(input, null, nowMs * 1000);
      }
      return news.length;
    });
  }

  /** One of this node's keys takes the place of another: statement, audit record and the fact that shows it, or nothing. */
  changeKey(statement: OpenedSuccession, fact: VerifiedAssertion, actor: string, nowMs: number): void {
    this.appendOwn([fact], nowMs, () => {
      this.statements.save([statement], nowMs * 1000);
      return { event: 'key_succession', actor, detail: successionDetail(statement) };
    });
  }

  /** Chains what the guards have written since the last call. @returns sequences of the new audit records */
  chainMutationAttempts(nowMs: number): number[] {
    const { lastId, records } = this.#attempts.unchained();
    if (records.length === 0) return [];
    const seqs = this.#transact(() => records.map((record) => this.#audit.append(record, null, nowMs * 1000)));
    this.#attempts.chained(lastId);
    return seqs;
  }

  /**
   * Makes the checkpoint of a log that goes to transparency logs, if the log has grown since the last one. Durable with the
   * anchor key's one signature when it returns: whatever happens to a submission, the next one sends the same bytes.
   */
  makeAnchor(log: LogName, signer: AnchorSigner, nowMs: number): AnchorCheckpoint | null {
    const tree = log === 'journal' ? this.#entries : this.#audit;
    if (tree.size === 0 || this.guard.isHeld || this.anchors.latest(log)?.treeSize === tree.size) return null;
    return this.#transact(() => {
      const head = this.#signer.head(log, tree);
      const text = head.note.slice(0, head.note.lastIndexOf('\n\n') + 1);
      const id = this.anchors.add(log, {
        treeSize: head.size,
        root: Buffer.from(head.root, 'base64'),
        chainHash: tree.head === null ? null : hashBytes(tree.head),
        note: appendSignature(head.note, signAnchor(text, signer)),
        createdUs: nowMs * 1000,
      });
      return this.anchors.byId(id);
    });
  }

  /** Records what a transparency log returned. */
  saveAnchorReceipt(id: number, receipt: NewAnchorReceipt, nowMs: number): void {
    this.#transact(() => this.anchors.addReceipt(id, receipt, nowMs * 1000));
  }

  /** Signs what has grown and says where both logs stand. */
  head(projectionLag: number): JournalHead {
    const journal = this.#signer.head('journal', this.#entries);
    const audit = this.#signer.head('audit', this.#audit);
    return {
      size: journal.size,
      root: journal.root,
      chainHash: this.#entries.head,
      checkpoint: journal.note,
      origin: this.identity.journalOrigin,
      auditSize: audit.size,
      auditCheckpoint: audit.note,
      auditOrigin: this.identity.auditOrigin,
      feeds: this.#entries.feeds(),
      projectionLag,
    };
  }

  feeds(): readonly { readonly feed: string; readonly length: number }[] {
    return this.#entries.feeds();
  }

  close(): void {
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      this.#db.close();
    }
  }

  /** All or nothing, in the file and in memory. */
  #transact<T>(work: () => T): T {
    const entries = this.#entries.save();
    const audit = this.#audit.save();
    const clock = this.#clock.save();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      this.#entries.restore(entries);
      this.#audit.restore(audit);
      this.#clock.restore(clock);
      throw explain(error);
    }
  }

  #draftOwn(assertion: VerifiedAssertion, nowMs: number): Draft {
    const hlc = this.#clock.tick(nowMs);
    const factId = uuidV7(nowMs, this.#random(new Uint8Array(10)));
    return draftOwn(assertion, { factId, hlc, timestamp: isoMicros(nowMs * 1000) });
  }

  /** What ordinary appending does besides: what is hidden from reads stays so. */
  #takePutBack(entries: readonly Entry[], nowMs: number): void {
    for (const entry of entries) {
      const reason = entry.origin === null ? null : quarantineOf(entry);
      const feed = givenFeed(entry);
      if (entry.received_from === null || reason === null || !feed.ok) continue;
      const from = { peer: { nodeId: entry.received_from }, feed: feed.value };
      this.refusals.quarantined(entry, reason, from, nowMs * 1000);
    }
    this.#takeLate(entries, nowMs);
  }

  /** What came beside the order of its feed. */
  #takeLate(entries: readonly Entry[], nowMs: number): void {
    this.erasures.takePutBack(entries, this.identity.nodeId, nowMs * 1000);
    this.#clock.receive(entries, nowMs);
  }
}
