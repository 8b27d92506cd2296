import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CliProcesses } from '../support/cli-process.ts';
import { until } from '../support/until.ts';

const WEB1 = 'stigmem://acme.example/host/web1';

test('an operator’s first hour: init, run, assert, query, status, keys, stop, and the same without a daemon', async (t) => {
  const cli = new CliProcesses(t);
  const made = await cli.run('init --data acme --node-id stigmem://acme.example --json');
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.json().node_id, 'stigmem://acme.example');
  assert.match((await cli.run('status --data acme')).stdout, /state +not running/);

  const daemon = await cli.node('acme');
  const { pid, api } = JSON.parse(readFileSync(join(cli.dir('acme'), 'run', 'daemon.json'), 'utf8'));
  assert.equal(pid, daemon.child.pid);
  assert.equal((await fetch(`${api}/healthz`)).status, 200);

  const second = await cli.run('run --data acme --api-port 0');
  assert.equal(second.code, 5, 'two daemons on one folder');
  assert.equal(second.stdout, '');

  const asserted = await cli.run(
    `assert --data acme --entity ${WEB1} --relation acme:status --value up --scope public --json`,
  );
  assert.equal(asserted.code, 0, asserted.stderr);
  const { id, cid } = asserted.json();
  assert.equal((await cli.run(`query ${cid} --data acme --json`)).json().id, id);
  const status = await cli.run('status --data acme --json');
  assert.equal(status.code, 0);
  assert.equal(status.json().daemon.pid, pid);
  assert.equal(status.json().readiness.status, 'ready');
  assert.equal(status.json().journal.size, 1);

  const key = (await cli.run('key create reader --permission read --data acme')).stdout.trim();
  const asReader = (path: string, init: RequestInit = {}) =>
    fetch(`${api}${path}`, { ...init, headers: { authorization: `Bearer ${key}` } });
  assert.equal((await asReader(`/v1/facts/${id}`)).status, 200);
  assert.equal((await asReader('/v1/admin/keys')).status, 403);
  assert.equal((await cli.run('key revoke reader --data acme')).code, 0);
  assert.equal((await asReader(`/v1/facts/${id}`)).status, 401);

  const fsckBeside = await cli.run('fsck --data acme --json');
  assert.equal(fsckBeside.code, 0, fsckBeside.stdout);

  const stopped = await daemon.stop('SIGTERM');
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.ok(!existsSync(join(cli.dir('acme'), 'run', 'daemon.json')));
  assert.equal((await cli.run(`query ${id} --data acme --json`)).json().cid, cid);
  assert.equal((await cli.run(`retract ${id} --data acme`)).code, 0);
  assert.equal((await cli.run('journal head --data acme --json')).json().size, 2);
  const clean = await cli.run('fsck --data acme --json');
  assert.equal(clean.code, 0, clean.stdout);
  assert.equal(clean.json().clean, true);
});

test('a daemon that was killed leaves nothing that has to be mended', async (t) => {
  const cli = new CliProcesses(t);
  const daemon = await cli.node('acme');
  await cli.run(`assert --data acme --entity ${WEB1} --relation acme:status --value up --scope public`);
  await daemon.stop('SIGKILL');
  assert.ok(existsSync(join(cli.dir('acme'), 'run', 'daemon.json')), 'a killed daemon cannot tidy up');
  const offline = await cli.run('status --data acme --json');
  assert.equal(offline.code, 0, offline.stderr);
  assert.equal(offline.json().daemon, null);
  assert.equal(offline.json().journal.size, 1);
  const again = await cli.node('acme');
  assert.equal((await cli.run('status --data acme --json')).json().daemon.pid, again.child.pid);
  assert.equal((await again.stop('SIGINT')).code, 0);
});

test('audit tail prints what happens while it happens, and ends with Ctrl-C', async (t) => {
  const cli = new CliProcesses(t);
  await cli.node('acme');
  const tail = cli.start('audit tail --data acme --after 0 --json');
  await cli.run('key create one --permission read --data acme');
  assert.equal(JSON.parse(await tail.line()).event_type, 'api_key_created');
  await cli.run('key revoke one --data acme');
  assert.equal(JSON.parse(await tail.line()).event_type, 'api_key_revoked');
  assert.equal((await tail.stop('SIGINT')).code, 0);
});

test('audit tail says so when the node stops', async (t) => {
  const cli = new CliProcesses(t);
  const daemon = await cli.node('acme');
  const tail = cli.start('audit tail --data acme --after 0');
  await cli.run('key create one --permission read --data acme');
  await tail.line(/api_key_created/);
  assert.equal((await daemon.stop()).code, 0);
  const ended = await tail.ended;
  assert.equal(ended.code, 5);
  assert.match(ended.stderr, /the node has stopped/);
});

test('a reader of the output that goes away is no failure', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const lines = Array.from({ length: 400 }, (_, n) =>
    JSON.stringify({
      entity: `e:${n}`,
      relation: 'r:r',
      value: { type: 'text', v: 'x'.repeat(500) },
      source: 's',
      scope: 'local',
    }),
  );
  assert.equal((await cli.run('import - --data acme', lines.join('\n'))).code, 0);
  const query = cli.start('query --all --json --data acme');
  query.child.stdout?.destroy();
  const ended = await query.ended;
  assert.equal(ended.code, 0);
  assert.equal(ended.stderr, '');
});

test('wrong configuration stops a daemon before it starts, with every problem', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const ended = await cli.run('run --data acme --api-host 0.0.0.0 --set log.levle=debug');
  assert.equal(ended.code, 5);
  assert.match(ended.stderr, /unknown setting "log\.levle". Did you mean log\.level\?/);
  assert.match(ended.stderr, /api\.host: "0\.0\.0\.0" can be reached from other machines/);
});

test('two organisations exchange facts with nothing but the command line', async (t) => {
  const cli = new CliProcesses(t);
  for (const name of ['acme', 'globex']) await cli.node(name);
  for (const [name, other] of [
    ['acme', 'globex'],
    ['globex', 'acme'],
  ] as const) {
    const { node_id, peer_id, log_key, addresses, keys } = (
      await cli.run(`peer show self --data ${other} --json`)
    ).json();
    assert.deepEqual(
      keys.map(({ use }: { use: string }) => use),
      ['log', 'audit', 'witness', 'anchor'],
    );
    const added = await cli.run(
      `peer add ${other} --data ${name} --node-id ${node_id} --peer-id ${peer_id} --log-key ${log_key} --address ${addresses.join(' ')} --share public --accept public`,
    );
    assert.equal(added.code, 0, added.stderr);
  }
  await cli.run(`assert --data acme --entity ${WEB1} --relation acme:status --value up --scope public`);
  await cli.run(`assert --data acme --entity ${WEB1} --relation acme:secret --value x --scope company`);
  await until('the fact is at globex', async () => {
    const { facts } = (await cli.run(`query --data globex --entity ${WEB1} --json`)).json();
    return (
      facts.length === 1 && facts[0].relation === 'acme:status' && facts[0].received_from === 'stigmem://acme.example'
    );
  });
  const listed = (await cli.run('peer list --data globex --json')).json();
  assert.equal(listed.running, true);
  assert.equal(listed.peers[0].status.name, 'acme');
  await until('globex says that acme is current', async () =>
    (await cli.run('peer list --data globex')).stdout.includes('current'),
  );
  const shown = (await cli.run('peer show acme --data globex')).stdout;
  assert.match(shown, /feeds +public 1\/1/);
  assert.match(shown, /pinned log key +acme\.example\/journal\//);

  const [{ id }] = (await cli.run(`query --data globex --entity ${WEB1} --json`)).json().facts;
  const notOurs = await cli.run(`retract ${id} --data globex`);
  assert.equal(notOurs.code, 1);
  assert.match(notOurs.stderr, /expected a fact of this node, got one that stigmem:\/\/acme\.example gave us/);
  assert.equal((await cli.run('peer remove acme --data globex')).code, 0);
  await until('acme is gone', async () => (await cli.run('peer list --data globex --json')).json().peers.length === 0);
});
