/** Many files that are copied: durable, for their owner alone, and while the loop turns. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyEach } from '../../../src/snapshot/files.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';

const FILES = 60;

test('each is there, and the loop turns while they are copied', async (t) => {
  const folder = temporaryFolder(t);
  const files = Array.from({ length: FILES }, (_, n) => ({
    from: join(folder, `${n}`),
    to: join(folder, 'to', `${n}`),
  }));
  for (const { from } of files) writeFileSync(from, `text of ${from}`, { mode: 0o644 });
  let turns = 0;
  const turn = (): void => {
    turns++;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  await copyEach(files, undefined);
  clearImmediate(next);
  assert.ok(turns >= FILES / 3, `${turns} turns`);
  for (const { from, to } of files)
    assert.deepEqual([readFileSync(to, 'utf8'), statSync(to).mode & 0o777], [`text of ${from}`, 0o600]);
});

test('one that cannot be copied, one that is there already, and a stop end it when no copy is under way', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'a'), 'a');
  const to = (name: string): { readonly from: string; readonly to: string } => ({
    from: join(folder, 'a'),
    to: join(folder, 'to', name),
  });
  await copyEach([to('b')], undefined);
  await assert.rejects(copyEach([to('b')], undefined), { code: 'EEXIST' });
  await assert.rejects(copyEach([{ ...to('c'), from: join(folder, 'none') }], undefined), { code: 'ENOENT' });
  await assert.rejects(copyEach([to('d')], AbortSignal.abort(new Error('stopped'))), /stopped/);
  assert.equal(existsSync(join(folder, 'to', 'd')), false);
});
