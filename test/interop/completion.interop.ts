/** The scripts and the page in the programs that they are for: zsh, fish, man, mandoc, groff (Debian has all of them). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/journal-fixture.ts';
import { MAIN } from '../support/node-process.ts';

/** @throws if this machine does not have the program */
function run(program: string, args: readonly string[]): { readonly out: string; readonly code: number | null } {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { out: `${stdout}${stderr}`.trim(), code: status };
}

function printed(folder: string, ...args: readonly string[]): string {
  const { stdout, status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const file = join(folder, args.join('-'));
  writeFileSync(file, stdout);
  return file;
}

function withPeers(folder: string): string {
  const data = join(folder, 'data');
  mkdirSync(join(data, 'peers'), { recursive: true });
  for (const name of ['globex', 'initech']) writeFileSync(join(data, 'peers', `${name}.toml`), '');
  return data;
}

test('fish completes commands, choices and names of partners', (t) => {
  const folder = temporaryFolder(t);
  const script = printed(folder, 'completion', 'fish');
  const data = withPeers(folder);
  const ask = (line: string): string =>
    run('fish', ['--no-config', '-c', `source ${script}; complete -C '${line}'`]).out.replaceAll(/\t.*/g, '');
  assert.equal(ask('stigmem-peerd peer sh'), 'show');
  assert.equal(ask(`stigmem-peerd peer show --data ${data} `), 'globex\ninitech');
  assert.equal(ask('stigmem-peerd config explain api.p'), 'api.port');
  assert.deepEqual(ask('stigmem-peerd assert --scope ').split('\n').sort(), ['company', 'local', 'public', 'team']);
});

test('zsh loads the script and finds commands and names of partners', (t) => {
  const folder = temporaryFolder(t);
  const script = printed(folder, 'completion', 'zsh');
  const data = withPeers(folder);
  // zsh's own functions want a line editor; what is handed to them is what counts.
  const stubs = `compdef() {}; _describe() { print -rl -- \${(P)@[-1]} }; compadd() { print -rl -- \${(P)@[-1]:-$@} }; _files() {};`;
  const ask = (...words: readonly string[]): string =>
    run('zsh', [
      '-f',
      '-c',
      `${stubs} source ${script}; words=("$@"); CURRENT=\${#words}; _stigmem_peerd`,
      '_',
      ...words,
    ]).out;
  const commands = ask('stigmem-peerd', 'pe');
  assert.match(commands, /^peer:partners: /m);
  assert.match(commands, /^doctor:/m);
  assert.equal(ask('stigmem-peerd', 'peer', 'show', '--data', data, ''), 'globex\ninitech');
});

test('man, mandoc and groff find nothing to warn of on the manual page', (t) => {
  const page = printed(temporaryFolder(t), 'man');
  const shown = run('man', ['--warnings', '-l', page]);
  assert.match(shown.out, /^STIGMEM-PEERD\(1\)/);
  const lint = run('mandoc', ['-T', 'lint', '-W', 'warning', page]);
  assert.deepEqual(lint, { out: '', code: 0 });
  const groff = run('groff', ['-man', '-Tutf8', '-ww', '-z', page]);
  assert.deepEqual(groff, { out: '', code: 0 });
});
