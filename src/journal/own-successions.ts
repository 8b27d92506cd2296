import { join } from 'node:path';
import type { OpenedSuccession } from '../wire/succession.ts';
import { openDatabase } from './database.ts';
import { JOURNAL_FILE, type JournalIdentity } from './files.ts';
import { readIdentity } from './identity.ts';
import { KeyStatements } from './key-statements.ts';

const CACHE_MIB = 1;

/**
 * Whose journal this is, and its own successions of keys: needed before it is opened with them. The caller holds the
 * folder's lock; a journal of an older version is brought up to this one.
 *
 * @throws JournalError as opening it does
 */
export function readOwnSuccessions(folder: string): {
  readonly identity: JournalIdentity;
  readonly statements: readonly OpenedSuccession[];
} {
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: false, cacheMiB: CACHE_MIB });
  try {
    const identity = readIdentity(db);
    return { identity, statements: new KeyStatements(db).of(identity.nodeId) };
  } finally {
    db.close();
  }
}
