/** The witness of another project cosigns our checkpoints, and refuses what a witness has to refuse. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { checkCosignature } from '../../src/merkle/cosignature.ts';
import { parseNote } from '../../src/merkle/note.ts';
import { startLitewitness } from './programs/litewitness.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 40);
const witness = await startLitewitness({ after });
witness.addLog(LOG.vkey);

async function addCheckpoint(old: number, size: number, proof: readonly Buffer[], log = LOG): Promise<Response> {
  const body = [`old ${old}`, ...proof.map(encodeBase64), '', log.checkpoint(size)].join('\n');
  return fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
}

async function assertCosigned(response: Response, size: number): Promise<void> {
  const lines = await response.text();
  assert.equal(response.status, 200, lines);
  const note = parseNote(LOG.checkpoint(size) + lines);
  assert.ok(note.ok);
  const checked = checkCosignature(note.value, { name: witness.name, key: witness.publicKey });
  assert.ok(checked.ok && Math.abs(checked.value.timeSeconds - Date.now() / 1_000) < 60, JSON.stringify(checked));
}

test('first without a proof, then with one; the same again; a witness that was restarted remembers', async () => {
  await assertCosigned(await addCheckpoint(0, 10, []), 10);
  await assertCosigned(await addCheckpoint(10, 33, LOG.consistency(10, 33)), 33);
  await assertCosigned(await addCheckpoint(33, 33, []), 33);
  await witness.server.stop();
  await witness.server.start();
  const stale = await addCheckpoint(10, 40, LOG.consistency(10, 40));
  assert.deepEqual([stale.status, stale.headers.get('content-type')], [409, 'text/x.tlog.size']);
  assert.equal(await stale.text(), '33\n');
  await assertCosigned(await addCheckpoint(33, 40, LOG.consistency(33, 40)), 40);
});

test('a proof that does not fit: 422; a log it does not know: 404', async () => {
  const other = smallLog('other.example', 5);
  assert.equal((await addCheckpoint(0, 5, [], other)).status, 404);
  witness.addLog(other.vkey);
  assert.equal((await addCheckpoint(0, 2, [], other)).status, 200);
  assert.equal((await addCheckpoint(2, 5, LOG.consistency(2, 5), other)).status, 422);
});
