import assert from 'node:assert/strict';
import fs, { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from '../../../src/config/make-folders.ts';

const IS_LINUX = process.platform === 'linux';

test('folders are made with those above them; one that is there stays', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'peerd-folders-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'a', 'b', 'c');
  makeFolders(folder, 0o700);
  makeFolders(folder, 0o700);
  assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
  writeFileSync(join(root, 'file'), '');
  assert.throws(() => makeFolders(join(root, 'file'), 0o700), { code: 'EEXIST' });
  assert.throws(() => makeFolders(join(root, 'file', 'x'), 0o700), { code: 'ENOTDIR' });
});

test('a folder that somebody else makes in between is there', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'peerd-folders-'));
  const [parent, folder] = [join(root, 'a'), join(root, 'a', 'b')];
  const make = fs.mkdirSync;
  t.mock.method(fs, 'mkdirSync', (path: string, mode?: number) => {
    make(path, mode);
    if (path === parent) make(folder);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(root, { recursive: true, force: true });
  });
  makeFolders(folder, 0o700);
  assert.ok(statSync(folder).isDirectory());
});

if (IS_LINUX) {
  test('where nothing can be made that is an error, at once', () => {
    assert.throws(() => makeFolders('/proc/nothing', 0o700), { code: 'ENOENT' });
    assert.throws(() => makeFolders('/proc/nothing/here', 0o700), { code: 'ENOENT' });
  });
}
