import Database from 'better-sqlite3';
import { JournalError } from './errors.ts';

/** Held while a process may write the journal. The operating system frees it when the process dies. */
export interface JournalLock {
  release(): void;
}

/**
 * Takes the lock of a data folder.
 *
 * @throws JournalError `locked` if another process holds it
 */
export function takeLock(path: string): JournalLock {
  const db = openLock(path);
  try {
    // Nothing is ever written to it: with a journal in memory the lock can be had on a disk that is full.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    // Whatever else hinders it, a disk or a damaged file, is not somebody who could be stopped.
    if (!(cause instanceof Database.SqliteError && cause.code === 'SQLITE_BUSY')) throw lockFault(path, cause);
    throw new JournalError(
      'locked',
      `another stigmem-peerd works on this data folder (${path} is locked): stop it first`,
      { cause },
    );
  }
  return { release: () => db.close() };
}

function openLock(path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 });
  } catch (cause) {
    throw lockFault(path, cause);
  }
}

function lockFault(path: string, cause: unknown): JournalError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const fix = 'It holds nothing: mend the disk, or remove the file while no daemon runs, and start again.';
  return new JournalError('lock_failed', `expected to lock ${path}, got: ${reason}. ${fix}`, { cause });
}
