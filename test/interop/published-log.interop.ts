/** A log that we publish as C2SP tlog-tiles is a log to others: to Tessera's fsck and to the code of Go's checksum database. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { tilePath } from '../../src/merkle/tiles.ts';
import { formatTlogProof } from '../../src/merkle/tlog-proof.ts';
import { temporaryFolder } from '../support/journal-fixture.ts';
import { sumdbCheckLog, sumdbCheckProof, tesseraFsck } from './programs/log-checkers.ts';
import { publish, smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 700);

for (const size of [1, 255, 256, 257, 700])
  test(`${size} entries: both verify every tile and entry`, async (t) => {
    const folder = temporaryFolder(t);
    publish(LOG, size, folder);
    const fsck = await tesseraFsck(t, folder, LOG.vkey);
    assert.ok(fsck.ok, fsck.output);
    const old = Math.ceil(size / 2);
    const sumdb = await sumdbCheckLog(folder, LOG.vkey, old);
    assert.deepEqual([sumdb.error, sumdb.leaves], [undefined, size]);
    assert.equal(sumdb.checkpoint?.root, encodeBase64(LOG.root(size)));
    assert.equal(sumdb.old_root, encodeBase64(LOG.root(old)));
  });

test('one bit of a tile, an entry, the checkpoint: both refuse', async (t) => {
  for (const path of [tilePath(0, 2, 188), tilePath('entries', 1), 'checkpoint']) {
    const folder = temporaryFolder(t);
    publish(LOG, 700, folder);
    const file = join(folder, path);
    const bytes = readFileSync(file);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const fsck = await tesseraFsck(t, folder, LOG.vkey);
    assert.equal(fsck.ok, false, `${path}: ${fsck.output}`);
    const sumdb = await sumdbCheckLog(folder, LOG.vkey);
    assert.notEqual(sumdb.error, undefined, path);
  }
});

test('a proof text for one entry verifies, and not for another one', async (t) => {
  const checkpoint = LOG.checkpoint(700);
  const proof = formatTlogProof({ index: 300, path: LOG.inclusion(300, 700), checkpoint });
  const good = await sumdbCheckProof(t, proof, LOG.vkey, LOG.entries[300] ?? Buffer.alloc(0));
  assert.deepEqual([good.ok, good.error], [true, undefined]);
  const bad = await sumdbCheckProof(t, proof, LOG.vkey, LOG.entries[301] ?? Buffer.alloc(0));
  assert.notEqual(bad.error, undefined);
});
