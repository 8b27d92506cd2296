import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CliProcesses } from '../support/cli-process.ts';
import { selfSigned } from '../support/self-signed.ts';

test('commands talk to a daemon behind HTTPS, and to none that shows another certificate', async (t) => {
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

  await cli.node('acme');
  const status = await cli.run('status --data acme --json');
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.json().daemon.api, /^https:/);

  // What listens there now is not what this folder's certificate says: the token must not be sent to it.
  put(selfSigned());
  const other = await cli.run('status --data acme');
  assert.equal(other.code, 5);
  assert.match(other.stderr, /expected the daemon \(pid \d+\) to answer at https:.*, got: /);
});
