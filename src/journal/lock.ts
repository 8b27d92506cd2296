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
  const db = new Database(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    throw new JournalError(
      'locked',
      `another stigmem-peerd works on this data folder (${path} is locked): stop it, or talk to it over its API`,
      { cause },
    );
  }
  return { release: () => db.close() };
}
