import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { CliProcesses } from '../support/cli-process.ts';

const ASSERT = 'assert --data acme --entity e:1 --relation r:r --value up --scope public --json';

test('a value changed in the file is found by query and by fsck, with table, row and field', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const { id } = (await cli.run(ASSERT)).json();
  const db = new Database(join(cli.dir('acme'), 'journal.db'));
  const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[];
  for (const name of triggers) db.exec(`DROP TRIGGER "${name}"`);
  assert.equal(db.prepare("UPDATE entries SET value_v = 'down'").run().changes, 1);
  db.close();

  const query = await cli.run(`query ${id} --data acme --json`);
  assert.equal(query.code, 4, query.stderr);
  assert.equal(query.json().error.code, 'cid_mismatch');
  const fsck = await cli.run('fsck --data acme --json');
  assert.equal(fsck.code, 4);
  const { problems } = fsck.json();
  assert.ok(
    problems.some(
      ({ table, row, field }: { table: string; row: number; field: string }) =>
        table === 'entries' && row === 1 && field === 'value_v',
    ),
    JSON.stringify(problems),
  );
  assert.match((await cli.run('fsck --data acme')).stdout, /entries +1 +value_v/);
});

test('a key file that others can read, or that is gone, stops the node', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const key = join(cli.dir('acme'), 'keys', 'log.key');
  chmodSync(key, 0o640);
  const open = await cli.run('run --data acme');
  assert.equal(open.code, 5);
  assert.match(
    open.stderr,
    /log\.key: expected the log key made by init to be readable by its owner alone \(0600\), got 0640\. Run: chmod 600 /,
  );
  rmSync(key);
  const gone = await cli.run('run --data acme');
  assert.equal(gone.code, 5);
  assert.match(gone.stderr, /expected the log key made by init, got no such file\. Restore it from a backup\./);
});

test('another node’s config.toml is refused', async (t) => {
  const cli = new CliProcesses(t);
  await cli.run('init --data acme --node-id stigmem://acme.example');
  const config = join(cli.dir('acme'), 'config.toml');
  writeFileSync(config, readFileSync(config, 'utf8').replace('acme.example', 'globex.example'));
  const ended = await cli.run('run --data acme --api-port 0');
  assert.notEqual(ended.code, 0);
  assert.match(ended.stderr, /belongs to stigmem:\/\/acme\.example/);
});
