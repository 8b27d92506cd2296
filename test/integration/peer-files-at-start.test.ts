/** Peer files that change while the node does not run: what they say is in force at the next start, and on record. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { AuditRecord } from '../../src/journal/read-model.ts';
import { NAMED_KEY } from '../support/log-vkey.ts';
import { MeshNode } from '../support/mesh-node.ts';

const GLOBEX = 'stigmem://globex.example';
const HEAD = `node_id = "${GLOBEX}"\npeer_id = "12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue"\nlog_key = "${NAMED_KEY}"\n`;

test('a grant that is widened, an end that is put off, a file that is removed while the node is stopped: each has its record', async (t) => {
  const node = await MeshNode.create('acme.example');
  t.after(() => node.stop());
  const file = join(dataPaths(node.folder.dir).peers, 'globex.toml');
  /** What is on record of the peer file after one more start. What waits to be recorded is recorded when the node stops. */
  const recordsAfterStart = async (): Promise<readonly (readonly [string, unknown, unknown])[]> => {
    await node.start();
    await node.federation.decided;
    await node.halt();
    const db = new Database(dataPaths(node.folder.dir).journal, { readonly: true });
    const bodies = db
      .prepare<[string], string>('SELECT body FROM audit WHERE peer = ? ORDER BY seq')
      .pluck()
      .all(GLOBEX);
    db.close();
    return (bodies as unknown as string[]).map((body) => {
      const { event, detail } = JSON.parse(body) as AuditRecord;
      return [event, detail['share'], detail['found']] as const;
    });
  };
  writeFileSync(file, `${HEAD}share = ["public"]\n`);
  const added = ['peer_added', ['public'], undefined] as const;
  assert.deepEqual(await recordsAfterStart(), [added]);
  assert.deepEqual(await recordsAfterStart(), [added], 'the same file is no news');

  writeFileSync(file, `${HEAD}share = ["public", "company"]\n`);
  const widened = ['peer_changed', ['public', 'company'], 'at_start'] as const;
  assert.deepEqual(await recordsAfterStart(), [added, widened]);

  writeFileSync(file, `${HEAD}share = ["public", { feed = "company", not_after = 2090-01-01T00:00:00Z }]\n`);
  assert.deepEqual(await recordsAfterStart(), [added, widened, widened]);

  writeFileSync(file, 'nonsense');
  assert.equal((await recordsAfterStart()).length, 3, 'a file that cannot be read may be his');
  rmSync(file);
  assert.deepEqual((await recordsAfterStart()).at(-1), ['peer_removed', undefined, 'at_start']);
  assert.equal((await recordsAfterStart()).length, 4);
});
