/** What becomes of keys when a change is cut off at any step, and of folders whose keys are not those of the journal. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { dataPaths } from '../../src/config/data-dir.ts';
import { nextKeyFile } from '../../src/config/key-files.ts';
import { randomSeed, writeSeedFile } from '../../src/config/secret-file.ts';
import { openBase } from '../../src/node/base.ts';
import { keyIdOf } from '../../src/node/own-keys.ts';
import { rotateKey } from '../../src/node/rotate-key.ts';
import { createFolder, type DataFolder } from '../support/data-folder.ts';

const DAY_MS = 86_400_000;
let folder: DataFolder;

beforeEach(async () => {
  folder = await createFolder('acme.example');
});
afterEach(() => folder.remove());

test('a next key that no statement speaks of is dropped', async () => {
  const file = nextKeyFile(dataPaths(folder.dir), 'log');
  const before = await vkey();
  writeSeedFile(file, 'log', randomSeed('log'));
  assert.equal(await vkey(), before);
  assert.equal(existsSync(file), false);
});

test('a change that fails is a failure of the call, not of the process, and changes nothing', async () => {
  const before = await vkey();
  await assert.rejects(rotateKey(folder.dir, 'log', { overlapMs: Number.NaN, actor: 'test' }), /no date/);
  assert.equal(await vkey(), before);
});

test('a change that was cut off before or between the renames is made at the next start', async () => {
  const paths = dataPaths(folder.dir);
  const old = readFileSync(paths.logKey);
  const { statement } = await rotateKey(folder.dir, 'log', { overlapMs: DAY_MS, actor: 'test' });
  const changed = readFileSync(paths.logKey);
  const former = join(paths.keys, 'former');

  // Before the first rename: both keys where they were.
  rmSync(former, { recursive: true });
  cpSync(paths.logKey, nextKeyFile(paths, 'log'));
  cpText(paths.logKey, old);
  assert.equal(await vkey(), statement.new);
  assert.equal(readdirSync(former).length, 1);
  assert.deepEqual(readFileSync(paths.logKey), changed);

  // Between the renames: the old one is away, the new one not there yet.
  cpSync(paths.logKey, nextKeyFile(paths, 'log'));
  rmSync(paths.logKey);
  assert.equal(await vkey(), statement.new);
  assert.deepEqual(readFileSync(paths.logKey), changed);
});

test('a key that cannot be put in its place keeps the node from starting, says why, and is there when it can', async () => {
  const paths = dataPaths(folder.dir);
  const old = readFileSync(paths.logKey);
  const { statement } = await rotateKey(folder.dir, 'log', { overlapMs: DAY_MS, actor: 'test' });
  const former = join(paths.keys, 'former', `log-${keyIdOf(statement.old)}.key`);
  rmSync(former);
  cpSync(paths.logKey, nextKeyFile(paths, 'log'));
  cpText(paths.logKey, old);
  // No file takes the place of a folder, whoever asks.
  mkdirSync(former);
  await assert.rejects(vkey(), /log\.next\.key: expected to put this key in the place of the log key.*Make room/);
  assert.deepEqual(readFileSync(paths.logKey), old);
  rmdirSync(former);
  assert.equal(await vkey(), statement.new);
});

test('a folder whose key was succeeded does not start', async () => {
  const { logKey } = dataPaths(folder.dir);
  const old = readFileSync(logKey);
  const { statement } = await rotateKey(folder.dir, 'log', { overlapMs: DAY_MS, actor: 'test' });
  cpText(logKey, old);
  await assert.rejects(
    vkey(),
    (error: Error) => error.message.includes(statement.new) && /newest copy/.test(error.message),
  );
});

test('an overlap that is over leaves no old key behind', async () => {
  await rotateKey(folder.dir, 'log', { overlapMs: 0, actor: 'test' });
  await rotateKey(folder.dir, 'witness', { overlapMs: 50, actor: 'test' });
  const former = join(dataPaths(folder.dir).keys, 'former');
  const started = Date.now();
  while (Date.now() < started + 60) await new Promise(setImmediate);
  await vkey();
  assert.deepEqual(existsSync(former) ? readdirSync(former) : [], []);
});

test('a second change of a node key waits for the first', async () => {
  const first = await rotateKey(folder.dir, 'node', { overlapMs: DAY_MS, actor: 'test' });
  assert.equal(first.kind, 'announced');
  const second = await rotateKey(folder.dir, 'node', { overlapMs: DAY_MS, actor: 'test' });
  assert.equal(second.kind, 'pending');
  assert.equal(second.statement.note, first.statement.note);
});

/** Starts over the folder. @returns the log key that it signs with */
async function vkey(): Promise<string> {
  await using owned = new AsyncDisposableStack();
  return (await openBase(folder.dir, {}, owned)).keys.log.vkey;
}

function cpText(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes, { mode: 0o600 });
}
