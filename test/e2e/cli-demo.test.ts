import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CliProcesses, processesIn } from '../support/cli-process.ts';
import { until } from '../support/until.ts';

const demoFolders = (root: string): string[] =>
  readdirSync(root).filter((name) => name.startsWith('stigmem-peerd-demo-'));

test('demo --once: every fact everywhere once, every lie refused, every journal clean, nothing left behind', async (t) => {
  const cli = new CliProcesses(t);
  const ended = await cli.run('demo --once --facts 1500 --json');
  assert.equal(ended.code, 0, ended.stderr);
  const { ok, faults, facts, refused } = ended.json();
  assert.deepEqual([ok, faults, facts], [true, [], 1_500]);
  assert.deepEqual(Object.keys(refused).sort(), [
    'cid_mismatch',
    'fact_rewritten',
    'hlc_future',
    'scope_escalated',
    'source_not_owned',
  ]);
  assert.match(
    ended.stderr,
    /refused cid_mismatch .*\n {2}claimed {2}cid sha256:[0-9a-f]{64}\n {2}computed cid sha256:[0-9a-f]{64}/,
  );
  assert.deepEqual(demoFolders(cli.root), []);
  assert.deepEqual(processesIn(cli.root), []);
});

test('Ctrl-C ends a demo: children stopped, folder removed', async (t) => {
  const cli = new CliProcesses(t);
  const demo = cli.start('demo --facts 400');
  await demo.line(/everything has arrived/);
  const visitor = /with the key (smk_\S+)/.exec(demo.stdout)?.[1];
  const url = /(http:\S+)\/docs/.exec(demo.stdout)?.[1];
  const audit = await fetch(`${url}/v1/federation/audit?reason=cid_mismatch`, {
    headers: { authorization: `Bearer ${visitor}` },
  });
  assert.equal(audit.status, 200);
  const ended = await demo.stop('SIGINT');
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /Stopped; nothing is left running and nothing is left on disk\.\n$/);
  assert.deepEqual(demoFolders(cli.root), []);
  assert.deepEqual(processesIn(cli.root), []);
});

test('a node that dies under the demo is named, with the end of its log, and the rest is cleared away', async (t) => {
  const cli = new CliProcesses(t);
  const demo = cli.start('demo --once --facts 100000 --keep');
  await demo.line(/loading real facts/);
  const [folder = ''] = demoFolders(cli.root);
  const { pid } = JSON.parse(readFileSync(join(cli.root, folder, 'mdn.example', 'run', 'daemon.json'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  const ended = await demo.ended;
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /mdn\.example ended by itself \(SIGKILL\)/);
  assert.match(ended.stderr, new RegExp(`The data folders are in .*${folder}`));
  await until('all children are gone', async () => processesIn(cli.root).length === 0);
  assert.deepEqual(demoFolders(cli.root), [folder]);
});

test('Ctrl-C ends a demo with --keep: what is said to be kept is there', async (t) => {
  const cli = new CliProcesses(t);
  const demo = cli.start('demo --facts 400 --keep');
  await demo.line(/everything has arrived/);
  const ended = await demo.stop('SIGINT');
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /Stopped; nothing is left running, and the data folders are kept\.\n$/);
  assert.equal(demoFolders(cli.root).length, 1);
});
