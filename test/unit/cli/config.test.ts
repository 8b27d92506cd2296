import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { SETTINGS } from '../../../src/config/settings.ts';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';

let cli: CliFixture;
beforeEach(async () => {
  cli = await createCliFixture();
});
afterEach(() => cli.close());

test('config check tells all problems of file, environment and peer files at once, and exits with 1', async () => {
  assert.equal((await cli.run('config check')).code, 0);
  const file = join(cli.dir, 'config.toml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('port = 8765', 'port = 99999').replace('[log]', '[log]\nlevl = 1'),
  );
  writeFileSync(join(cli.dir, 'peers', 'globex.toml'), 'node_id = "globex"\n');
  const bad = await cli.run('config check --json', { env: { STIGMEM_PEERD_TLOG_PUBLIC: 'maybe' } });
  assert.equal(bad.code, 1);
  const { ok, problems } = bad.json();
  assert.equal(ok, false);
  const all = problems
    .map(({ where, message, fix }: Record<string, string>) => `${where}: ${message}. ${fix}`)
    .join('\n');
  assert.match(all, /config\.toml:\d+: api\.port: expected a port/);
  assert.match(all, /Did you mean "?log\.level|levl/);
  assert.match(all, /STIGMEM_PEERD_TLOG_PUBLIC: tlog\.public: expected true or false/);
  assert.match(all, /globex\.toml/);
});

test('config check FILE judges a file before it is put in its place', async () => {
  const next = join(cli.dir, 'next.toml');
  writeFileSync(next, 'node_id = "stigmem://acme.example"\n[api]\nhost = "0.0.0.0"\n');
  const { code, stdout } = await cli.run(`config check ${next}`);
  assert.equal(code, 1);
  assert.match(stdout, /next\.toml:3: api\.host: "0\.0\.0\.0" can be reached from other machines/);
});

test('config show says of each value where it came from: default, file, environment, flag', async () => {
  writeFileSync(join(cli.dir, 'config.toml'), 'node_id = "stigmem://acme.example"\n[api]\nport = 1000\n');
  const { code, json } = await cli.run('config show --set tlog.public=true --json', {
    env: { STIGMEM_PEERD_LOG_LEVEL: 'warn' },
  });
  assert.equal(code, 0);
  const { settings } = json();
  assert.equal(settings.length, SETTINGS.length);
  const of = (key: string): unknown[] => {
    const { value, origin, where } = settings.find((one: { key: string }) => one.key === key);
    return [value, origin, where?.replace(/.*\//, '') ?? null];
  };
  assert.deepEqual(of('api.port'), [1000, 'file', 'config.toml:3']);
  assert.deepEqual(of('log.level'), ['warn', 'environment', 'environment variable STIGMEM_PEERD_LOG_LEVEL']);
  assert.deepEqual(of('tlog.public'), [true, 'flag', 'flag --set tlog.public']);
  assert.deepEqual(of('api.host'), ['127.0.0.1', 'default', null]);
  const changed = await cli.run('config show --changed', { env: { STIGMEM_PEERD_LOG_LEVEL: 'warn' } });
  assert.deepEqual(changed.stdout.match(/^[a-z_.]+(?= )/gm), ['node_id', 'api.port', 'log.level']);
});

test('config show shows no secret', async () => {
  const { stdout } = await cli.run('config show --json');
  for (const name of ['node.key', 'log.key', 'cli.token']) {
    const secret =
      readFileSync(join(cli.dir, 'keys', name), 'utf8')
        .trim()
        .split(' ')
        .at(-1) ?? '';
    assert.ok(secret.length > 10 && !stdout.includes(secret), name);
  }
});

test('config explain gives meaning, default, bounds, unit, variables and effect; here with a folder, without one too', async () => {
  appendFileSync(join(cli.dir, 'config.toml'), '');
  const { stdout } = await cli.run('config explain federation.poll_interval_s');
  assert.match(stdout, /^expects +seconds from/m);
  assert.match(stdout, /^bounds +\d+ to \d+$/m);
  assert.match(stdout, /^unit +seconds$/m);
  assert.match(stdout, /^environment +STIGMEM_PEERD_FEDERATION_POLL_INTERVAL_S,? ?/m);
  assert.match(stdout, /^takes effect +at the next start of the daemon$/m);
  assert.match(stdout, /^here +\d+ \(.*config\.toml:\d+\)$/m);
  const without = await cli.runBare(['config', 'explain', 'api.tls_cert_file', '--json']);
  assert.equal(without.code, 0);
  assert.equal(without.json().current, null);
  assert.match(without.json().effect, /SIGHUP/);
});

test('config explain of a typing error names the nearest setting', async () => {
  const { code, stderr } = await cli.runBare(['config', 'explain', 'api.prot']);
  assert.equal(code, 3);
  assert.match(stderr, /Did you mean api\.port\?/);
});

test('each setting can be explained', async () => {
  for (const { key } of SETTINGS) {
    const { code, json } = await cli.runBare(['config', 'explain', key, '--json']);
    assert.equal(code, 0, key);
    assert.ok(json().doc.length > 5 && json().effect.length > 5, key);
    if (json().kind === 'integer') assert.ok(json().bounds.min < json().bounds.max, key);
  }
});
