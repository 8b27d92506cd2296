/** Checks a whole journal: everything that is stored beside the bytes of facts is derived from them again and compared. */
import { join } from 'node:path';
import type { AnchorRequirement } from '../../verify/reader-trust.ts';
import { type Db, openDatabase } from '../database.ts';
import { JournalError } from '../errors.ts';
import { JOURNAL_FILE, SIGNED_HEADS_FILE } from '../files.ts';
import { ownLogKeys } from '../key-statements.ts';
import { SignedHeadFile } from '../signed-heads.ts';
import { type AnchorClaim, checkAnchors } from './anchor-check.ts';
import { checkAnchorRows } from './anchor-rows.ts';
import { checkAttempts } from './attempt-check.ts';
import { checkAudit } from './audit-check.ts';
import { checkCases } from './case-check.ts';
import { checkCheckpoints, type Heads } from './checkpoint-check.ts';
import { type FsckContext, type FsckProgress, walkTable } from './context.ts';
import { checkDisclosures } from './disclosure-check.ts';
import { checkEntries } from './entry-check.ts';
import { checkErasures } from './erasure-check.ts';
import { checkEvidence } from './evidence-check.ts';
import { checkKeyStatements } from './key-check.ts';
import { checkMeta, trustedOrigin } from './meta-check.ts';
import { checkPageNotes, checkReceipts } from './note-check.ts';
import { checkPages } from './page-check.ts';
import { checkPeers } from './peer-check.ts';
import { PeerLogs } from './peer-logs.ts';
import { checkKeptNotes, checkPlaces } from './place-check.ts';
import { checkProjections } from './projection-check.ts';
import { ReceiptCheck } from './receipt-check.ts';
import { checkReceived } from './received-check.ts';
import { checkRefusalNotices } from './refusal-notice-check.ts';
import { checkRefused } from './refused-check.ts';
import { Findings, type FsckReport } from './report.ts';
import { checkRetries } from './retry-check.ts';
import { checkFile, checkSchema } from './schema-check.ts';
import { checkSinks } from './sink-check.ts';

export interface FsckOptions {
  /** Public key of the log, 32 bytes. Null: signatures of our own logs are not checked, which the report says. */
  readonly logKey: Uint8Array | null;
  /** What others hold of this journal, compared with its tree at their sizes. Undefined: no anchor is looked at. */
  readonly anchors?: readonly AnchorClaim[];
  /** Transparency logs and anchor keys, by which receipts are verified. Undefined: they are compared only. */
  readonly receiptTrust?: AnchorRequirement | undefined;
  readonly onProgress?: (progress: FsckProgress) => void;
  /** Looked at between rows; an aborted check throws the signal's reason. */
  readonly signal?: AbortSignal;
}

const CACHE_MIB = 16;
/** Tables of which only the rows by themselves are looked at: keys without gaps, sums. */
const STATEMENTS = ['cosigned', 'cosignatures', 'seen_checkpoints'] as const;
const DAMAGED: ReadonlySet<string> = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB']);
const PROGRESS_ROWS = 2_048;

/**
 * Checks the journal of a data folder in one read transaction; a daemon may go on writing meanwhile. Memory does not grow
 * with the journal. About 20 µs an entry.
 *
 * @throws JournalError `schema_unknown` if the file is no journal; the signal's reason if aborted
 */
export function runFsck(folder: string, options: FsckOptions): FsckReport {
  return checkJournal(filesOf(folder), options);
}

/** Where they are in a data folder. */
export function filesOf(folder: string): JournalFiles {
  return { journal: join(folder, JOURNAL_FILE), heads: join(folder, SIGNED_HEADS_FILE) };
}

/** The files of one journal. */
export interface JournalFiles {
  readonly journal: string;
  /** Null: an auditor has the database alone. */
  readonly heads: string | null;
}

/** As {@link runFsck}, for files that lie anywhere. */
export function checkJournal(files: JournalFiles, options: FsckOptions): FsckReport {
  const started = performance.now();
  const findings = new Findings();
  // Read before the snapshot is taken: what it names was in the journal by then.
  const before = readHeads(files.heads, findings);
  // A file whose schema cannot be read any more is damaged, not unknown: nothing else of it can be looked at.
  const db = openOrReport(files.journal, findings);
  if (db !== undefined) checkOpened(db, findings, before, options, files.heads);
  return {
    ok: findings.count === 0,
    heads: findings.heads,
    checked: findings.checked,
    problems: findings.problems,
    problemCount: findings.count,
    notices: findings.notices,
    seconds: (performance.now() - started) / 1000,
  };
}

function openOrReport(file: string, findings: Findings): Db | undefined {
  try {
    return openDatabase(file, { readonly: true, cacheMiB: CACHE_MIB });
  } catch (error) {
    if (!isSqliteError(error) || !DAMAGED.has(error.code)) throw error;
    findings.problem({ table: 'sqlite', row: null, field: null, code: 'unreadable', detail: error.message });
    return undefined;
  }
}

function checkOpened(db: Db, findings: Findings, before: Heads, options: FsckOptions, file: string | null): void {
  try {
    db.exec('BEGIN'); // nothing is written: closing ends it
    db.pragma('schema_version');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    // Read again behind it: the journal may have a newer checkpoint than the first reading, never than this one.
    const after = readHeads(file, new Findings());
    const ctx = contextOf(db, findings, before, options);
    checkAll(ctx, before, file === null ? null : after);
    const { anchors } = options;
    if (anchors === undefined) return;
    guard(findings, 'anchors', () => checkAnchors(ctx, anchors));
    ctx.receipts.finish(findings);
  } finally {
    db.close();
  }
}

function contextOf(db: Db, findings: Findings, heads: Heads, options: FsckOptions): FsckContext {
  const { logKey, onProgress, signal } = options;
  if (logKey === null) {
    findings.notice('log_key_unknown', 'signatures of this node were not checked: its log key was not given');
  }
  const origins = guard(findings, 'meta', () => ({
    journal: trustedOrigin(db, 'journal', heads.journal),
    audit: trustedOrigin(db, 'audit', heads.audit),
  }));
  return {
    db,
    findings,
    logKeys: logKey === null ? [] : joinedKeys(db, logKey),
    origins: origins ?? { journal: null, audit: null },
    receipts: new ReceiptCheck(options.receiptTrust ?? null),
    step: (phase, done, total) => {
      if (done % PROGRESS_ROWS !== 0 && done !== total) return;
      signal?.throwIfAborted();
      onProgress?.({ phase, done, total });
    },
  };
}

/** Without names in `meta`, which is a finding of its own, there are no statements to join keys by. */
function joinedKeys(db: Db, logKey: Uint8Array): readonly Uint8Array[] {
  try {
    return ownLogKeys(db, logKey);
  } catch (error) {
    if (error instanceof JournalError || isSqliteError(error)) return [logKey];
    throw error;
  }
}

function checkAll(ctx: FsckContext, before: Heads, after: Heads | null): void {
  const run = <T>(table: string, check: () => T): T | undefined => guard(ctx.findings, table, check);
  run('sqlite_schema', () => checkSchema(ctx));
  run('sqlite', () => checkFile(ctx));
  run('meta', () => checkMeta(ctx));
  run('checkpoints', () => checkCheckpoints(ctx, after));
  const entries = run('entries', () => checkEntries(ctx, before.journal));
  run('evidence', () => checkEvidence(ctx));
  const audit = run('audit', () => checkAudit(ctx, before.audit));
  const logs = run('peer_declarations', () => new PeerLogs(ctx.db));
  if (logs !== undefined) {
    run('peer_checkpoints', () => checkPeers(ctx, logs));
    const pages = run('pages', () => checkPages(ctx, logs));
    run('page_notes', () => checkPageNotes(ctx, logs));
    run('page_receipts', () => checkReceipts(ctx, logs));
    run('refusal_notices', () => checkRefusalNotices(ctx, logs));
    run('page_places', () => checkPlaces(ctx));
    run('page_refusals', () => checkRetries(ctx, audit));
    if (pages !== undefined && entries !== undefined) checkReceived(ctx, entries, pages);
    if (pages !== undefined && audit !== undefined) checkRefused(ctx, audit, pages);
  }
  if (!ctx.findings.isDamaged('audit')) run('cases', () => checkCases(ctx));
  run('erasure_steps', () => checkErasures(ctx));
  run('disclosures', () => checkDisclosures(ctx));
  run('kept_notes', () => checkKeptNotes(ctx));
  run('sinks', () => checkSinks(ctx));
  run('anchor_checkpoints', () => checkAnchorRows(ctx));
  run('key_statements', () => checkKeyStatements(ctx));
  for (const table of STATEMENTS) run(table, () => walkTable(ctx, table, { judge: () => undefined }));
  if (!ctx.findings.isDamaged('audit')) run('mutation_attempts', () => checkAttempts(ctx));
  if (entries !== undefined && !ctx.findings.isDamaged('audit')) run('state', () => checkProjections(ctx, entries));
}

function readHeads(file: string | null, findings: Findings): Heads {
  if (file === null) return { journal: null, audit: null };
  try {
    const heads = SignedHeadFile.open(file);
    return { journal: heads.last('journal'), audit: heads.last('audit') };
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    const detail = error.message;
    findings.problem({ table: 'signed-heads.json', row: null, field: null, code: 'unreadable', detail });
    return { journal: null, audit: null };
  }
}

/** A table that SQLite cannot read is a finding like any other, and the rest is looked at all the same. */
function guard<T>(findings: Findings, table: string, check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    findings.problem({ table, row: null, field: null, code: 'unreadable', detail: error.message });
    return undefined;
  }
}

function isSqliteError(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_')
  );
}
