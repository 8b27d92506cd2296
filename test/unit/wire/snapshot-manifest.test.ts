import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { openDocument, signDocument } from '../../../src/wire/signed-document.ts';
import { SNAPSHOT_MANIFEST, type SnapshotManifest } from '../../../src/wire/snapshot-manifest.ts';

const SEED = createHash('sha256').update('log of acme').digest();
const SIGNER = createLogSigner('acme.example/journal/00000000000000aa', SEED);

/** @param path of the n-th file */
function manifestOf(files: number, path: (n: number) => string): SnapshotManifest {
  const log = { checkpoint: null, root: 'cm9vdA==', size: 0 };
  const sha256 = `sha256:${'0'.repeat(64)}`;
  return {
    audit: log,
    files: Array.from({ length: files }, (_, n) => ({ bytes: 1, path: path(n), sha256 })),
    journal: log,
    keys: false,
    made_at: '2026-01-01T00:00:00.000000+00:00',
    node_id: 'stigmem://acme.example',
    software: 'stigmem-peerd/0.1.0',
    v: 1,
  };
}

test('a manifest of as many files as there may be is read back; one of more is not made', () => {
  const read = (files: number): ReturnType<typeof openDocument<SnapshotManifest>> => {
    const note = signDocument(
      SNAPSHOT_MANIFEST,
      manifestOf(files, (n) => `peers/p${n}.toml`),
      SIGNER,
    );
    return openDocument(SNAPSHOT_MANIFEST, Buffer.from(note), [SIGNER.publicKey], SIGNER.name);
  };
  const most = read(400);
  assert.ok(most.ok, JSON.stringify(most));
  assert.equal(most.value.value.files.length, 400);
  assert.throws(() => read(401), /at "files": expected array of at most 400, got array of 401/);
});
