/** A whole daemon that ships and makes snapshots by itself; and what it has shipped keeps an old copy of it from signing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningNode } from '../../../src/app.ts';
import { logSignerOf, shelfOf } from '../../../src/node/snapshots.ts';
import { verifyWormTarget } from '../../../src/node/worm-export.ts';
import { manifestPath } from '../../../src/wire/worm-manifest.ts';
import { WORM_STATE_FILE } from '../../../src/worm/known-place.ts';
import { createFolder } from '../../support/data-folder.ts';
import { temporaryFolder } from '../../support/journal-fixture.ts';
import { until } from '../../support/until.ts';
import { asker, type Backups, stage } from '../../support/worm-daemon.ts';

test('it ships and makes checked snapshots by itself; an old copy with nobody else to ask is held by the store', async (t) => {
  const folder = await createFolder('example');
  let node: RunningNode | undefined;
  t.after(async () => {
    await node?.stop();
    folder.remove();
  });
  const { out, shelf, start } = stage(t, folder);
  node = await start();
  let ask = asker(folder, node);
  const worm = async (): Promise<Backups['worm']> => ((await ask.get('/v1/backups')) as unknown as Backups).worm;
  assert.equal(await ask.write(20), 201);
  await until('shipped', async () => /has everything up to entry 20 /.test((await worm()).sentence));
  const target = { kind: 'folder', path: out } as const;
  const { publicKey, name: origin } = logSignerOf(folder.dir);
  const trust = { keys: [publicKey], origin };
  const report = await verifyWormTarget(target, trust, { atLeast: 1, restores: 0, nowMs: Date.now() });
  assert.deepEqual([report.problems, report.ends.journal], [[], 20]);

  await until('a snapshot is made, restored and checked', () => shelfOf(folder.dir, shelf)[0]?.state === 'verified');
  await until('and on record', async () => {
    const { entries } = (await ask.get('/v1/federation/audit?event_type=snapshot_verified')) as unknown as {
      entries: readonly unknown[];
    };
    return entries.length === 1;
  });
  const metrics = await ask.text('/metrics');
  assert.match(metrics, /stigmem_peerd_snapshot_verified_age_seconds \d/);
  assert.match(metrics, /stigmem_peerd_worm_export_lag_seconds \d/);

  await node.stop();
  const old = join(temporaryFolder(t), 'old');
  cpSync(folder.dir, old, { recursive: true });
  node = await start();
  ask = asker(folder, node);
  assert.equal(await ask.write(21), 201);
  const shippedTo = async (): Promise<boolean> => /up to entry 41 /.test((await worm()).sentence);
  await until('shipped too', shippedTo);
  await node.stop();

  const putBack = async (): Promise<void> => {
    await node?.stop();
    rmSync(folder.dir, { recursive: true });
    cpSync(old, folder.dir, { recursive: true });
    node = await start();
    ask = asker(folder, node);
  };
  const held = async (): Promise<string> => {
    const { checks } = (await ask.get('/readyz')) as unknown as {
      checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
    };
    const guard = checks.find(({ name }) => name === 'guard');
    assert.equal(guard?.ok, false);
    assert.equal(await ask.write(1), 503, 'nothing is written or signed');
    return guard.detail;
  };
  await putBack();
  assert.match(await held(), /missing entries are held by no peer/);

  // Whoever may write there hides the first manifest, or puts something behind the newest.
  spawnSync('chattr', ['-R', '-i', out]);
  rmSync(join(out, manifestPath(1)));
  await putBack();
  assert.match(await held(), /missing entries are held by no peer/);
  writeFileSync(join(out, manifestPath(readdirSync(join(out, 'manifest')).length + 2)), 'garbage');
  await putBack();
  assert.match(await held(), /missing entries are held by no peer/);

  // All of them are hidden, and the copy has no file that remembers them: its own log does.
  rmSync(join(out, 'manifest'), { recursive: true });
  rmSync(join(old, WORM_STATE_FILE));
  await putBack();
  const { checks } = (await ask.get('/readyz')) as unknown as {
    checks: { name: string; ok: boolean; detail: string }[];
  };
  const guard = checks.find(({ name }) => name === 'guard');
  assert.equal(guard?.ok, false);
  assert.match(guard?.detail ?? '', /manifest\/000000000001\.note is gone/);
  await until('nothing is begun anew there', async () => /is not there any more/.test((await worm()).sentence));
  assert.equal(existsSync(join(out, 'manifest')), false);
});

test('put back from a copy it goes on by itself, on record once, and says so wherever somebody looks', async (t) => {
  const folder = await createFolder('example');
  let node: RunningNode | undefined;
  t.after(async () => {
    await node?.stop();
    folder.remove();
  });
  const { out, start } = stage(t, folder);
  node = await start();
  let ask = asker(folder, node);
  const backups = async (): Promise<Backups> => (await ask.get('/v1/backups')) as unknown as Backups;
  const audits = async (event: string): Promise<readonly { readonly detail: Readonly<Record<string, unknown>> }[]> =>
    ((await ask.get(`/v1/federation/audit?event_type=${event}`)) as unknown as { entries: [] }).entries;
  const isShipped = async (): Promise<boolean> => {
    const { sentence, waiting } = (await backups()).worm;
    return waiting.audit === 0 && /up to entry 5 /.test(sentence);
  };
  assert.equal(await ask.write(5), 201);
  await until('shipped', isShipped);
  await node.stop();
  const old = join(temporaryFolder(t), 'old');
  cpSync(folder.dir, old, { recursive: true });
  node = await start();
  ask = asker(folder, node);
  // Records of the audit log, which nobody can give back; no entry.
  for (const name of ['one', 'two', 'three']) assert.equal(await ask.addKey(name), 201);
  await until('the records are shipped', isShipped);
  await node.stop();
  const left = readdirSync(join(out, 'manifest')).length;

  rmSync(folder.dir, { recursive: true });
  cpSync(old, folder.dir, { recursive: true });
  for (let starts = 0; starts < 2; starts++) {
    node = await start();
    ask = asker(folder, node);
    await until('gone on with', async () => (await backups()).worm.manifests > left && (await isShipped()));
    const { worm } = await backups();
    assert.equal(worm.restores, 1);
    assert.match(
      worm.sentence,
      /; restored at .*: manifest \d+ goes on from manifest \d+; only in manifests? [\d to]+: audit records? \d/,
    );
    const [begun, ...more] = await audits('worm_export_resumed');
    assert.deepEqual([begun?.detail['manifest'], more.length], [left, 0]);
    assert.deepEqual(await audits('worm_export_refused'), []);
    assert.match(await ask.text('/metrics'), /stigmem_peerd_worm_restores 1\n/);
    if (starts === 0) await node.stop();
  }
  const { publicKey, name: origin } = logSignerOf(folder.dir);
  const trust = { keys: [publicKey], origin };
  const options = { atLeast: left + 1, restores: 1, nowMs: Date.now() };
  const report = await verifyWormTarget({ kind: 'folder', path: out }, trust, options);
  assert.deepEqual([report.problems, report.ends.journal, report.restores.length], [[], 5, 1]);
});
