/** `open`: what is printed, what the desktop is given, and that no desktop is no failure. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type AdminServer, startServer } from '../../../src/admin/server.ts';
import { writeDaemonFile } from '../../../src/config/daemon-file.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { writeSecretFile } from '../../../src/config/secret-file.ts';
import { type CliFixture, createCliFixture, type RunOptions } from '../../support/cli-fixture.ts';
import { until } from '../../support/until.ts';

const LINK = /^http:\/\/localhost:8765\/console\/sign-in\/link#[\w-]{43}\n$/;
let fixture: CliFixture;
let server: AdminServer;
before(async () => {
  fixture = await createCliFixture();
  server = await startServer({ api: fixture.api.api, host: '127.0.0.1', port: 0, behindProxy: false });
  writeDaemonFile(fixture.dir, { pid: process.pid, api: server.url, started_at: '2026-11-23T12:00:00Z' });
});
after(async () => {
  await server.close({ graceMs: 0 });
  await fixture.close();
});

const ALIVE: RunOptions = { isAlive: () => true };

test('without a desktop the link is printed, and no file is left', async () => {
  const ran = await fixture.run('open', ALIVE);
  assert.deepEqual([ran.code, LINK.test(ran.stdout)], [0, true], ran.stdout + ran.stderr);
  assert.match(ran.stderr, /^It opens a session of key [0-9a-f]{8} \(admin\), once, until /);
  assert.ok(!existsSync(dataPaths(fixture.dir).openPage));
  const json = await fixture.run('open --json', ALIVE);
  assert.deepEqual(Object.keys(json.json()).sort(), ['ends_at', 'key_id', 'name', 'url']);
});

test('a desktop is given a page for its owner alone; no program’s arguments hold the token', async () => {
  const bin = join(dirname(fixture.dir), 'bin');
  const seen = join(bin, 'seen');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\nprintf %s "$*" > '${seen}.tmp' && mv '${seen}.tmp' '${seen}'\n`, {
    mode: 0o755,
  });
  const env = { DISPLAY: ':0', PATH: `${bin}:/usr/bin:/bin` };
  const ran = await fixture.run('open', { ...ALIVE, env });
  assert.match(ran.stderr, /^The browser was asked to open it\. /);
  const page = dataPaths(fixture.dir).openPage;
  await until('the desktop is asked', () => existsSync(seen));
  assert.equal(readFileSync(seen, 'utf8'), page);
  assert.equal(statSync(page).mode & 0o777, 0o600);
  assert.ok(readFileSync(page, 'utf8').includes(`content="0; url=${ran.stdout.trim()}"`));

  const nothing: Record<string, string>[] = [
    { ...env, PATH: dirname(fixture.dir) },
    { ...env, SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' },
  ];
  for (const without of nothing) {
    const only = await fixture.run('open', { ...ALIVE, env: without });
    assert.deepEqual([only.code, only.stderr.startsWith('It opens')], [0, true], only.stderr);
  }
  assert.ok((await fixture.run('open --no-browser', { ...ALIVE, env })).stderr.startsWith('It opens'));
});

test('whose session it is, the key says; a program’s key makes none; without a daemon there is no console', async () => {
  const { secret, key } = fixture.api.keyStore.create(
    { name: 'rita', class: 'human', role: 'reader', permissions: ['read'] },
    Date.parse('2026-11-23T12:00:00Z'),
  );
  const file = join(fixture.dir, 'rita.key');
  writeSecretFile(file, secret);
  const ran = await fixture.run(`open --json --key-file ${file}`, ALIVE);
  assert.deepEqual([ran.json().key_id, ran.json().name], [key.id, 'rita']);

  writeSecretFile(join(fixture.dir, 'bot.key'), fixture.api.keys.ro);
  const bot = await fixture.run(`open --key-file ${join(fixture.dir, 'bot.key')}`, ALIVE);
  assert.deepEqual([bot.code, /link_for_people: expected a key of class human/.test(bot.stderr)], [1, true]);

  const none = await fixture.run('open');
  assert.deepEqual([none.code, /Start it: stigmem-peerd run --data DIR/.test(none.stderr)], [5, true], none.stderr);
});
