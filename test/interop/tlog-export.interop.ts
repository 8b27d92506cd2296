/** What `tiles export` writes, audited by the programs of others: Tessera's fsck and Go's checksum database. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/journal/database.ts';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import { PublishedLog } from '../../src/journal/published-log.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { exportLog } from '../../src/publish/export-log.ts';
import { FolderTarget } from '../../src/publish/folder-target.ts';
import type { PublishTarget } from '../../src/publish/target.ts';
import { appendOwn, IDENTITY, LOG_KEY, newJournal, temporaryFolder } from '../support/journal-fixture.ts';
import { sumdbCheckLog, tesseraFsck } from './programs/log-checkers.ts';

const VKEY = formatVerifierKey({ name: IDENTITY.journalOrigin, algorithm: ALG_ED25519, publicKey: LOG_KEY });

async function publish(folder: string, target: PublishTarget): Promise<void> {
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB: 4 });
  try {
    await exportLog(new PublishedLog(db, 'journal'), target);
  } finally {
    db.close();
  }
}

test('Tessera’s fsck and Go’s sumdb accept what is exported, and what is exported onto it later', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(temporaryFolder(t), 'log');
  const journal = newJournal(folder);
  for (const [size, before] of [
    [1, 0],
    [300, 1],
    [700, 300],
  ] as const) {
    appendOwn(journal, size - before);
    const { root } = journal.head(0);
    await publish(folder, new FolderTarget(out));
    const fsck = await tesseraFsck(t, out, VKEY);
    assert.ok(fsck.ok, fsck.output);
    const sumdb = await sumdbCheckLog(out, VKEY, before);
    assert.deepEqual([sumdb.error, sumdb.leaves, sumdb.checkpoint?.root], [undefined, size, root]);
  }
  journal.close();
});
