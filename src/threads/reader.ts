/** The readers' thread: queries, pages for peers and proofs, on a connection of its own that cannot write. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { AuditReader } from '../journal/audit-reader.ts';
import { openDatabase } from '../journal/database.ts';
import { EntryReader } from '../journal/entry-reader.ts';
import { JOURNAL_FILE } from '../journal/files.ts';
import { HeldPages } from '../journal/held-pages.ts';
import { readIdentity } from '../journal/journal.ts';
import type {
  AuditDetail,
  AuditFilter,
  AuditPage,
  CorruptFact,
  FactPage,
  FactProof,
  FactQuery,
  FactResult,
} from '../journal/read-model.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { FactReader } from '../projections/fact-reader.ts';
import { type BuiltPage, buildPage, type PageRequest } from '../serve/build-page.ts';
import type { PageFrames } from '../wire/page.ts';
import { type Methods, serveCalls } from './rpc.ts';

export interface ReaderData {
  readonly folder: string;
  readonly logSeed: Uint8Array;
  readonly cacheMiB: number;
}

export interface ReaderMethods {
  fact(idOrCid: string): FactResult;
  facts(query: FactQuery): FactPage;
  auditPage(filter: AuditFilter): AuditPage;
  auditDetail(seq: number): AuditDetail | null;
  proof(factId: string, checkpoint: { size: number; note: string }): FactProof | CorruptFact | undefined;
  page(request: PageRequest): BuiltPage | undefined;
  inclusion(indexes: readonly number[], size: number): Uint8Array[][];
  consistency(from: number, to: number): Uint8Array[];
  tile(level: number, index: number, width: number): Uint8Array;
  heldCheckpoint(peer: string): string | null;
  heldPage(peer: string, from: number, skip: number): PageFrames | undefined;
  close(): void;
}

function start({ folder, logSeed, cacheMiB }: ReaderData): void {
  const port = parentPort;
  if (port === null) throw new Error('reader.ts runs as a worker thread');
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB });
  const entries = new EntryReader(db, createLogSigner(readIdentity(db).journalOrigin, logSeed));
  const facts = new FactReader(db, entries);
  const audit = new AuditReader(db);
  const held = new HeldPages(db);
  const methods: Omit<ReaderMethods, 'close'> = {
    fact: (idOrCid) => (idOrCid.startsWith('sha256:') ? facts.byCid(idOrCid) : facts.byId(idOrCid)),
    facts: (query) => facts.query(query),
    auditPage: (filter) => audit.page(filter),
    auditDetail: (seq) => audit.detail(seq),
    proof: (factId, checkpoint) => entries.proof(factId, checkpoint),
    page: (request) => buildPage(entries, request),
    inclusion: (indexes, size) => entries.inclusion(indexes, size),
    consistency: (from, to) => entries.consistency(from, to),
    tile: (level, index, width) => entries.tile(level, index, width),
    heldCheckpoint: (peer) => held.checkpoint(peer),
    heldPage: (peer, from, skip) => held.page(peer, from, skip),
  };
  // One snapshot a call: rows, tiles and look-ups belong to the same moment while the writer goes on.
  const inSnapshot = Object.entries(methods).map(([name, method]) => [name, db.transaction(method as () => unknown)]);
  const close = (): void => {
    db.close();
  };
  // The answer to `close` leaves before the port does.
  serveCalls(port, { ...(Object.fromEntries(inSnapshot) as Methods), close }, () =>
    db.open ? undefined : port.close(),
  );
}

start(workerData as ReaderData);
