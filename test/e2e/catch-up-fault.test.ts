/** A node whose look-ups and words cannot be filled says so, lives on, and fills them when it can. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { JOURNAL_FILE } from '../../src/journal/files.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function queriesCheck(node: NodeProcess): Promise<Check | undefined> {
  const { checks } = (await node.get('/readyz')).body as { checks: readonly Check[] };
  return checks.find(({ name }) => name === 'queries');
}

test('words that cannot be written do not end the daemon', async (t) => {
  const bench = new Bench(t);
  const node = await bench.node('acme.example');
  // What a full disk does at this very write, and at no other.
  const file = new Database(join(node.dir, JOURNAL_FILE));
  file.exec(`CREATE TRIGGER no_room BEFORE INSERT ON state WHEN new.name = 'recalled'
    BEGIN SELECT RAISE(ABORT, 'no room for words'); END`);
  await node.start();
  const fact = {
    entity: 'stigmem://acme.example/host/web1',
    relation: 'acme:status',
    value: { type: 'text', v: 'axolotl' },
    source: 'stigmem://acme.example/operator',
    scope: 'public',
    confidence: 1,
  };
  assert.equal((await node.post('/v1/facts', fact)).status, 201);
  const failing = await bench.until('/readyz tells', async () => {
    const check = await queriesCheck(node);
    return check?.ok === false ? check : undefined;
  });
  assert.match(failing.detail, /no room for words/);
  const more = { ...fact, entity: 'stigmem://acme.example/host/web2' };
  assert.equal((await node.post('/v1/facts', more)).status, 201);

  file.exec('DROP TRIGGER no_room');
  file.close();
  await bench.until('/readyz is well again', async () => ((await queriesCheck(node))?.ok === true ? true : undefined));
  const { body } = await node.post('/v1/recall', { query: 'axolotl', scope: 'public' });
  assert.equal(body.facts.length, 2);
  assert.equal(await node.stop(), 0);
});
