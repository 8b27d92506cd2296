/** Rekor v1 takes the signature of our anchor key over a checkpoint, and proves that it did and when. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { leafHash } from '../../src/merkle/hash.ts';
import { checkInclusion } from '../../src/merkle/inclusion.ts';
import { parseNote } from '../../src/merkle/note.ts';
import { startRekorV1 } from './programs/rekor-v1.ts';
import { entryOfV1, postV1, type Signed, sigstoreVerify, type V1LogEntry } from './rekor-requests.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 3);
const rekor = await startRekorV1({ after });

function signed(size: number): Signed {
  const text = LOG.text(size);
  return { text, signature: LOG.anchor.sign(Buffer.from(text)), publicKey: LOG.anchor.publicKey };
}

async function entryOf(response: Response): Promise<V1LogEntry> {
  const body = await response.text();
  assert.equal(response.status, 201, body);
  const [entry] = Object.values(JSON.parse(body));
  return entry as V1LogEntry;
}

test('its proof verifies with our code and with that of Sigstore; twice the same is refused', async () => {
  const one = signed(1);
  const entry = await entryOf(await postV1(rekor.url, one));
  const { inclusionProof } = entry.verification;
  const note = parseNote(inclusionProof.checkpoint);
  assert.ok(note.ok);
  // not parseCheckpoint(): Rekor v1 has spaces in its origin, which the name of a key cannot have
  const { treeSize, rootHash } = inclusionProof;
  const root = Buffer.from(rootHash, 'hex');
  assert.equal(note.value.text, `${rekor.origin}\n${treeSize}\n${root.toString('base64')}\n`);
  assert.equal(entry.logID, Buffer.from(rekor.logId).toString('hex'));
  const leaf = leafHash(Buffer.from(entry.body, 'base64'));
  const path = inclusionProof.hashes.map((hash) => Buffer.from(hash, 'hex'));
  assert.equal(checkInclusion(leaf, inclusionProof.logIndex, path, root, treeSize), 'ok');

  sigstoreVerify(one, entryOfV1(entry), rekor.trustedRoot, 1);
  const late = { ...entry, integratedTime: entry.integratedTime - 3_600 };
  assert.throws(() => sigstoreVerify(one, entryOfV1(late), rekor.trustedRoot, 1), /VerificationError/);

  const again = await postV1(rekor.url, one);
  assert.equal(again.status, 409, await again.text());
  const location = again.headers.get('location') ?? '';
  const kept = await fetch(`${rekor.url}${location}`);
  const [found] = Object.values((await kept.json()) as Record<string, V1LogEntry>);
  assert.equal(found?.body, entry.body);
});

test('down, then back: the log goes on where it was', async () => {
  const { logIndex } = await entryOf(await postV1(rekor.url, signed(2)));
  await rekor.server.stop();
  await assert.rejects(postV1(rekor.url, signed(3)), /fetch failed/);
  await rekor.server.start();
  const entry = await entryOf(await postV1(rekor.url, signed(3)));
  assert.equal(entry.logIndex, logIndex + 1);
});
