import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CliProcesses } from '../support/cli-process.ts';
import { selfSigned } from '../support/self-signed.ts';
import { until } from '../support/until.ts';

test('commands talk to a daemon behind HTTPS and to none that shows another certificate, over new files and bad ones', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const dir = cli.dir('acme');
  const put = ({ cert, key }: ReturnType<typeof selfSigned>): void => {
    writeFileSync(join(dir, 'cert.pem'), cert);
    writeFileSync(join(dir, 'key.pem'), key, { mode: 0o600 });
  };
  put(selfSigned());
  const config = join(dir, 'config.toml');
  const text = readFileSync(config, 'utf8');
  writeFileSync(
    config,
    text
      .replace('tls_cert_file = ""', 'tls_cert_file = "cert.pem"')
      .replace('tls_key_file = ""', 'tls_key_file = "key.pem"'),
  );

  const node = await cli.node('acme');
  const status = await cli.run('status --data acme --json');
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.json().daemon.api, /^https:/);

  // A daemon that shows another certificate than ours wrote down: the token must not be sent to it.
  const file = join(dir, 'run', 'daemon.json');
  const info = readFileSync(file, 'utf8');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(info), certificate: selfSigned().cert }));
  const other = await cli.run('status --data acme');
  assert.equal(other.code, 5);
  assert.match(other.stderr, /expected the daemon \(pid \d+\) to answer at https:.*, got: /);
  writeFileSync(file, info);

  // Files that cannot be served change nothing, lock nobody out, and are shown.
  writeFileSync(join(dir, 'cert.pem'), selfSigned().cert);
  node.child.kill('SIGHUP');
  let shown = await cli.run('status --data acme');
  await until('the bad files are told', async () => {
    shown = await cli.run('status --data acme');
    return shown.stdout.includes('certificate of the API: the new files are not served');
  });
  assert.match(shown.stdout, /is not the key of the certificate/);
  assert.equal(shown.code, 0);

  const next = selfSigned();
  put(next);
  await until(
    'the new certificate is served',
    async () => JSON.parse(readFileSync(file, 'utf8')).certificate === next.cert,
  );
  const renewed = await cli.run('status --data acme');
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.doesNotMatch(renewed.stdout, /certificate/);
});
