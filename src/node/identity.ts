import { join } from 'node:path';
import { openDatabase } from '../journal/database.ts';
import { JOURNAL_FILE, type JournalIdentity } from '../journal/files.ts';
import { readIdentity } from '../journal/identity.ts';

/**
 * Names of the logs of a data folder; a daemon may be running in it.
 *
 * @throws JournalError `not_initialised`, `schema_unknown`
 */
export function identityIn(folder: string): JournalIdentity {
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB: 1 });
  try {
    return readIdentity(db);
  } finally {
    db.close();
  }
}
