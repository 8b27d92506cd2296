/** What deploy/ promises, run: the node works under it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliProcesses, Running } from '../support/cli-process.ts';
import { MAIN } from '../support/node-process.ts';
import { canConfine, confined, contained } from '../support/sandbox.ts';

const deployed = (path: string): string => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

/** Of PID and its members: `Name: value`. */
function statusOf(pid: number): (name: string) => string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}

function makeRootfs(folder: string): { readonly status: number | null; readonly stderr: string } {
  const script = fileURLToPath(new URL('../../deploy/container/rootfs.sh', import.meta.url));
  return spawnSync(script, [folder], { encoding: 'utf8' });
}

/** The process that `unshare` started, seen from outside. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

test('the node works in a read-only root without a shell, as a user without capabilities', async (t) => {
  if (!canConfine()) return t.diagnostic('not run: this machine lets nobody make namespaces');
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const dir = cli.dir('acme');
  const args = [MAIN, 'run', '--data', dir, '--api-port', '0', '--listen', '/ip4/127.0.0.1/tcp/0'];
  const running = new Running(confined(t, dir, args));
  await running.line(/ listens: api /);
  const pid = childOf(running.child.pid ?? 0);

  const status = statusOf(pid);
  assert.equal(status('Uid').split(/\s+/)[0], '65534');
  assert.equal(status('NoNewPrivs'), '1');
  for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) assert.match(status(set), /^0+$/, set);
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const writable = mounts
    .filter(([, , , , , options = '']) => options.split(',').includes('rw'))
    .map(([, , , , at]) => at);
  assert.deepEqual(
    writable.filter((at) => !['/dev/null', '/dev/urandom', '/proc'].includes(at ?? '')),
    [dir],
  );
  assert.deepEqual(
    readdirSync(`/proc/${pid}/root/`).filter((name) => /^s?bin$|^etc$|^home$|^root$/.test(name)),
    [],
  );

  // The daemon answers from in there; this command line is outside, and reads the token as root.
  const info = JSON.parse(readFileSync(join(dir, 'run', 'daemon.json'), 'utf8')) as { readonly api: string };
  const bearer = readFileSync(join(dir, 'keys', 'cli.token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const fact = {
    entity: 'e:1',
    relation: 'a:b',
    value: { type: 'string', v: 'v' },
    source: 'stigmem://acme.example/x',
  };
  const stored = await fetch(`${info.api}/v1/facts`, { method: 'POST', headers, body: JSON.stringify(fact) });
  assert.equal(stored.status, 201, await stored.text());
  assert.equal((await fetch(`${info.api}/readyz`)).status, 200);
  process.kill(pid, 'SIGHUP');
  process.kill(pid, 'SIGTERM');
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const fsck = await cli.run(['fsck', '--data', dir, '--json']);
  assert.equal(fsck.code, 0, fsck.stderr);
});

test('the unit is one that systemd takes, and leaves little open', (t) => {
  const unit = deployed('systemd/stigmem-peerd.service');
  const set = (name: string): string[] =>
    [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  for (const [name, value] of [
    ['NoNewPrivileges', 'yes'],
    ['CapabilityBoundingSet', ''],
    ['ProtectSystem', 'strict'],
    ['PrivateUsers', 'yes'],
    ['MemoryDenyWriteExecute', 'no'],
    ['SystemCallErrorNumber', 'EPERM'],
  ] as const)
    assert.deepEqual(set(name), [value], name);
  if (spawnSync('systemd-analyze', ['--version']).status !== 0)
    return t.diagnostic('systemd-analyze is not on this machine');
  const folder = mkdtempSync(join(tmpdir(), 'peerd-unit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'stigmem-peerd.service');
  // Of the commands it is looked whether they are there.
  writeFileSync(file, unit.replaceAll('/usr/local/bin/node /opt/stigmem-peerd/dist/main.js', process.execPath));
  const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  assert.equal(verified.status, 0, verified.stderr);
  assert.equal(verified.stderr.trim(), '');
  // Hundredths are given as a whole number: at most 1.5 of 10.
  const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=15', file], {
    encoding: 'utf8',
  });
  assert.equal(judged.status, 0, judged.stdout.split('\n').at(-2));
  assert.match(judged.stdout, /Overall exposure level for stigmem-peerd.service: 1\.[0-5] OK/);
});

test('the image holds all that a node needs and nothing to run besides', async (t) => {
  if (!MAIN.includes('/dist/'))
    return t.diagnostic('not run: the image is made of the built program, as `npm test` does it');
  if (!canConfine()) return t.diagnostic('not run: this machine lets nobody make namespaces');
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const made = makeRootfs(join(cli.root, 'made'));
  assert.equal(made.status, 0, made.stderr);
  const image = join(cli.root, 'made', 'rootfs');
  assert.deepEqual(readdirSync(join(image, 'bin')).sort(), ['node', 'stigmem-peerd']);
  assert.deepEqual(
    readdirSync(image).filter((name) => !/^(app|bin|dev|lib|lib64|proc|tmp|usr)$/.test(name)),
    [],
  );
  assert.deepEqual(readdirSync(join(cli.root, 'made', 'owned')), ['data']);
  assert.match(makeRootfs(join(cli.root, 'made')).stderr, /expected a folder that is not there yet/);

  mkdirSync(join(image, 'data'));
  const args = ['/bin/stigmem-peerd', 'run', '--data', '/data', '--api-port', '0', '--listen', '/ip4/127.0.0.1/tcp/0'];
  const running = new Running(contained(t, image, cli.dir('acme'), args));
  const line = await running.line(/ listens: api /);
  const api = /api (http:\S+),/.exec(line)?.[1];
  assert.equal((await fetch(`${api}/readyz`)).status, 200);
  process.kill(childOf(running.child.pid ?? 0), 'SIGTERM');
  assert.equal((await running.ended).code, 0);
});
