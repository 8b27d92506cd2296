/** A disk that takes only the first bytes of a write: no file of the node may be replaced by what fitted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeFileAtomically } from '../../src/config/atomic-file.ts';
import { SignedHeadFile } from '../../src/journal/signed-heads.ts';
import { FolderTarget } from '../../src/publish/folder-target.ts';

const SRC = new URL('../../src/', import.meta.url).href;
/** Blocks that fit into a file; a write that goes further is cut there, as on a disk that is full. */
const FITS = 1;
const TOO_LONG = 4_096;

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-full-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the statements in a process whose files may grow to {@link FITS} blocks. */
function onFullDisk(script: string): ReturnType<typeof spawnSync> {
  const node = [process.execPath, '--input-type=module', '-e', script];
  return spawnSync('sh', ['-c', `ulimit -f ${FITS} && exec "$@"`, 'sh', ...node], { encoding: 'utf8' });
}

function failed({ status, stderr }: ReturnType<typeof spawnSync>): void {
  assert.notEqual(status, 0, 'it says that all is written');
  assert.match(String(stderr), /EFBIG/);
}

test('a file of the node is whole or the old one', (t) => {
  const folder = scratch(t);
  const path = join(folder, 'key.json');
  writeFileAtomically(path, 'the old key', 0o600);
  const call = `writeFileAtomically(${JSON.stringify(path)}, 'x'.repeat(${TOO_LONG}), 0o600)`;
  failed(onFullDisk(`import { writeFileAtomically } from '${SRC}config/atomic-file.ts'; ${call}`));
  assert.equal(readFileSync(path, 'utf8'), 'the old key');
  assert.deepEqual(readdirSync(folder), ['key.json']);
});

test('the file of what was signed last is whole or the old one', (t) => {
  const path = join(scratch(t), 'signed-heads.json');
  SignedHeadFile.create(path);
  const head = `{ size: 1, root: 'root', note: 'n'.repeat(${TOO_LONG}) }`;
  const call = `SignedHeadFile.open(${JSON.stringify(path)}).set('journal', ${head})`;
  failed(onFullDisk(`import { SignedHeadFile } from '${SRC}journal/signed-heads.ts'; ${call}`));
  assert.equal(SignedHeadFile.open(path).last('journal'), null);
});

test('a published file is whole or the old one', async (t) => {
  const root = join(scratch(t), 'site');
  await new FolderTarget(root).replace('checkpoint', Buffer.from('the old note'), undefined);
  const call = `new FolderTarget(${JSON.stringify(root)}).writeOnce('tile', Buffer.alloc(${TOO_LONG}))`;
  failed(onFullDisk(`import { FolderTarget } from '${SRC}publish/folder-target.ts'; await ${call}`));
  assert.deepEqual(readdirSync(root), ['checkpoint']);
});
