/** The end of the audit log is lost with a restore: the next record says so, once, wherever the node is cut off. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SIGNED_HEADS_FILE } from '../../../src/journal/files.ts';
import { runFsck } from '../../../src/journal/fsck/run-fsck.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import {
  appendOwn,
  LOG_KEY,
  NOW_MS,
  newJournal,
  openJournal,
  openRaw,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

/** Audit records that are signed and then lost. */
const LOST = 3;

/** A folder whose journal is older than the audit head in its file by {@link LOST} records, and that head's text. */
function oldCopy(t: TestContext): { readonly folder: string; readonly heads: string; readonly size: number } {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 2);
  note(journal, 2);
  journal.head(0);
  const size = journal.auditSize;
  journal.close();
  const copy = join(temporaryFolder(t), 'copy');
  cpSync(folder, copy, { recursive: true });
  const newest = openJournal(folder);
  note(newest, LOST);
  newest.head(0);
  newest.close();
  const heads = readFileSync(join(folder, SIGNED_HEADS_FILE), 'utf8');
  writeFileSync(join(copy, SIGNED_HEADS_FILE), heads);
  return { folder: copy, heads, size };
}

function note(journal: Journal, count: number): void {
  for (let i = 0; i < count; i++) journal.audit({ event: 'peer_added', peer: `stigmem://p${i}.example` }, NOW_MS);
}

/** How often the loss is recorded; the file then names a head that the log has, and the log is whole. */
function settled(folder: string): number {
  const journal = openJournal(folder, true);
  journal.guard.clear();
  journal.head(0);
  const bodies = journal.db.prepare<[], string>("SELECT body FROM audit WHERE event = 'audit_tail_lost'").pluck();
  const found = bodies.all().map((body) => JSON.parse(body) as { seq: number; detail: Record<string, unknown> });
  journal.close();
  assert.deepEqual(runFsck(folder, { logKey: LOG_KEY }).problems, []);
  for (const { detail } of found) assert.equal(detail['signed_audit_size'], Number(detail['audit_size']) + LOST);
  return found.length;
}

test('the record comes before anything else that is written, whatever happens before the guard is cleared', (t) => {
  const { folder, size } = oldCopy(t);
  const journal = openJournal(folder, true);
  // As many as were lost: by its size alone, the log now looks as long as the one that was signed.
  note(journal, LOST);
  // The loss, and the case that it opens.
  assert.equal(journal.auditSize, size + LOST + 2);
  journal.close();
  assert.equal(settled(folder), 1);
});

test('cut off between the record and the file: the next start finds the record and writes no second one', (t) => {
  const { folder, heads } = oldCopy(t);
  openJournal(folder, true).close();
  writeFileSync(join(folder, SIGNED_HEADS_FILE), heads);
  const again = openJournal(folder, true);
  note(again, LOST);
  again.close();
  writeFileSync(join(folder, SIGNED_HEADS_FILE), heads);
  assert.equal(settled(folder), 1);
});

test('cut off before the record is committed: the file still names what was signed', (t) => {
  const { folder, heads } = oldCopy(t);
  const db = openRaw(folder);
  db.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  db.close();
  assert.throws(() => openJournal(folder, true), /the disk is full/);
  assert.equal(readFileSync(join(folder, SIGNED_HEADS_FILE), 'utf8'), heads);
  const mended = openRaw(folder);
  mended.exec('DROP TRIGGER full');
  mended.close();
  assert.equal(settled(folder), 1);
});

test('an audit log that was changed is no lost end', (t) => {
  const { folder } = oldCopy(t);
  const journal = openJournal(folder, true);
  journal.guard.clear();
  journal.head(0);
  journal.close();
  const heads = join(folder, SIGNED_HEADS_FILE);
  const text = readFileSync(heads, 'utf8');
  const { audit } = JSON.parse(text) as { readonly audit: { readonly root: string } };
  writeFileSync(heads, text.replace(audit.root, Buffer.alloc(32, 9).toString('base64')));
  assert.throws(() => openJournal(folder, true), { code: 'history_rewritten' });
});
