import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeLock } from '../../../src/journal/lock.ts';

test('one holder at a time; what hinders besides is not told as a holder', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'lock.db');
  const lock = takeLock(path);
  assert.throws(() => takeLock(path), { code: 'locked' });
  lock.release();
  takeLock(path).release();

  const damaged = join(folder, 'damaged.db');
  writeFileSync(damaged, 'no database '.repeat(1_000));
  assert.throws(() => takeLock(damaged), { code: 'lock_failed', message: /file is not a database.*remove the file/ });
  assert.throws(() => takeLock(join(folder, 'nothing', 'lock.db')), { code: 'lock_failed' });
});
