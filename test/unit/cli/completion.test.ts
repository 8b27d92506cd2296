import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliFixture, createCliFixture } from '../../support/cli-fixture.ts';

let cli: CliFixture;
let script: string;
before(async () => {
  cli = await createCliFixture();
  script = join(cli.dir, 'completion.bash');
  writeFileSync(script, (await cli.runBare(['completion', 'bash'])).stdout);
  for (const name of ['globex', 'initech']) writeFileSync(join(cli.dir, 'peers', `${name}.toml`), '');
});
after(() => cli.close());

/** What bash offers for the last word. */
function offered(...words: readonly string[]): readonly string[] {
  const ask = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _stigmem_peerd
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['--norc', '-c', ask, 'bash', script, 'stigmem-peerd', ...words],
    {
      encoding: 'utf8',
      cwd: cli.dir,
      env: { PATH: process.env['PATH'] ?? '' },
    },
  );
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

const CASES: readonly (readonly [words: readonly string[], offers: readonly string[]])[] = [
  [['pe'], ['peer']],
  [['peer', 'sh'], ['show']],
  [['assert', '--sco'], ['--scope']],
  [['assert', '--scope', 'p'], ['public']],
  [['assert', '--value', 'peer', '--scope', 'c'], ['company']],
  [['config', 'explain', 'api.po'], ['api.port']],
  [
    ['keys', 'rotate', ''],
    ['log', 'witness', 'anchor', 'node'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
];
for (const [words, offers] of CASES) {
  test(`bash completes ${words.join(' ')}|`, () => assert.deepEqual(offered(...words), offers));
}

test('bash offers the names of partners in the data folder, and none of another place', () => {
  assert.deepEqual(offered('peer', 'show', '--data', cli.dir, ''), ['globex', 'initech']);
  assert.deepEqual(offered('--data', cli.dir, 'peer', 'show', 'in'), []);
  assert.deepEqual(offered('peer', 'show', '--data', '/nowhere', ''), []);
});

test('bash runs nothing that stands in the name of a file, and offers only names that a partner may have', () => {
  const data = join(cli.dir, 'hostile');
  mkdirSync(join(data, 'peers'), { recursive: true });
  const names = ['globex', 'self', 'Initech', 'a b', 'in*', '$(:>pwned)', '`:>pwned`'];
  for (const name of names) writeFileSync(join(data, 'peers', `${name}.toml`), '');
  assert.deepEqual(offered('peer', 'show', '--data', data, ''), ['globex']);
  assert.deepEqual(offered('peer', 'show', '--data', data, '$('), []);
  assert.ok(!existsSync(join(cli.dir, 'pwned')));
});

test('every command is in the scripts and on the manual page, with its options', async () => {
  const { stdout: help } = await cli.runBare(['--help']);
  const names = [...(/Commands:\n([\s\S]*?)\n\n/.exec(help)?.[1] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map(
    ([, name = '']) => name,
  );
  assert.ok(names.length > 25, help);
  const page = (await cli.runBare(['man'])).stdout;
  const fish = (await cli.runBare(['completion', 'fish'])).stdout;
  for (const name of names.filter((one) => one !== 'help')) {
    assert.match(page, new RegExp(`^\\.SS "${name}\\b`, 'm'), name);
    assert.match(fish, new RegExp(` -a ${name} -d `), name);
  }
  assert.match(page, /scope <scope>/);
  assert.doesNotMatch(page, /^\.SS .*\n\n/m, 'each command says what it does');
});
