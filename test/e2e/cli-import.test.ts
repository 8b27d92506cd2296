import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CliProcesses } from '../support/cli-process.ts';
import { until } from '../support/until.ts';

const LINES = 40_000;

function factLines(count: number): string {
  const line = (n: number): string =>
    JSON.stringify({
      entity: `stigmem://acme.example/item/${n}`,
      relation: 'acme:number',
      value: { type: 'number', v: n },
      source: 'stigmem://acme.example/import/test',
      scope: 'public',
    });
  return Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('');
}

test('an import killed halfway goes on, and every line is in the journal once', async (t) => {
  const cli = new CliProcesses(t);
  const daemon = await cli.node('acme');
  const file = join(cli.root, 'facts.jsonl');
  writeFileSync(file, factLines(LINES));
  const first = cli.start(`import ${file} --data acme`);
  await until('some batches are acknowledged', async () =>
    readdirSync(join(cli.dir('acme'), 'run')).some((name) => name.startsWith('import-')),
  );
  await first.stop('SIGKILL');
  const second = await cli.run(`import ${file} --data acme --json`);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stderr, /Going on after line \d+/);
  assert.equal(second.json().lines, LINES);
  assert.equal((await cli.run('journal head --data acme --json')).json().size, LINES);
  assert.equal((await daemon.stop()).code, 0);
  assert.equal((await cli.run('fsck --data acme')).code, 0);
});

test('an import goes on after the node was killed under it', async (t) => {
  const cli = new CliProcesses(t);
  const daemon = await cli.node('acme');
  const file = join(cli.root, 'facts.jsonl');
  writeFileSync(file, factLines(LINES));
  const first = cli.start(`import ${file} --data acme`);
  await until('some batches are acknowledged', async () =>
    readdirSync(join(cli.dir('acme'), 'run')).some((name) => name.startsWith('import-')),
  );
  await daemon.stop('SIGKILL');
  const broken = await first.ended;
  assert.notEqual(broken.code, 0);
  // Nothing runs now: the same command works on the files.
  const second = await cli.run(`import ${file} --data acme --json`);
  assert.equal(second.code, 0, second.stderr);
  assert.equal((await cli.run('journal head --data acme --json')).json().size, LINES);
  assert.equal((await cli.run('fsck --data acme')).code, 0);
});

test('bad lines of a pipe are reported with number and reason, the rest is stored, and the exit code says so', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const ended = await cli.run(
    'import - --data acme --json',
    `${factLines(3)}not json\n{"entity":"x"}\n${factLines(5)}`,
  );
  assert.equal(ended.code, 1);
  assert.deepEqual([ended.json().stored, ended.json().repeated, ended.json().bad], [5, 3, 2]);
  assert.match(ended.stderr, /^standard input:4: expected .*\nstandard input:5: relation: Field required/);
});
