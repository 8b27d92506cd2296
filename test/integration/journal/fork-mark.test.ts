/** A checkpoint of our own that contradicts the journal is remembered beside it: no restart forgets it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { SIGNED_HEADS_FILE } from '../../../src/journal/files.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { SignedHeadFile } from '../../../src/journal/signed-heads.ts';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import {
  appendOwn,
  IDENTITY,
  LOG_SEED,
  NOW_MS,
  newJournal,
  openJournal,
  temporaryFolder,
} from '../../support/journal-fixture.ts';

const PEER = 'stigmem://globex.example';
const SIGNER = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);

/** A checkpoint over two entries that are not those of the journal, signed by the log's own key. */
const OTHER = signCheckpoint(SIGNER.name, 2, Buffer.alloc(32, 7), SIGNER);
const isRewritten = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'history_rewritten' && /newest copy/.test(error.message);

function forked(journal: Journal): void {
  const verdict = journal.guard.compare(OTHER, PEER, NOW_MS);
  assert.equal(verdict.kind, 'forked');
}

test('after a restart the journal is neither opened without asking, nor cleared after asking', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 3);
  forked(journal);
  assert.throws(() => appendOwn(journal, 1), { code: 'guarded' });
  journal.close();

  assert.throws(() => openJournal(folder), isRewritten);
  const guarded = openJournal(folder, true);
  t.after(() => guarded.close());
  assert.equal(guarded.guard.view().forked, true);
  assert.throws(() => guarded.guard.clear(), { code: 'guarded' });
  assert.throws(() => appendOwn(guarded, 1), { code: 'guarded' });
  assert.throws(() => guarded.head(0), { code: 'guarded' });
});

test('a journal that agrees with the checkpoint goes on', (t) => {
  const folder = temporaryFolder(t);
  const journal = newJournal(folder);
  appendOwn(journal, 3);
  const { checkpoint } = journal.head(0);
  journal.close();
  const heads = SignedHeadFile.open(join(folder, SIGNED_HEADS_FILE));
  heads.setForked(checkpoint);

  const again = openJournal(folder);
  t.after(() => again.close());
  appendOwn(again, 1);
  assert.equal(SignedHeadFile.open(join(folder, SIGNED_HEADS_FILE)).forked, null);
});

test('a checkpoint over more than there is holds too, and a later head keeps the mark', (t) => {
  const folder = temporaryFolder(t);
  newJournal(folder).close();
  const path = join(folder, SIGNED_HEADS_FILE);
  const heads = SignedHeadFile.open(path);
  heads.setForked(OTHER);
  heads.set('audit', { size: 0, root: '', note: 'a note' });
  assert.equal(SignedHeadFile.open(path).forked, OTHER);
  assert.throws(() => openJournal(folder), isRewritten);
});
