import { join } from 'node:path';
import type { OpenedSuccession } from '../wire/succession.ts';
import { openDatabase } from './database.ts';
import { JOURNAL_FILE, type JournalIdentity } from './files.ts';
import { readIdentity } from './identity.ts';
import { KeyStatements } from './key-statements.ts';

const CACHE_MIB = 1;
/** The migration that made their table; an older file has none. */
const STATEMENTS_SCHEMA = 2;

/**
 * Whose journal this is, and its own successions of keys: needed before it is opened with them. The caller holds the
 * folder's lock. Only read: what brings an older journal up to date says so, and leaves the main thread free.
 *
 * @throws JournalError as opening it does
 */
export function readOwnSuccessions(folder: string): {
  readonly identity: JournalIdentity;
  readonly statements: readonly OpenedSuccession[];
} {
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const identity = readIdentity(db);
    const isOlder = Number(db.pragma('user_version', { simple: true })) < STATEMENTS_SCHEMA;
    return { identity, statements: isOlder ? [] : new KeyStatements(db).of(identity.nodeId) };
  } finally {
    db.close();
  }
}
