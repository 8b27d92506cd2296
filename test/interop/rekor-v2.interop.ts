/** Rekor v2 (rekor-tiles) takes the signature of our anchor key over a checkpoint, and proves that it did. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { openCheckpoint } from '../../src/merkle/checkpoint.ts';
import { leafHash } from '../../src/merkle/hash.ts';
import { checkInclusion } from '../../src/merkle/inclusion.ts';
import { startRekorV2 } from './programs/rekor-v2.ts';
import { spki } from './programs/trusted-root.ts';
import { smallLog } from './small-log.ts';

const LOG = smallLog('acme.example', 3);
const rekor = await startRekorV2({ after });

async function submit(text: string, signature: Uint8Array): Promise<Response> {
  const digest = createHash('sha256').update(text).digest('base64');
  const publicKey = { rawBytes: Buffer.from(LOG.anchor.publicKey).toString('base64') };
  const verifier = { publicKey, keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
  const body = {
    hashedRekordRequestV002: { digest, signature: { content: Buffer.from(signature).toString('base64'), verifier } },
  };
  return fetch(`${rekor.url}/api/v2/log/entries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

test('an anchored checkpoint: inclusion and signature verify with our code and with @sigstore/verify', async () => {
  const text = LOG.text(1);
  const signature = LOG.anchor.sign(Buffer.from(text));
  const response = await submit(text, signature);
  const entry = JSON.parse(await response.text());
  assert.equal(response.status, 201, JSON.stringify(entry));

  const { inclusionProof } = entry;
  const head = openCheckpoint(inclusionProof.checkpoint.envelope, {
    origin: rekor.origin,
    key: spki(rekor.publicKey).subarray(-32),
  });
  assert.ok(head.ok, JSON.stringify(head));
  const index = Number(entry.logIndex ?? 0);
  const leaf = leafHash(Buffer.from(entry.canonicalizedBody, 'base64'));
  const path = (inclusionProof.hashes ?? []).map((hash: string) => Buffer.from(hash, 'base64'));
  assert.equal(checkInclusion(leaf, index, path, head.value.root, head.value.size), 'ok');

  const again = await submit(text, signature);
  assert.equal(again.status, 409, await again.text());
  assert.equal(again.headers.get('x-log-index'), String(index));
});
