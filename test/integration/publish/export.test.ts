/** The published log: what is exported can be audited from the files alone, goes only forward, and tells no fact. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareAppend } from '../../../src/journal/appended.ts';
import { openDatabase } from '../../../src/journal/database.ts';
import { JOURNAL_FILE } from '../../../src/journal/files.ts';
import { PublishedLog } from '../../../src/journal/published-log.ts';
import type { LogName } from '../../../src/journal/tables.ts';
import { appendSignature, cosign } from '../../../src/merkle/cosignature.ts';
import { createAnchorSigner, signAnchor } from '../../../src/merkle/ecdsa.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { formatNote, parseNote } from '../../../src/merkle/note.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { exportLog } from '../../../src/publish/export-log.ts';
import { FolderTarget } from '../../../src/publish/folder-target.ts';
import { S3Target } from '../../../src/publish/s3-target.ts';
import type { PublishTarget } from '../../../src/publish/target.ts';
import {
  appendOwn,
  fillJournal,
  IDENTITY,
  NOW_MS,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';
import { auditPublished, filesBelow, folderReader } from '../../support/published.ts';
import { startS3Store } from '../../support/s3-store.ts';
import { copyJournal, tamper } from '../../support/tampering.ts';

async function publish(folder: string, target: PublishTarget, log: LogName = 'journal') {
  const db = openDatabase(join(folder, JOURNAL_FILE), { readonly: true, cacheMiB: 4 });
  try {
    return await exportLog(new PublishedLog(db, log), target);
  } finally {
    db.close();
  }
}

function refusedWith(code: string) {
  return (error: unknown) => error instanceof Error && 'code' in error && error.code === code;
}

test('both logs can be audited from their files alone', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  fillJournal(journal, 600);
  const head = journal.head(0);
  for (const log of ['journal', 'audit'] as const) {
    const report = await publish(folder, new FolderTarget(join(out, log)), log);
    const audited = await auditPublished(folderReader(join(out, log)));
    assert.equal(audited.size, log === 'journal' ? head.size : head.auditSize);
    assert.equal(report.origin, log === 'journal' ? head.origin : head.auditOrigin);
    assert.equal(audited.leaves.length, audited.size);
  }
  journal.close();
});

test('no fact can be learned: leaf data are 33 bytes of salted hash, and the files hold no word of any fact', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 300);
  journal.head(0);
  await publish(folder, new FolderTarget(out));
  const { leaves } = await auditPublished(folderReader(out));
  assert.ok(leaves.every((leaf) => leaf.length === 33 && leaf[0] === 1));
  // The same facts in another journal: nobody can try out what an entry might say.
  const twin = temporaryFolder(t);
  const twinOut = temporaryFolder(t);
  const other = newJournal(twin);
  appendOwn(other, 300);
  other.head(0);
  await publish(twin, new FolderTarget(twinOut));
  const twins = new Set(
    (await auditPublished(folderReader(twinOut))).leaves.map((leaf) => Buffer.from(leaf).toString('hex')),
  );
  assert.ok(leaves.every((leaf) => !twins.has(Buffer.from(leaf).toString('hex'))));

  const whole = Buffer.concat([...filesBelow(out).values()]);
  const rows = journal.db
    .prepare<[], Record<string, unknown>>(
      'SELECT entity, relation, source, value_v, fact_id, salt, cid, event_hash, chain_hash FROM entries',
    )
    .all();
  assert.equal(rows.length, 300);
  for (const cell of rows.flatMap((row) => Object.values(row))) {
    const bytes = typeof cell === 'string' ? Buffer.from(cell) : (cell as Uint8Array);
    assert.equal(whole.indexOf(bytes), -1, `the files hold ${Buffer.from(bytes).toString()}`);
  }
  journal.close();
  other.close();
});

test('an export goes on where the last one ended and leaves full tiles alone', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 600);
  journal.head(0);
  await publish(folder, new FolderTarget(out));
  const full = join(out, 'tile/entries/001');
  const before = statSync(full, { bigint: true });
  assert.ok(filesBelow(out).has('tile/0/002.p/88'));

  appendOwn(journal, 300);
  journal.head(0);
  const second = await publish(folder, new FolderTarget(out));
  assert.equal(second.from, 600);
  assert.equal((await auditPublished(folderReader(out))).size, 900);
  const after = statSync(full, { bigint: true });
  assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
  assert.equal(filesBelow(out).has('tile/0/002.p/88'), false, 'the full tile is there now');
  assert.ok(second.written < 12, `${second.written} files`);

  const again = await publish(folder, new FolderTarget(out));
  assert.equal(again.written, 0);
  journal.close();
});

test('an interrupted export leaves the old checkpoint, and the next one completes it', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 200);
  journal.head(0);
  await publish(folder, new FolderTarget(out));
  appendOwn(journal, 900);
  journal.head(0);
  const whole = new FolderTarget(out);
  let left = 3;
  const failing: PublishTarget = {
    name: 'failing',
    read: (path) => whole.read(path),
    replace: (path, bytes, known) => whole.replace(path, bytes, known),
    removeGrowing: (path) => whole.removeGrowing(path),
    writeOnce: async (path, bytes) => {
      if (left-- === 0) throw new Error('disk gone');
      return whole.writeOnce(path, bytes);
    },
  };
  await assert.rejects(publish(folder, failing), /disk gone/);
  assert.equal((await auditPublished(folderReader(out))).size, 200);
  await publish(folder, whole);
  assert.equal((await auditPublished(folderReader(out))).size, 1100);
  journal.close();
});

test('a target never goes back, to another history or to another log', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 40);
  journal.head(0);
  const old = copyJournal(folder, temporaryFolder(t), 'old');
  appendOwn(journal, 40);
  journal.head(0);
  journal.close();
  await publish(folder, new FolderTarget(out));
  const before = filesBelow(out);

  await assert.rejects(publish(old, new FolderTarget(out)), refusedWith('target_ahead'));
  const fork = openJournal(old);
  appendOwn(fork, 60);
  fork.head(0);
  fork.close();
  await assert.rejects(publish(old, new FolderTarget(out)), refusedWith('target_contradicts'));
  await assert.rejects(publish(folder, new FolderTarget(out), 'audit'), refusedWith('target_other_log'));
  assert.deepEqual(filesBelow(out), before);
});

test('a row that was edited is not published, and the old checkpoint stands', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 20);
  journal.head(0);
  await publish(folder, new FolderTarget(out));
  appendOwn(journal, 20);
  journal.head(0);
  journal.close();
  tamper(folder, (db) => db.exec("UPDATE entries SET interpret_as = 'instruction' WHERE chain_seq = 31"));
  await assert.rejects(publish(folder, new FolderTarget(out)), (error: Error) => /row 31/.test(error.message));
  assert.equal((await auditPublished(folderReader(out))).size, 20);
});

test('the checkpoint carries the anchor key’s line and the cosignatures that are held for it, each once', async (t) => {
  const folder = temporaryFolder(t);
  const out = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 5);
  const { checkpoint, size } = journal.head(0);
  await publish(folder, new FolderTarget(out));
  const note = parseNote(checkpoint);
  assert.ok(note.ok);
  const { text } = note.value;
  const anchor = signAnchor(text, createAnchorSigner(IDENTITY.journalOrigin, Buffer.alloc(32, 7)));
  const anchored = formatNote({ text, signatures: [...note.value.signatures, anchor] });
  const witness = cosign(text, 1_700_000_000, createLogSigner('acme.example/witness', Buffer.alloc(32, 9)));
  const line = appendSignature('', witness);
  const db = openRaw(folder);
  const at = { created_us: NOW_MS * 1000 };
  const root = Buffer.alloc(32);
  prepareAppend(db, 'anchor_checkpoints')({ log: 1, tree_size: size, root, chain_hash: null, note: anchored, ...at });
  for (let i = 0; i < 2; i++) {
    const received = { received_us: NOW_MS * 1000 };
    prepareAppend(db, 'cosignatures')({ log: 1, tree_size: size, witness: 'acme.example/witness', line, ...received });
  }
  db.close();

  await publish(folder, new FolderTarget(out));
  const published = parseNote(await folderReader(out)('checkpoint'));
  assert.ok(published.ok);
  assert.deepEqual(
    published.value.signatures.map(({ name }) => name),
    [IDENTITY.journalOrigin, IDENTITY.journalOrigin, 'acme.example/witness'],
  );
  journal.close();
});

for (const conditional of [true, false]) {
  test(`to a store ${conditional ? 'with' : 'without'} conditional writes`, async (t) => {
    const folder = temporaryFolder(t);
    const store = await startS3Store(conditional);
    t.after(() => store.close());
    const target = (overrides = {}) =>
      new S3Target({
        bucket: 'logs',
        prefix: 'acme',
        endpoint: store.url,
        region: 'eu-x-1',
        accessKeyId: 'key',
        secretAccessKey: 'secret',
        http: createHttpClient([]),
        retries: 0,
        ...overrides,
      });
    const journal = newJournal(folder);
    appendOwn(journal, 300);
    journal.head(0);
    await publish(folder, target());
    const read = async (path: string) => {
      const object = store.objects.get(`/logs/acme/${path}`);
      assert.ok(object !== undefined, path);
      return object;
    };
    assert.equal((await auditPublished(read)).size, 300);
    assert.equal(store.requests.at(-1), 'PUT /logs/acme/checkpoint', 'the checkpoint comes last');

    appendOwn(journal, 300);
    journal.head(0);
    const second = await publish(folder, target());
    assert.equal(second.from, 300);
    assert.equal((await auditPublished(read)).size, 600);

    appendOwn(journal, 1);
    journal.head(0);
    await assert.rejects(publish(folder, target({ accessKeyId: 'other' })), /403.*AWS_ACCESS_KEY_ID/);
    await assert.rejects(publish(folder, target({ bucket: 'none' })), /no such bucket/);
    store.fail(503);
    await assert.rejects(publish(folder, target()), /503.*goes on where it stopped/);
    await assert.rejects(publish(folder, target({ endpoint: 'http://127.0.0.1:1' })), /cannot be reached.*--endpoint/);
    journal.close();
  });
}
