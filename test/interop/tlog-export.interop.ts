/** What `tiles export` writes, audited by the programs of others: Tessera's fsck and Go's checksum database. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/journal/database.ts';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import { PublishedLog } from '../../src/journal/published-log.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { exportLog } from '../../src/publish/export-log.ts';
import { FolderTarget } from '../../src/publish/folder-target.ts';
import { S3Target } from '../../src/publish/s3-target.ts';
import type { PublishTarget } from '../../src/publish/target.ts';
import { appendOwn, IDENTITY, LOG_KEY, newJournal, temporaryFolder } from '../support/journal-fixture.ts';
import { auditPublished, folderReader } from '../support/published.ts';
import { sumdbCheckLog, tesseraFsck } from './programs/log-checkers.ts';
import { startS3 } from './programs/s3.ts';

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

test('a real S3 server holds the same, and a second export goes on', async (t) => {
  const s3 = await startS3(t);
  const { accessKeyId, secretAccessKey, region, bucket, url: endpoint } = s3;
  const target = new S3Target({
    http: createHttpClient([]),
    bucket,
    prefix: 'acme',
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    retries: 1,
  });
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  mkdirSync(join(s3.bucketFolder, 'acme'), { recursive: true });
  for (const size of [300, 600]) {
    appendOwn(journal, size - journal.size);
    journal.head(0);
    await publish(folder, target);
    assert.equal((await auditPublished(folderReader(join(s3.bucketFolder, 'acme')))).size, size);
  }
  const fsck = await tesseraFsck(t, join(s3.bucketFolder, 'acme'), VKEY);
  assert.ok(fsck.ok, fsck.output);
  const wrong = new S3Target({
    http: createHttpClient([]),
    bucket,
    prefix: 'acme',
    endpoint,
    region,
    accessKeyId,
    secretAccessKey: 'no',
    retries: 0,
  });
  await assert.rejects(publish(folder, wrong), /403.*AWS_SECRET_ACCESS_KEY/);
  journal.close();
});
