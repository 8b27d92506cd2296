/** The auditor's check: a journal file and what others hold of it. No configuration, no key, nothing is written beside it. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../journal/database.ts';
import { JOURNAL_FILE } from '../journal/files.ts';
import type { AnchorClaim } from '../journal/fsck/anchor-check.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import type { FsckOptions } from '../journal/fsck/run-fsck.ts';
import { runFsckInWorker } from '../journal/fsck/worker-run.ts';

export interface VerifyJournalOptions extends Pick<FsckOptions, 'logKey' | 'receiptTrust' | 'onProgress' | 'signal'> {
  readonly anchors: readonly AnchorClaim[];
}

/** SQLite needs to write beside a journal that it reads; a folder that cannot be written to has it say one of these. */
const UNWRITABLE: ReadonlySet<string> = new Set([
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
  'SQLITE_READONLY_DIRECTORY',
  'SQLITE_READONLY_CANTINIT',
  'SQLITE_READONLY_CANTLOCK',
]);

/**
 * Derives every hash, link, leaf and tree of a journal file again and compares them with what is stored and with the
 * anchors. A file in a folder that cannot be written to is copied to the system's temporary folder first.
 *
 * @throws JournalError `schema_unknown` if the file is no journal; the signal's reason if aborted
 */
export async function verifyJournal(file: string, options: VerifyJournalOptions): Promise<FsckReport> {
  if (isReadable(file)) return runFsckInWorker({ journal: file, heads: null }, options);
  const folder = mkdtempSync(join(tmpdir(), 'peerd-verify-'));
  try {
    const copy = join(folder, JOURNAL_FILE);
    for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, copy + end);
    return await runFsckInWorker({ journal: copy, heads: null }, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Other faults of the file are for the check to name. */
function isReadable(file: string): boolean {
  try {
    const db = openDatabase(file, { readonly: true, cacheMiB: 1 });
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
    } finally {
      db.close();
    }
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return !UNWRITABLE.has(code);
  }
}
