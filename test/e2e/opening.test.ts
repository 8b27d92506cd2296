/** A start that takes long, since the journal comes from an older version: who asks is told the truth, and a kill costs nothing. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import * as app from '../../src/app.ts';
import { MIGRATIONS } from '../../src/journal/schema.ts';
import { runOnce } from '../support/cli-fixture.ts';
import { Bench, MAIN, type NodeProcess } from '../support/node-process.ts';

const HOLD = fileURLToPath(new URL('../support/hold-migration.ts', import.meta.url));
const NEWEST = MIGRATIONS.length;
/** Two migrations are due. */
const OLDER = NEWEST - 2;

test('while the journal is brought up to date the node lives, is not ready, and says how far it is', async (t) => {
  const bench = new Bench(t);
  const node = await (await bench.node('acme.example')).start();
  assert.equal((await node.post('/v1/facts', FACT)).status, 201);
  await node.stop();
  makeOlder(node);

  const hold = join(bench.root, 'hold');
  writeFileSync(hold, '');
  const args = [
    '--import',
    HOLD,
    MAIN,
    'run',
    '--data',
    node.dir,
    '--api-port',
    '0',
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
  ];
  const env = { HOLD_VERSION: String(NEWEST), HOLD_FILE: hold };
  const held = bench.spawn('held', args, 'pipe', env);
  await bench.until('the last migration is under way', () => (existsSync(`${hold}.held`) ? true : undefined));

  const { api } = JSON.parse(readFileSync(join(node.dir, 'run/daemon.json'), 'utf8')) as { api: string };
  for (const path of ['/livez', '/healthz']) assert.equal((await fetch(`${api}${path}`)).status, 200, path);
  const ready = await fetch(`${api}/readyz`);
  const { status, checks } = (await ready.json()) as {
    status: string;
    checks: readonly { name: string; detail: string }[];
  };
  assert.deepEqual([ready.status, status, checks[0]?.name], [503, 'not_ready', 'opening']);
  assert.match(checks[0]?.detail ?? '', new RegExp(`migration ${NEWEST} of ${NEWEST}: 50 % done`));
  const facts = await fetch(`${api}/v1/facts`);
  assert.deepEqual([facts.status, facts.headers.get('retry-after')], [503, '5']);

  const isAlive = (pid: number): boolean => pid === held.pid;
  const said = await runOnce(['status', '--data', node.dir], app, { isAlive });
  assert.equal(said.code, 5, said.stderr);
  assert.match(said.stderr, /the node is starting: .*50 % done/);

  held.kill('SIGKILL');
  await bench.until('it is dead', () => (held.signalCode === null ? undefined : true));
  assert.equal(versionOf(node), NEWEST - 1, 'what was under way is undone');
  rmSync(hold);
  await node.start();
  assert.equal((await node.get('/readyz')).status, 200);
  assert.equal((await node.get('/v1/facts')).body.total, 1);
  await node.stop();
  assert.deepEqual([versionOf(node), (await node.fsck()).problems], [NEWEST, []]);
});

const FACT = {
  entity: 'stigmem://acme.example/host/web1',
  relation: 'acme:status',
  value: { type: 'string', v: 'up' },
  source: 'stigmem://acme.example/operator',
  scope: 'public',
};

/** What the last two migrations made is taken out again. */
function makeOlder(node: NodeProcess): void {
  const db = new Database(join(node.dir, 'journal.db'));
  const later = MIGRATIONS.slice(OLDER).join('\n');
  for (const [, table, column] of later.matchAll(/ALTER TABLE (\w+) ADD COLUMN (\w+)/g))
    db.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  for (const [, table] of later.matchAll(/CREATE TABLE (\w+)/g)) db.exec(`DROP TABLE ${table}`);
  for (const [, index] of later.matchAll(/CREATE INDEX (\w+)/g)) db.exec(`DROP INDEX IF EXISTS ${index}`);
  db.pragma(`user_version = ${OLDER}`);
  db.close();
}

function versionOf(node: NodeProcess): number {
  const db = new Database(join(node.dir, 'journal.db'), { readonly: true });
  const version = Number(db.pragma('user_version', { simple: true }));
  db.close();
  return version;
}
