import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { migrate, prepareSummedInsert } from './database.ts';
import { JournalError } from './errors.ts';
import { JOURNAL_FILE, type JournalIdentity, SIGNED_HEADS_FILE } from './files.ts';
import { SignedHeadFile } from './signed-heads.ts';

/**
 * Makes an empty journal in `folder`. The origins are part of what is signed: they are drawn once and never change.
 *
 * @throws JournalError `already_initialised`; nothing is touched then
 */
export function initJournal(folder: string, identity: JournalIdentity): void {
  const file = join(folder, JOURNAL_FILE);
  const heads = join(folder, SIGNED_HEADS_FILE);
  for (const path of [file, heads]) {
    if (existsSync(path)) {
      throw new JournalError(
        'already_initialised',
        `${path} exists: this folder has a node already, init leaves it alone`,
      );
    }
  }
  const db = new Database(file);
  try {
    db.pragma('journal_mode = WAL');
    migrate(db);
    const insert = prepareSummedInsert(db, 'meta');
    insert({ key: 'node_id', value: identity.nodeId });
    insert({ key: 'journal_origin', value: identity.journalOrigin });
    insert({ key: 'audit_origin', value: identity.auditOrigin });
    insert({ key: 'created_at', value: identity.createdAt });
  } finally {
    db.close();
  }
  chmodSync(file, 0o600);
  SignedHeadFile.create(heads);
}
