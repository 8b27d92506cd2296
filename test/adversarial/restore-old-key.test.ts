/**
 * A node is put back from a copy made before its log key changed. Its peers hold the statement that says so; the new key is
 * nowhere but in the key backup. Real nodes as processes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dataPaths } from '../../src/config/data-dir.ts';
import { keyIdOf } from '../../src/node/own-keys.ts';
import { rotateKey } from '../../src/node/rotate-key.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';
import { assertStaysHeld, copyOf, guardCheck, putBack, writeFacts } from '../support/put-back.ts';

interface Lost {
  readonly bench: Bench;
  readonly a: NodeProcess;
  readonly b: NodeProcess;
  readonly copy: string;
  /** Of the new log key, eight hex digits. */
  readonly keyId: string;
  /** Where the new key's file is kept. */
  readonly keyBackup: string;
}

/** A has changed its log key after the copy, and B has followed it; then the copy is put back. 31 entries were signed. */
async function putBackOldKey(t: TestContext): Promise<Lost> {
  const bench = new Bench(t);
  const a = await bench.node('acme.example', ['guard.wait_s=3600']);
  const b = await bench.node('globex.example');
  await a.start();
  await b.start();
  b.writePeer('acme', a.asPeer({ accept: ['public'] }));
  a.writePeer('globex', b.asPeer({ share: ['public'] }));
  await writeFacts(bench, a, 0, 20);
  await b.peerUntil('acme', 'has the first facts', ({ accepted }) => accepted === 20);
  const copy = await copyOf(bench, a);
  await a.start();
  // Pages under the old key are among those that will be missing.
  await writeFacts(bench, a, 20, 5);
  await b.peerUntil('acme', 'has more', ({ accepted }) => accepted === 25);
  assert.equal(await a.stop(), 0);
  const { statement } = await rotateKey(a.dir, 'log', { overlapMs: 0, actor: 'test' });
  await a.start();
  await writeFacts(bench, a, 25, 5);
  await b.peerUntil('acme', 'has all', ({ accepted }) => accepted === 31);
  const keyBackup = join(bench.root, 'log.key');
  cpSync(dataPaths(a.dir).logKey, keyBackup);
  await a.kill();
  putBack(a, copy);
  await a.start();
  return { bench, a, b, copy, keyId: keyIdOf(statement.new), keyBackup };
}

const HELD =
  /^this copy is from before a change of keys: \S+log\.key has to hold the log key ([0-9a-f]{8}), which took over at .*11 entries are missing too \(20 are here, 31 were signed\)/;

/** All is back, under the new key, and B sees one history. */
async function assertGoesOn({ bench, a, b }: Lost): Promise<void> {
  await writeFacts(bench, a, 100, 5);
  assert.equal((await a.get('/v1/journal/head')).body.size, 36);
  const [restored] = await a.audit('event_type=restored');
  assert.deepEqual([restored?.detail?.['from_size'], restored?.detail?.['to_size']], [20, 31]);
  await b.peerUntil('acme', 'goes on', ({ accepted, state }) => accepted === 36 && state === 'current');
  assert.deepEqual(await b.audit('event_type=federation_integrity_rejected'), []);
  await a.stop();
  await b.stop();
  for (const node of [a, b]) assert.deepEqual((await node.fsck()).problems, [], node.authority);
}

test('the node says which key it needs and signs nothing; with the key it takes its missing end back by itself', async (t) => {
  const lost = await putBackOldKey(t);
  const { bench, a, copy, keyId, keyBackup } = lost;
  await assertStaysHeld(bench, a, HELD);
  const [learned] = await a.audit('event_type=key_succession_learned');
  assert.equal(learned?.peer_id, 'stigmem://globex.example');

  // It knows at its next start too, before anybody is asked.
  await a.kill();
  const [code] = await once(a.launch(), 'exit');
  assert.notEqual(code, 0);
  assert.match(bench.tails(), new RegExp(`Put the key ${keyId} back .*log\\.key`));

  putBack(a, copy);
  await a.start();
  await assertStaysHeld(bench, a, HELD);
  assert.equal(HELD.exec((await guardCheck(a)).detail)?.[1], keyId);
  cpSync(keyBackup, dataPaths(a.dir).logKey);
  await bench.until('it has started with the key', async () => {
    const { api } = JSON.parse(readFileSync(dataPaths(a.dir).daemon, 'utf8'));
    if (api === a.url) return undefined;
    a.movedTo(api);
    return true;
  });
  await assertGoesOn(lost);
});
