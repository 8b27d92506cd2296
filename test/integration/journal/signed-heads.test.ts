/** The file of signed checkpoints on a disk that takes nothing. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SignedHeadFile } from '../../../src/journal/signed-heads.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';

const HEAD = { size: 3, root: 'AAAA', note: 'a note' };

test('a head that could not be written is not known as signed, and can be written later', (t) => {
  const path = join(temporaryFolder(t), 'signed-heads.json');
  SignedHeadFile.create(path);
  const heads = SignedHeadFile.open(path);

  mkdirSync(`${path}.tmp`); // the file that is written first cannot be opened
  assert.throws(() => heads.advance('journal', null, HEAD));
  assert.equal(heads.last('journal'), null);

  rmSync(`${path}.tmp`, { recursive: true });
  heads.advance('journal', heads.last('journal'), HEAD);
  assert.deepEqual(heads.last('journal'), HEAD);
  assert.deepEqual(SignedHeadFile.open(path).last('journal'), HEAD);
});
