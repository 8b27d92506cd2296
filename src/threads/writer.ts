/** The journal's thread: the only one that writes. Pages are verified and appended here, so that the main loop stays free. */
import { randomFillSync } from 'node:crypto';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { FourEyes } from '../journal/approvals.ts';
import { AuditReader } from '../journal/audit-reader.ts';
import { storedClockMs } from '../journal/clock.ts';
import { EntryReader } from '../journal/entry-reader.ts';
import type { ErasureSettings } from '../journal/erasures.ts';
import type { JournalIdentity } from '../journal/files.ts';
import { Journal } from '../journal/journal.ts';
import type { AssertOutcome, AuditInput, JournalHead, PeerProgress } from '../journal/read-model.ts';
import { ReceiptRecords } from '../journal/receipt-records.ts';
import { RefusalNotices } from '../journal/refusal-notices.ts';
import { createLogSigner, type LogSigner } from '../merkle/ed25519.ts';
import type { WitnessPolicy } from '../merkle/tlog-policy.ts';
import { currentTrace } from '../observe/trace.ts';
import { FactReader } from '../projections/fact-reader.ts';
import { Projector } from '../projections/projector.ts';
import { RecallIndex } from '../projections/recall-index.ts';
import { type IngestInput, type IngestOutcome, PageIngest } from '../pull/ingest.ts';
import type { AssertContext } from '../verify/assertion.ts';
import { type AnchorMethods, anchorMethods } from './anchor-methods.ts';
import { type ApprovalMethods, approvalMethods } from './approval-methods.ts';
import { Asserting, type SentAssertRequest } from './asserting.ts';
import { type CaseMethods, caseMethods } from './case-methods.ts';
import { CatchUp, STEP_CLOCK } from './catch-up.ts';
import { type DeclarationMethods, declarationMethods } from './declaration-methods.ts';
import { type DrillMethods, drillMethods } from './drill-methods.ts';
import { Erasing } from './erasing.ts';
import { type ErasureMethods, erasureMethods } from './erasure-methods.ts';
import { type GrantsMethods, grantsMethods } from './grants-methods.ts';
import { type GuardMethods, guardMethods } from './guard-methods.ts';
import { type KeyMethods, keyMethods } from './key-methods.ts';
import { type NotesMethods, notesMethods } from './notes-methods.ts';
import { type NoticesMethods, noticesMethods } from './notices-methods.ts';
import { type QuarantineMethods, quarantineMethods } from './quarantine-methods.ts';
import { type RecallMethods, recallMethods } from './recall-methods.ts';
import { type ReceiptsMethods, receiptsMethods } from './receipts-methods.ts';
import { type RelayMethods, relayMethods } from './relay-methods.ts';
import { type RelayedAckMethods, relayedAckMethods } from './relayed-ack-methods.ts';
import { type RetryMethods, retryMethods } from './retry-methods.ts';
import { serveCalls } from './rpc.ts';
import { type SinkMethods, sinkMethods } from './sink-methods.ts';
import { type WitnessMethods, witnessMethods } from './witness-methods.ts';

export interface WriterData {
  readonly folder: string;
  readonly logSeed: Uint8Array;
  readonly formerLogSeeds: readonly Uint8Array[];
  /** Private scalar of the anchor key. */
  readonly anchorSeed: Uint8Array;
  readonly witnessSeed: Uint8Array;
  /** What restore notes are sealed under comes from it. */
  readonly restoreSeed: Uint8Array;
  readonly formerWitnessSeeds: readonly Uint8Array[];
  /** The node's own policy, parsed; null: none. */
  readonly witnessPolicy: WitnessPolicy | null;
  readonly cacheMiB: number;
  readonly signedHeadsFile: string;
  /** Starts held by the restore guard. */
  readonly guarded: boolean;
  readonly erasures: ErasureSettings;
  readonly fourEyes: FourEyes;
}

/** What the writer tells by itself. */
export type WriterEvent =
  | {
      readonly kind: 'grown';
      readonly size: number;
      readonly feeds: readonly { feed: string; length: number }[];
      /** Time of the call that appended. */
      readonly seconds: number;
    }
  | { readonly kind: 'audited'; readonly seq: number }
  /** The schema is brought to this version, of so many, before anything else is answered. */
  | { readonly kind: 'migrating'; readonly version: number; readonly last: number }
  /** Cases are made of so many audit records, of these; nothing else is answered before. */
  | { readonly kind: 'filling_cases'; readonly done: number; readonly of: number }
  /** Bodies of facts of these nodes are gone from the file: they are to be told. */
  | { readonly kind: 'erased'; readonly authors: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string }
  /** Look-ups or the index of words cannot be filled; null: they can again. */
  | { readonly kind: 'derived'; readonly fault: WriterFault | null };

export interface WriterFault {
  readonly code: string | null;
  readonly message: string;
}

export interface WriterStats {
  readonly entries: number;
  readonly auditRecords: number;
  readonly projectionLag: number;
  /** Entries whose words cannot be found yet. */
  readonly recallLag: number;
  /** The journal's own clock, Unix ms: never behind its newest entry. */
  readonly clockMs: number;
}

/** Attempts to change the file, and refusals that wait for their summary. */
const POLL_MS = 1_000;
/** From the end of its window to the clean file an erasure takes three. */
const ERASURE_RUNS = 3;

export interface WriterMethods
  extends AnchorMethods,
    ApprovalMethods,
    CaseMethods,
    GrantsMethods,
    DeclarationMethods,
    DrillMethods,
    ErasureMethods,
    GuardMethods,
    KeyMethods,
    NotesMethods,
    NoticesMethods,
    QuarantineMethods,
    RecallMethods,
    ReceiptsMethods,
    RetryMethods,
    RelayMethods,
    RelayedAckMethods,
    SinkMethods,
    WitnessMethods {
  assert(requests: readonly SentAssertRequest[], context: AssertContext): AssertOutcome[];
  ingestPage(input: IngestInput): IngestOutcome;
  audit(input: AuditInput, nowMs: number): number;
  peerProgress(peer: string, feeds: readonly string[]): PeerProgress;
  isPeerAdded(peer: string): boolean;
  identity(): JournalIdentity;
  head(): JournalHead;
  stats(): WriterStats;
  close(): void;
}

/** The journal, open for writing. */
export interface OpenedWriter {
  readonly methods: WriterMethods;
  /** Runs behind each call, with the time it took. */
  readonly afterCall: (seconds: number) => void;
}

/** @param tell what it says by itself, and between calls */
export function openWriter(data: WriterData, tell: (event: WriterEvent) => void): OpenedWriter {
  const journal = openJournal(data, tell);
  const projector = new Projector(journal.db);
  const words = new RecallIndex(journal.db);
  const signer = createLogSigner(journal.identity.journalOrigin, data.logSeed, data.formerLogSeeds);
  const receipts = new ReceiptRecords(journal.db);
  const facts = new FactReader(journal.db, new EntryReader(journal.db, signer));
  const notices = new RefusalNotices(journal.db);
  const asserting = new Asserting(journal, facts, projector);
  const audit = new AuditReader(journal.db);

  const announce = growthTeller(journal, tell);
  const catchUp = new CatchUp({
    size: () => journal.size,
    lookups: projector,
    words,
    clock: STEP_CLOCK,
    onFault: (error) => tell({ kind: 'derived', fault: error === null ? null : faultOf(error) }),
  });
  const afterCall = (seconds: number): void => {
    announce(seconds);
    catchUp.called();
  };
  const erasing = new Erasing(journal, [projector, words]);
  const due = [
    () => journal.chainMutationAttempts(Date.now()),
    () => journal.summarizeRefusals(Date.now()),
    () => advanceErasures(erasing, tell),
    () => announce(0),
  ];
  const poll = setInterval(() => runEach(due, tell), POLL_MS);

  const erasures = erasureMethods(journal, erasing, signer);
  const methods: WriterMethods = {
    ...guardMethods(journal, signer, data.restoreSeed),
    ...declarationMethods(journal, audit),
    ...outsideMethods(journal, signer, data.anchorSeed),
    ...drillMethods(journal, audit, signer),
    ...witnessMethods(journal, [data.witnessSeed, ...data.formerWitnessSeeds], data.witnessPolicy),
    ...keyMethods(journal),
    ...retryMethods(journal),
    ...reviewMethods(journal, audit, facts),
    ...peerMethods(journal, audit, receipts, signer),
    ...recallMethods(catchUp),
    ...erasures,
    ...relayedAckMethods(journal, audit, erasures),
    assert: (requests, context) => asserting.assert(requests, context),
    audit: (input, nowMs) => journal.audit(input, nowMs),
    peerProgress: (peer, feeds) => progressOf(journal, audit, receipts, notices, peer, feeds),
    isPeerAdded: (peer) => audit.isAdded(peer),
    ...notesMethods(journal),
    identity: () => journal.identity,
    head: () => journal.head(projector.lag(journal.size)),
    stats: () => statsOf(journal, projector, words),
    close: () => {
      clearInterval(poll);
      catchUp.stop();
      // A disk that is full must not keep the thread, and with it the process, from ending.
      runEach([() => journal.chainMutationAttempts(Date.now()), () => journal.close()], tell);
    },
  };
  journal.chainMutationAttempts(Date.now());
  return { methods, afterCall: (seconds) => (journal.db.open ? afterCall(seconds) : undefined) };
}

/** Says what has grown since it was called last. */
function growthTeller(journal: Journal, tell: (event: WriterEvent) => void): (seconds: number) => void {
  let told = { entries: journal.size, audit: journal.auditSize };
  return (seconds) => {
    if (journal.size !== told.entries) tell({ kind: 'grown', size: journal.size, feeds: journal.feeds(), seconds });
    if (journal.auditSize !== told.audit) tell({ kind: 'audited', seq: journal.auditSize });
    told = { entries: journal.size, audit: journal.auditSize };
  };
}

function traceId(): string | null {
  return currentTrace()?.traceId ?? null;
}

function openJournal(data: WriterData, tell: (event: WriterEvent) => void): Journal {
  return Journal.open(data.folder, {
    ...data,
    random: (bytes) => randomFillSync(bytes),
    traceId,
    onMigration: (version, last) => tell({ kind: 'migrating', version, last }),
    onCasesFilled: (done, of) => tell({ kind: 'filling_cases', done, of }),
  });
}

/** What is due now and then. One that fails leaves the others alone, and is tried again. */
function runEach(works: readonly (() => void)[], tell: (event: WriterEvent) => void): void {
  for (const work of works) {
    try {
      work();
    } catch (error) {
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
}

function advanceErasures(erasing: Erasing, tell: (event: WriterEvent) => void): void {
  for (let run = 0; run < ERASURE_RUNS; run++) {
    const { authors, steps } = erasing.advance(Date.now());
    if (authors.length > 0) tell({ kind: 'erased', authors });
    if (steps === 0) return;
  }
}

function serve(port: MessagePort, data: WriterData): void {
  const { methods, afterCall } = openWriter(data, (event) => port.postMessage({ event }));
  let isOpen = true;
  const close = (): void => {
    methods.close();
    isOpen = false;
  };
  serveCalls(port, { ...methods, close }, (seconds) => {
    // The answer to `close` has left; without its port the thread has nothing more to wait for.
    if (isOpen) afterCall(seconds);
    else port.close();
  });
  afterCall(0);
}

function statsOf(journal: Journal, projector: Projector, words: RecallIndex): WriterStats {
  return {
    entries: journal.size,
    auditRecords: journal.auditSize,
    projectionLag: projector.lag(journal.size),
    recallLag: words.lag(journal.size),
    clockMs: storedClockMs(journal.db),
  };
}

function faultOf(error: unknown): WriterFault {
  if (!(error instanceof Error)) return { code: null, message: String(error) };
  return { code: 'code' in error ? String(error.code) : null, message: error.message };
}

/** What leaves for those who are no peers: checkpoints to transparency logs, audit records to receivers. */
function outsideMethods(journal: Journal, signer: LogSigner, anchorSeed: Uint8Array): AnchorMethods & SinkMethods {
  return { ...anchorMethods(journal, anchorSeed), ...sinkMethods(journal, signer) };
}

/** What people decide. */
function reviewMethods(
  journal: Journal,
  audit: AuditReader,
  facts: FactReader,
): ApprovalMethods & CaseMethods & QuarantineMethods {
  return { ...approvalMethods(journal, audit), ...caseMethods(journal), ...quarantineMethods(journal, facts) };
}

/** What peers give and are given. */
function peerMethods(
  journal: Journal,
  audit: AuditReader,
  receipts: ReceiptRecords,
  signer: LogSigner,
): Pick<
  WriterMethods,
  'ingestPage' | keyof GrantsMethods | keyof RelayMethods | keyof NoticesMethods | keyof ReceiptsMethods
> {
  const pages = new PageIngest(journal);
  return {
    ingestPage: (input) => pages.ingest(input),
    ...grantsMethods(journal, audit, signer),
    ...relayMethods(journal, audit, signer),
    ...noticesMethods(journal, audit, signer),
    ...receiptsMethods(journal, receipts, signer),
  };
}

function progressOf(
  journal: Journal,
  audit: AuditReader,
  receipts: ReceiptRecords,
  notices: RefusalNotices,
  peer: string,
  feeds: readonly string[],
): PeerProgress {
  const { peers } = journal;
  const checkpoint = peers.checkpoint(peer);
  return {
    peer,
    cursors: feeds.map((feed) => ({ feed, after: peers.cursor(peer, feed), length: peers.feedLength(peer, feed) })),
    checkpoint:
      checkpoint === null
        ? null
        : { size: checkpoint.size, root: Buffer.from(checkpoint.root).toString('base64'), note: checkpoint.note },
    ...peers.totals(peer),
    suspended: audit.suspension(peer),
    closed: audit.closures(peer).filter(({ feed, to }) => to >= peers.cursor(peer, feed)),
    declaration: peers.declaration(peer),
    refusedOfOurs: notices.ofPeer(peer),
    acknowledged: receipts.acknowledged(
      peer,
      journal.feeds().map(({ feed }) => feed),
    ),
  };
}

// Imported for its functions, this module starts nothing.
if (parentPort !== null) serve(parentPort, workerData as WriterData);
