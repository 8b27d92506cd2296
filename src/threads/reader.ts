/** The readers' thread: queries, pages for peers and proofs, on a connection of its own that cannot write. */
import { join } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Proposal } from '../core/approval.ts';
import { AnchorRecords } from '../journal/anchor-records.ts';
import { AuditReader, type RecordLine } from '../journal/audit-reader.ts';
import { openDatabase } from '../journal/database.ts';
import { DrillRecords, type RefusalCount } from '../journal/drill-records.ts';
import { EntryReader } from '../journal/entry-reader.ts';
import { type ErasureStatus, type ErasureView, ErasureViews, type NamedKeys } from '../journal/erasure-views.ts';
import { FactProver, type ProveRequest } from '../journal/fact-prover.ts';
import { JOURNAL_FILE } from '../journal/files.ts';
import { type HeldPage, HeldPages, type PagePlace } from '../journal/held-pages.ts';
import { readIdentity } from '../journal/identity.ts';
import { type KeptNote, KeptNotes } from '../journal/kept-notes.ts';
import { OriginProofs } from '../journal/origin-proofs.ts';
import { type PacketParts, PacketReader, type PacketRequest } from '../journal/packet-reader.ts';
import { type ProposalPage, type ProposalQuery, Proposals } from '../journal/proposals.ts';
import type {
  AuditDetail,
  AuditFilter,
  AuditPage,
  AuditRecord,
  FactPage,
  FactQuery,
  FactResult,
  ProveResult,
  RecallQuery,
  RecallResult,
} from '../journal/read-model.ts';
import { type ReceiptQuery, ReceiptRecords, type StoredReceipt } from '../journal/receipt-records.ts';
import { type NoticeQuery, RefusalNotices, type ShownNotice } from '../journal/refusal-notices.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { FactReader } from '../projections/fact-reader.ts';
import { type QuarantinePage, type QuarantineQuery, QuarantineReader } from '../projections/quarantine-reader.ts';
import { RecallReader } from '../projections/recall-reader.ts';
import { type BuiltPage, buildPage, type PageRequest } from '../serve/build-page.ts';
import type { FeedCursor } from '../wire/pull-request.ts';
import { type CaseReads, caseReads } from './case-reads.ts';
import { type GrantsReads, grantsReads } from './grants-reads.ts';
import { type NotesReads, notesReads } from './notes-reads.ts';
import { type PublishMethods, publishMethods } from './publish-methods.ts';
import { type Methods, serveCalls } from './rpc.ts';
import { type WormReads, wormReads } from './worm-reads.ts';

export interface ReaderData {
  readonly folder: string;
  readonly logSeed: Uint8Array;
  readonly formerLogSeeds: readonly Uint8Array[];
  /** Of the restore key file. */
  readonly restoreSeed: Uint8Array;
  readonly cacheMiB: number;
}

export interface ReaderMethods extends CaseReads, GrantsReads, NotesReads, PublishMethods, WormReads {
  fact(idOrCid: string): FactResult;
  facts(query: FactQuery): FactPage;
  auditPage(filter: AuditFilter): AuditPage;
  auditDetail(seq: number): AuditDetail | null;
  auditLines(after: number, limit: number, maxBytes: number): readonly RecordLine[];
  recall(query: RecallQuery): RecallResult;
  prove(request: ProveRequest): ProveResult;
  page(request: PageRequest): BuiltPage | undefined;
  inclusion(indexes: readonly number[], size: number): Uint8Array[][];
  consistency(from: number, to: number): Uint8Array[];
  tile(level: number, index: number, width: number): Uint8Array;
  heldCheckpoint(peer: string): string | null;
  heldPage(peer: string, place: PagePlace): HeldPage | undefined;
  keptNotes(
    peer: string,
    cursors: readonly FeedCursor[],
    skip: number,
    limits: { readonly notes: number; readonly bytes: number },
  ): readonly KeptNote[];
  lastPageWithin(peer: string, treeSize: number): number;
  packetParts(request: PacketRequest): PacketParts;
  receipts(query: ReceiptQuery): readonly StoredReceipt[];
  refusalNotices(query: NoticeQuery): readonly ShownNotice[];
  /** Newest first, from below `before`. */
  erasures(before: number, limit: number): readonly ErasureView[];
  /** @param fact id of the fact, or its digest */
  erasure(fact: string, named: NamedKeys): ErasureStatus | null;
  quarantined(query: QuarantineQuery): QuarantinePage;
  quarantineHistory(factId: string): readonly AuditRecord[];
  proposals(query: ProposalQuery): ProposalPage;
  proposal(id: number, nowIso: string): Proposal | null;
  /** Refusals that were no drills, between two times of the audit log. */
  realRefusals(since: string, until: string): readonly RefusalCount[];
  /** The newest refusal that was no drill, and when the audit log began. */
  lastRefusalAt(): { readonly refusal: string | null; readonly begun: string | null };
  close(): void;
}

/** The journal's readers, each call in one read transaction. */
export function openReader({ folder, logSeed, formerLogSeeds, restoreSeed, cacheMiB }: ReaderData): Methods {
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB });
  const identity = readIdentity(db);
  const signer = createLogSigner(identity.journalOrigin, logSeed, formerLogSeeds);
  const entries = new EntryReader(db, signer);
  const facts = new FactReader(db, entries);
  const audit = new AuditReader(db);
  const held = new HeldPages(db);
  const kept = new KeptNotes(db);
  const recall = new RecallReader(db, facts);
  const prover = new FactProver(db);
  const anchors = new AnchorRecords(db);
  const packets = new PacketReader(db);
  const proofs = new OriginProofs(db);
  const notices = new RefusalNotices(db);
  const receipts = new ReceiptRecords(db);
  const erasures = new ErasureViews(db);
  const proposals = new Proposals(db);
  const quarantine = new QuarantineReader(db, facts);
  const drills = new DrillRecords(db);
  const methods: Omit<ReaderMethods, 'close'> = {
    fact: (idOrCid) => (idOrCid.startsWith('sha256:') ? facts.byCid(idOrCid) : facts.byId(idOrCid)),
    facts: (query) => facts.query(query),
    auditPage: (filter) => audit.page(filter),
    auditDetail: (seq) => audit.detail(seq),
    auditLines: (after, limit, maxBytes) => audit.lines(after, limit, maxBytes),
    recall: (query) => recall.recall(query),
    prove: (request) => prover.prove(request),
    page: (request) => buildPage(entries, anchors, proofs, request, signer),
    inclusion: (indexes, size) => entries.inclusion(indexes, size),
    consistency: (from, to) => entries.consistency(from, to),
    tile: (level, index, width) => entries.tile(level, index, width),
    heldCheckpoint: (peer) => held.checkpoint(peer),
    heldPage: (peer, place) => held.page(peer, place),
    ...grantsReads(db, entries, facts),
    ...caseReads(db, proposals),
    keptNotes: (peer, cursors, skip, limits) =>
      kept.list(peer, new Map(cursors.map(({ feed, after }) => [feed, after])), skip, limits),
    lastPageWithin: (peer, treeSize) => held.lastWithin(peer, treeSize),
    ...notesReads(db, identity.nodeId, restoreSeed),
    ...publishMethods(db, facts),
    ...wormReads(db),
    packetParts: (request) => packets.parts(request),
    receipts: (query) => receipts.list(query),
    erasures: (before, limit) => erasures.list(before, limit),
    erasure: (fact, named) => erasures.status(fact, named),
    refusalNotices: (query) => notices.list(query, entries),
    quarantined: (query) => quarantine.list(query),
    quarantineHistory: (factId) => quarantine.history(factId),
    proposals: (query) => proposals.list(query),
    proposal: (id, nowIso) => proposals.find(id, nowIso),
    realRefusals: (since, until) => drills.refusals(since, until),
    lastRefusalAt: () => ({ refusal: drills.lastRefusalAt(), begun: drills.begunAt() }),
  };
  // One snapshot a call: rows, tiles and look-ups belong to the same moment while the writer goes on.
  const inSnapshot = Object.entries(methods).map(([name, method]) => [name, db.transaction(method as () => unknown)]);
  const close = (): void => {
    db.close();
  };
  return { ...(Object.fromEntries(inSnapshot) as Methods), close };
}

function serve(port: MessagePort, data: ReaderData): void {
  const methods = openReader(data);
  let isOpen = true;
  const close = (): void => {
    methods['close']?.();
    isOpen = false;
  };
  // The answer to `close` leaves before the port does.
  serveCalls(port, { ...methods, close }, () => (isOpen ? undefined : port.close()));
}

// Imported for its functions, this module starts nothing.
if (parentPort !== null) serve(parentPort, workerData as ReaderData);
