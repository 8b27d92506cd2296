/**
 * A snapshot that was made under load is put back after the node is lost: the mesh goes on, nobody sees a second history,
 * although everybody has seen more than the snapshot holds. Real nodes as processes, real commands.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dataPaths } from '../../src/config/data-dir.ts';
import { logVkeyIn } from '../support/log-vkey.ts';
import { MAIN } from '../support/node-process.ts';
import { factsOf, nameOf, RestoreMesh } from '../support/restore-mesh.ts';

const KILL_AT = fileURLToPath(new URL('../support/kill-at.ts', import.meta.url));

test('yesterday’s snapshot, made under load, put back by command: the mesh is rejoined, nothing forks, fsck is clean', async (t) => {
  let store = '';
  // Where root runs, files of a WORM folder cannot be removed before; hooks run in the order in which they are made.
  t.after(() => void spawnSync('chattr', ['-R', '-i', store]));
  const mesh = await RestoreMesh.start(t, [], ['worm.target=../worm', 'worm.interval_s=1', 'worm.backoff_s=1']);
  store = join(mesh.bench.root, 'worm');
  const [a, b, c] = mesh.nodes;
  const shipped = (): Promise<Worm> =>
    bench.until('everything is shipped', async () => {
      const { worm } = (await a.get('/v1/backups')).body as { readonly worm: Worm };
      return worm.manifests > 0 && worm.waiting.journal + worm.waiting.audit === 0 ? worm : undefined;
    });
  const { bench } = mesh;
  const vault = join(bench.root, 'vault');
  const shelf = join(bench.root, 'shelf');
  mkdirSync(shelf);
  cpSync(dataPaths(a.dir).keys, vault, { recursive: true });
  for (const node of mesh.nodes) await mesh.write(node, 12);
  await mesh.settle();

  // Killed just before it gets its name: nothing that could be taken for a snapshot.
  const order = join(bench.root, 'kill');
  writeFileSync(order, `before ${shelf}/2`);
  const args = ['--import', KILL_AT, MAIN, 'snapshot', 'create', shelf, '--data', a.dir];
  const killed = bench.spawn('snapshot create', args, 'pipe', { KILL_AT_FILE: order });
  await once(killed, 'exit');
  assert.equal(killed.signalCode, 'SIGKILL');
  assert.ok(
    readdirSync(shelf).every((name) => name.startsWith('.')),
    'what is left has no name',
  );
  assert.deepEqual(JSON.parse(await bench.cli(a, ['snapshot', 'list', shelf, '--json'])), { snapshots: [] });

  let isDone = false;
  const writing = (async () => {
    while (!isDone) await mesh.write(a, 3);
  })();
  const made = JSON.parse(await bench.cli(a, ['snapshot', 'create', shelf, '--json'])) as {
    readonly path: string;
    readonly journal_size: number;
  };
  const verified = JSON.parse(await bench.cli(a, ['snapshot', 'verify', made.path, '--json']));
  isDone = true;
  await writing;
  assert.deepEqual([verified.ok, verified.problems, verified.journal_size], [true, [], made.journal_size]);
  const [recorded] = await a.audit('event_type=snapshot_verified');
  assert.equal(recorded?.seq, verified.audit_seq);

  for (const node of [b, c, a]) {
    await mesh.write(node, 4);
    await mesh.settle();
  }
  for (const keeper of [b, c]) await mesh.noted(a, keeper);
  const size = await mesh.shown(a);
  assert.ok(size > made.journal_size);
  const before = await factsOf(a);
  const { manifests: left } = await shipped();

  await a.kill();
  const fresh = { dir: join(bench.root, 'restored') };
  const restore = ['restore', made.path, '--keys', vault, '--json'];
  const rehearsed = JSON.parse(await bench.cli(fresh, restore));
  assert.deepEqual([rehearsed.applied, rehearsed.entries], [false, made.journal_size]);
  assert.equal(readdirSync(bench.root).includes('restored'), false, 'a rehearsal writes nothing');
  const applied = JSON.parse(await bench.cli(fresh, [...restore, '--apply']));
  assert.equal(applied.applied, true, JSON.stringify(applied));
  mesh.putBack(a, fresh.dir);

  await a.start();
  assert.equal((await a.get('/v1/journal/head')).body.size, size, 'the missing end was given back');
  assert.deepEqual(await factsOf(a), before);
  for (const node of mesh.nodes) await mesh.write(node, 5);
  await mesh.settle();
  await mesh.shown(a);
  for (const node of mesh.nodes) {
    for (const event of ['federation_integrity_rejected', 'peer_suspended', 'own_history_forked'])
      assert.deepEqual(await node.audit(`event_type=${event}`), [], `${event} at ${nameOf(node)}`);
  }
  // What was shipped is gone on with by itself, under a manifest that says so.
  const { restores } = await shipped();
  const [resumed, ...more] = await a.audit('event_type=worm_export_resumed');
  assert.deepEqual([restores, more.length, await a.audit('event_type=worm_export_refused')], [1, 0, []]);
  assert.ok(Number(resumed?.detail?.['manifest']) >= left);
  for (const node of mesh.nodes) await node.stop();
  const verify = async (known: number): Promise<{ readonly code: number | null; readonly said: string }> => {
    const args = ['export', 'worm', 'verify', store, '--log-key', logVkeyIn(a.dir), '--restores', `${known}`, '--json'];
    const child = bench.spawn('worm verify', [MAIN, ...args], 'pipe');
    assert.ok(child.stdout);
    const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { code: child.exitCode, said };
  };
  const whole = await verify(1);
  const read = JSON.parse(whole.said);
  assert.deepEqual([whole.code, read.problems, read.restores.length], [0, [], 1]);
  assert.ok(read.ends.journal >= size, 'the entries that were given back are the ones that were shipped before');
  assert.equal((await verify(0)).code, 4, 'to whoever knows of no restore one is a problem');
  for (const node of mesh.nodes) assert.deepEqual((await node.fsck()).problems, []);
});

interface Worm {
  readonly manifests: number;
  readonly restores: number;
  readonly waiting: { readonly journal: number; readonly audit: number };
}
