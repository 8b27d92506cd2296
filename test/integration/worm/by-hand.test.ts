/** The export as a command, without a daemon that would ask whether this copy is the newest. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as app from '../../../src/app.ts';
import { type Ran, runOnce } from '../../support/cli-fixture.ts';
import { createFolder } from '../../support/data-folder.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';
import { logVkeyIn } from '../../support/log-vkey.ts';

test('put back from a copy it wants to be told so; then it goes on, and reading back names what is only before', async (t) => {
  const out = mkdtempSync(join(tmpdir(), 'peerd-worm-'));
  // Files there are immutable where that can be set.
  t.after(() => {
    spawnSync('chattr', ['-R', '-i', out]);
    rmSync(out, { recursive: true });
  });
  const folder = await createFolder('example');
  t.after(() => folder.remove());
  const run = (...args: readonly string[]): Promise<Ran> => runOnce([...args, '--data', folder.dir], app, {});
  const ship = (...more: readonly string[]): Promise<Ran> => run('export', 'worm', '--to', out, ...more);
  const happen = async (name: string): Promise<void> => {
    for (const args of [
      ['key', 'create', name, '--role', 'reader'],
      ['journal', 'head'],
    ]) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 0, stderr);
    }
  };
  await happen('one');
  assert.equal((await ship()).code, 0);
  const old = join(temporaryFolder(t), 'old');
  cpSync(folder.dir, old, { recursive: true });
  await happen('two');
  assert.match((await ship()).stdout, /it has 2 manifests/);

  rmSync(folder.dir, { recursive: true });
  cpSync(old, folder.dir, { recursive: true });
  await happen('three');
  const refused = await ship();
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /all that is here was there with manifest 1, and 2 are there.*--after-restore/s);
  const { manifests, restores } = (await ship('--after-restore', '--json')).json() as Record<string, number>;
  assert.deepEqual([manifests, restores], [3, 1]);
  assert.equal((await ship()).code, 0, 'it need be said once');

  const verify = ['export', 'worm', 'verify', out, '--log-key', logVkeyIn(folder.dir)];
  const read = await runOnce(verify, app, {});
  assert.equal(read.code, 0, read.stdout);
  assert.match(read.stdout, /restored at .*: manifest 3 goes on from manifest 1; only in manifest 2: audit record 2$/m);
  const strict = await runOnce([...verify, '--restores', '0'], app, {});
  assert.match(strict.stdout, /restore_unknown +restores that the chain names: 1, that are known: 0;/);
  assert.equal(strict.code, 4);
});
