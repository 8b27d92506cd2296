import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs, {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeLeftBehind, writeFileAtomically } from '../../../src/config/atomic-file.ts';
import { readDaemonFile, removeDaemonFile, writeDaemonFile } from '../../../src/config/daemon-file.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import { nextKeyFile, promoteNextKey } from '../../../src/config/key-files.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { problemText } from '../../../src/config/problem.ts';
import {
  credentialFor,
  readSecretFile,
  readSeedFile,
  secretExists,
  writeSecretFile,
  writeSeedFile,
} from '../../../src/config/secret-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'peerd-files-'));
after(() => rmSync(dir, { recursive: true }));
const seed = new Uint8Array(32).map((_, index) => index);

function seedProblem(path: string, use: 'node' | 'log' = 'node'): string {
  const read = readSeedFile(path, use);
  assert.ok(!read.ok, 'was accepted');
  return problemText(read.error).replaceAll(path, 'KEY');
}

test('a seed reads back as written, from a file of its owner alone', () => {
  const path = join(dir, 'node.key');
  const umask = process.umask(0);
  writeSeedFile(path, 'node', seed);
  process.umask(umask);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, 'utf8'), /^stigmem-node-seed\/v1 [A-Za-z0-9+/]{43}=\n$/);
  assert.deepEqual(readSeedFile(path, 'node'), { ok: true, value: seed });
});

for (const mode of [0o640, 0o604, 0o620, 0o660, 0o666, 0o644, 0o610]) {
  test(`a key of mode ${mode.toString(8)} is refused with the command that mends it`, () => {
    const path = join(dir, 'open.key');
    writeSeedFile(path, 'node', seed);
    chmodSync(path, mode);
    assert.equal(
      seedProblem(path),
      `KEY: expected the node key made by init to be readable by its owner alone (0600), got 0${mode.toString(8)}. Run: chmod 600 KEY (and replace the key if others may have read it).`,
    );
    chmodSync(path, 0o400);
    assert.ok(readSeedFile(path, 'node').ok);
  });
}

test('a seed of one use is refused for the other, and what stands in a key file is never shown', () => {
  const path = join(dir, 'log.key');
  writeSeedFile(path, 'log', seed);
  const said = seedProblem(path, 'node');
  assert.match(said, /^KEY: expected one line "stigmem-node-seed\/v1 <32 bytes in base64>", got something else/);
  assert.ok(!said.includes(Buffer.from(seed).toString('base64')));
});

for (const content of [
  'stigmem-node-seed/v1 AAAA',
  `stigmem-node-seed/v1 ${Buffer.alloc(33).toString('base64')}`,
  `stigmem-node-seed/v1 ${Buffer.alloc(32).toString('base64')} `,
  `stigmem-node-seed/v1 ${Buffer.alloc(32).toString('base64').slice(0, -1)}`,
  `stigmem-node-seed/v1  ${Buffer.alloc(32).toString('base64')}`,
  '',
  'x'.repeat(5_000),
]) {
  test(`refuses a key file holding ${JSON.stringify(content.slice(0, 40))}`, () => {
    const path = join(dir, 'bad.key');
    writeSecretFile(path, content);
    assert.match(seedProblem(path), /^KEY: expected /);
  });
}

test('a missing key is told from one that cannot be opened', () => {
  const said = seedProblem(join(dir, 'none.key'));
  assert.equal(said, 'KEY: expected the node key made by init, got no such file. Restore it from a backup.');
});

test('a seed has 32 bytes', () => {
  assert.throws(() => writeSeedFile(join(dir, 'x'), 'log', new Uint8Array(31)), TypeError);
});

test('a secret is one line', () => {
  const path = join(dir, 'cli.token');
  writeSecretFile(path, 'smk_x');
  assert.deepEqual(readSecretFile(path, 'the token'), { ok: true, value: 'smk_x' });
});

test('a write that fails leaves the old file and no temporary one', () => {
  const folder = mkdtempSync(join(dir, 'atomic-'));
  const path = join(folder, 'f');
  writeFileAtomically(path, 'old', 0o600);
  assert.throws(() => writeFileAtomically(join(folder, 'none', 'f'), 'new', 0o600));
  assert.throws(() => writeFileAtomically(folder, 'new', 0o600));
  assert.deepEqual(readdirSync(folder), ['f']);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.endsWith('.tmp')),
    [],
  );
  assert.equal(readFileSync(path, 'utf8'), 'old');
});

test('what a writer that was killed has left is removed an hour later, and nothing else', () => {
  const folder = mkdtempSync(join(dir, 'left-'));
  const module = new URL('../../../src/config/atomic-file.ts', import.meta.url).href;
  const write = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.renameSync = () => process.kill(process.pid, 'SIGKILL');
    syncBuiltinESMExports();
    (await import(${JSON.stringify(module)})).writeFileAtomically(${JSON.stringify(join(folder, 'log.key'))}, 'a key', 0o600);`;
  const died = spawnSync(process.execPath, ['--input-type=module', '-e', write], { encoding: 'utf8' });
  assert.equal(died.signal, 'SIGKILL', died.stderr);
  const [left = ''] = readdirSync(folder);
  assert.match(left, /^\.log\.key\..*\.tmp$/);
  for (const name of ['.editor.toml.swp', '.hidden.tmp', 'globex.toml']) writeFileSync(join(folder, name), '');
  removeLeftBehind([folder, join(folder, 'none')], Date.now());
  assert.equal(readdirSync(folder).length, 4, 'its writer may be at it still');
  removeLeftBehind([folder], Date.now() + 2 * 3_600_000);
  assert.deepEqual(readdirSync(folder).toSorted(), ['.editor.toml.swp', '.hidden.tmp', 'globex.toml']);
});

test('a key that takes the place of another is there whatever a power cut keeps: each name is durable before the next', (t) => {
  const paths = dataPaths(mkdtempSync(join(dir, 'keys-')));
  mkdirSync(paths.keys);
  writeSeedFile(paths.logKey, 'log', seed);
  writeSeedFile(
    nextKeyFile(paths, 'log'),
    'log',
    seed.map((byte) => byte + 1),
  );
  const done: string[] = [];
  const { fsyncSync, renameSync } = fs;
  t.mock.method(fs, 'fsyncSync', (handle: number) => {
    done.push(`sync ${readlinkSync(`/proc/self/fd/${handle}`).slice(paths.keys.length - 'keys'.length)}`);
    fsyncSync(handle);
  });
  t.mock.method(fs, 'renameSync', (from: string, to: string) => {
    done.push(`rename ${to.slice(paths.keys.length - 'keys'.length)}`);
    renameSync(from, to);
  });
  syncBuiltinESMExports();
  try {
    promoteNextKey(paths, 'log', '0badcafe');
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
  assert.deepEqual(done, [
    'rename keys/former/log-0badcafe.key',
    'sync keys/former',
    'sync keys',
    'rename keys/log.key',
    'sync keys',
  ]);
});

test('the daemon file counts while its process is there, and only its writer removes it', () => {
  const info = { pid: 4242, api: 'http://127.0.0.1:8765', started_at: '2027-01-01T00:00:00.000Z' };
  writeDaemonFile(dir, info);
  assert.deepEqual(
    readDaemonFile(dir, (pid) => pid === 4242),
    info,
  );
  assert.equal(
    readDaemonFile(dir, () => false),
    null,
  );
  removeDaemonFile(dir, 1);
  assert.deepEqual(
    readDaemonFile(dir, () => true),
    info,
  );
  removeDaemonFile(dir, 4242);
  assert.equal(
    readDaemonFile(dir, () => true),
    null,
  );
});

for (const content of [
  '',
  '{',
  '[]',
  '{"pid":"1","api":"x","started_at":"y"}',
  '{"pid":-1,"api":"x","started_at":"y"}',
  '{"pid":1}',
]) {
  test(`a daemon file holding ${content} is none`, () => {
    writeDaemonFile(dir, { pid: 1, api: '', started_at: '' });
    writeFileSync(join(dir, 'run', 'daemon.json'), content);
    assert.equal(
      readDaemonFile(dir, () => true),
      null,
    );
  });
}

test('the nearest word is one that could be meant', () => {
  const words = ['port', 'host', 'poll_interval_s', 'node_url'];
  assert.equal(nearest('prot', words), 'port');
  assert.equal(nearest('PORT', words), 'port');
  assert.equal(nearest('poll_interval', words), 'poll_interval_s');
  assert.equal(nearest('completely', words), null);
  assert.equal(nearest('x', []), null);
});

test('a secret has one place and one owner: the data folder, or the credentials of the service manager', (t) => {
  const own = mkdtempSync(join(dir, 'place-'));
  const path = join(own, 'log.key');
  const credentials = join(own, 'credentials');
  mkdirSync(credentials, { mode: 0o700 });
  const before = process.env['CREDENTIALS_DIRECTORY'];
  t.after(() => {
    if (before === undefined) delete process.env['CREDENTIALS_DIRECTORY'];
    else process.env['CREDENTIALS_DIRECTORY'] = before;
  });
  assert.ok(!secretExists(path));
  writeSeedFile(join(credentials, 'log.key'), 'log', seed);
  assert.ok(!secretExists(path), 'a folder that nobody named');
  process.env['CREDENTIALS_DIRECTORY'] = credentials;
  assert.ok(secretExists(path));
  assert.equal(credentialFor(path), join(credentials, 'log.key'));
  const read = readSeedFile(path, 'log');
  assert.ok(read.ok && Buffer.from(read.value).equals(seed));
  // systemd's access list shows as the group's bits; anybody else's are as bad as ever.
  chmodSync(join(credentials, 'log.key'), 0o440);
  assert.ok(readSeedFile(path, 'log').ok);
  for (const mode of [0o444, 0o460, 0o420]) {
    chmodSync(join(credentials, 'log.key'), mode);
    const refused = readSeedFile(path, 'log');
    assert.ok(!refused.ok && /0600/.test(refused.error.message), mode.toString(8));
  }
  chmodSync(join(credentials, 'log.key'), 0o400);
  writeSeedFile(path, 'log', seed);
  const twice = readSeedFile(path, 'log');
  assert.ok(!twice.ok);
  assert.match(twice.error.message, /in one place, got it here and as the credential/);
  process.env['CREDENTIALS_DIRECTORY'] = '';
  chmodSync(path, 0o640);
  assert.ok(!readSeedFile(path, 'log').ok, 'outside of the credentials the group may not');
});

test('a secret of another user is not used, whatever its mode', (t) => {
  if (process.getuid?.() !== 0) return t.diagnostic('not run: only root can make a file of another user');
  chmodSync(dir, 0o755);
  const path = join(dir, 'token');
  writeSecretFile(path, 'secret');
  const source = new URL('../../../src/config/secret-file.ts', import.meta.url).href;
  const code = `const { readSecretFile } = await import(${JSON.stringify(source)}); process.stdout.write(JSON.stringify(readSecretFile(${JSON.stringify(path)}, 'the token')))`;
  const as = (uid: number): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', code], { uid, gid: uid, encoding: 'utf8' }).stdout;
  chownSync(path, 65_534, 65_534);
  assert.match(as(65_534), /"value":"secret"/);
  chownSync(path, 65_533, 65_533);
  chmodSync(path, 0o604);
  assert.match(as(65_534), /belong to user 65534, who runs this, got a file of user 65533/);
});
