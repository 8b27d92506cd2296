/** Rekor v2 (rekor-tiles) takes the signature of our anchor key over a checkpoint, and proves that it did. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openCheckpoint } from '../../src/merkle/checkpoint.ts';
import { leafHash } from '../../src/merkle/hash.ts';
import { checkInclusion } from '../../src/merkle/inclusion.ts';
import { startRekorV2 } from './programs/rekor-v2.ts';
import { spki } from './programs/trusted-root.ts';
import { postV2, type Signed, sigstoreVerify } from './rekor-requests.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 3);
const rekor = await startRekorV2({ after });

function signed(size: number): Signed {
  const text = LOG.text(size);
  return { text, signature: LOG.anchor.sign(Buffer.from(text)), publicKey: LOG.anchor.publicKey };
}

// biome-ignore lint/suspicious/noExplicitAny: a TransparencyLogEntry
async function entryOf(response: Response): Promise<any> {
  const body = await response.text();
  assert.equal(response.status, 201, body);
  return JSON.parse(body);
}

test('its proof verifies with our code and with that of Sigstore; twice the same is refused', async () => {
  const one = signed(1);
  const entry = await entryOf(await postV2(rekor.url, one));
  const { inclusionProof } = entry;
  const key = spki(rekor.publicKey).subarray(-32);
  const head = openCheckpoint(inclusionProof.checkpoint.envelope, { origin: rekor.origin, key });
  assert.ok(head.ok, JSON.stringify(head));
  const index = Number(entry.logIndex ?? 0);
  const leaf = leafHash(Buffer.from(entry.canonicalizedBody, 'base64'));
  const path = (inclusionProof.hashes ?? []).map((hash: string) => Buffer.from(hash, 'base64'));
  assert.equal(checkInclusion(leaf, index, path, head.value.root, head.value.size), 'ok');
  assert.equal(entry.logId.keyId, Buffer.from(rekor.logId).toString('base64'));

  sigstoreVerify(one, entry, rekor.trustedRoot, 0);
  assert.throws(() => sigstoreVerify({ ...one, text: LOG.text(2) }, entry, rekor.trustedRoot, 0), /VerificationError/);

  const again = await postV2(rekor.url, one);
  assert.deepEqual([again.status, again.headers.get('x-log-index')], [409, String(index)], await again.text());
});

test('down, then back: the log goes on where it was', async () => {
  const { logIndex } = await entryOf(await postV2(rekor.url, signed(2)));
  await rekor.server.stop();
  await assert.rejects(postV2(rekor.url, signed(3)), /fetch failed/);
  await rekor.server.start();
  const entry = await entryOf(await postV2(rekor.url, signed(3)));
  assert.equal(Number(entry.logIndex), Number(logIndex) + 1);
});
