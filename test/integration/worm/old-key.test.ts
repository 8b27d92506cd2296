/** What the store says of keys that took over: to a copy from before, which can open nothing that came after. */
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningNode } from '../../../src/app.ts';
import { keyIdOf } from '../../../src/node/own-keys.ts';
import { rotateKey } from '../../../src/node/rotate-key.ts';
import { FolderStore } from '../../../src/worm/folder-store.ts';
import { shipStatements, statementsFrom } from '../../../src/worm/key-statements.ts';
import { createFolder } from '../../support/data-folder.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';
import { logVkeyIn } from '../../support/log-vkey.ts';
import { filesBelow } from '../../support/published.ts';
import { until } from '../../support/until.ts';
import { asker, type Backups, stage } from '../../support/worm-daemon.ts';

const NEVER = new AbortController().signal;

test('a copy from before a change of keys, with nothing but the store to ask, is held, and says which key it needs', async (t) => {
  const folder = await createFolder('example');
  let node: RunningNode | undefined;
  t.after(async () => {
    await node?.stop();
    folder.remove();
  });
  const { start } = stage(t, folder);
  // Nothing is shipped under the old key: the copy can open no manifest.
  node = await start({ 'worm.target': '' });
  assert.equal(await asker(folder, node).write(3), 201);
  await node.stop();
  const old = join(temporaryFolder(t), 'old');
  cpSync(folder.dir, old, { recursive: true });
  const { statement } = await rotateKey(folder.dir, 'log', { overlapMs: 0, actor: 'test' });
  node = await start();
  const ask = asker(folder, node);
  assert.equal(await ask.write(2), 201);
  await until('shipped', async () => {
    const { worm } = (await ask.get('/v1/backups')) as unknown as Backups;
    return worm.waiting.audit === 0 && /up to entry 6 /.test(worm.sentence);
  });
  await node.stop();
  rmSync(folder.dir, { recursive: true });
  cpSync(old, folder.dir, { recursive: true });
  node = await start();
  const copy = asker(folder, node);
  assert.equal(await copy.write(1), 503, 'nothing is written or signed');
  const { checks } = (await copy.get('/readyz')) as unknown as {
    readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  };
  const guard = checks.find(({ name }) => name === 'guard');
  const held = new RegExp(
    `before a change of keys: .*has to hold the log key ${keyIdOf(statement.new)}.* \\(3 are here, 6 were signed\\)`,
  );
  assert.match(guard?.detail ?? '', held);
});

test('statements are put once, each, and garbage in their place hides none of them', async (t) => {
  const out = join(temporaryFolder(t), 'worm');
  const store = new FolderStore(out, async () => {});
  const folder = await createFolder('example');
  t.after(() => folder.remove());
  const first = logVkeyIn(folder.dir);
  const notes: { readonly old: string; readonly note: string }[] = [];
  for (let i = 0; i < 3; i++) {
    const { statement } = await rotateKey(folder.dir, 'log', { overlapMs: 0, actor: 'test' });
    notes.push({ old: statement.old, note: statement.note });
  }
  const from = (key: string): Promise<readonly string[]> => statementsFrom(store, [key], folder.nodeId, NEVER);
  assert.deepEqual(await from(first), []);
  await shipStatements(store, notes.slice(0, 1), 0);
  const [path = ''] = filesBelow(out).keys();
  // Somebody was there first, at the place of the second one.
  await shipStatements(store, [{ old: notes[1]?.old ?? '', note: 'garbage' }], 0);
  await shipStatements(store, notes, 0);
  await shipStatements(store, notes, 0);
  assert.equal(filesBelow(out).size, 4, 'three, and the garbage');
  assert.deepEqual(
    await from(first),
    notes.map(({ note }) => note),
  );
  assert.deepEqual(await from(notes[2]?.old ?? ''), [notes[2]?.note]);
  // Where all places are taken, it is said that one has none.
  for (let i = 0; i < 8; i++) await shipStatements(store, [{ old: 'another', note: `garbage ${i}` }], 0);
  assert.equal(await shipStatements(store, notes, 0), null);
  const weakness = await shipStatements(store, [...notes, { old: 'another', note: notes[0]?.note ?? '' }], 0);
  assert.match(weakness ?? '', /a change of keys has no place there.* name a new, empty place/);
  assert.equal(filesBelow(out).size, 12);
  // Nor what is larger than any statement.
  rmSync(join(out, path));
  writeFileSync(join(out, path), 'x'.repeat(100_000));
  await shipStatements(store, notes, 0);
  assert.equal((await from(first)).length, 3);
});
