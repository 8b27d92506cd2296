/** Secrets that the service manager hands over, as the unit in deploy/ does it. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CliProcesses } from '../support/cli-process.ts';

test('a node runs with its keys among the credentials, changes none of them there, and takes no second copy', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const keys = join(cli.dir('acme'), 'keys');
  const credentials = join(cli.root, 'credentials');
  mkdirSync(credentials, { mode: 0o700 });
  process.env['CREDENTIALS_DIRECTORY'] = credentials;
  t.after(() => delete process.env['CREDENTIALS_DIRECTORY']);
  const before = await cli.run('peer show self --data acme --json');
  for (const name of ['node.key', 'log.key', 'witness.key', 'anchor.key', 'restore.key', 'cli.token']) {
    renameSync(join(keys, name), join(credentials, name));
    chmodSync(join(credentials, name), 0o440);
  }
  const node = await cli.node('acme');
  const fact = '--entity stigmem://acme.example/h --relation a:b --value x --scope public';
  const said = await cli.run(`assert --data acme ${fact}`);
  assert.equal(said.code, 0, said.stderr);
  assert.deepEqual((await cli.run('peer show self --data acme --json')).json().keys, before.json().keys);
  await node.stop();

  const rotated = await cli.run('keys rotate log --data acme');
  assert.equal(rotated.code, 5, rotated.stdout);
  assert.match(rotated.stderr, /the log key is the credential .*log\.key, which this program cannot change/);
  copyFileSync(join(credentials, 'log.key'), join(keys, 'log.key'));
  chmodSync(join(keys, 'log.key'), 0o600);
  const twice = await cli.run('run --data acme --api-port 0');
  assert.equal(twice.code, 5, twice.stdout);
  assert.match(twice.stderr, /in one place, got it here and as the credential/);
});
