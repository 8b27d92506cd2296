import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { MAX_DOCUMENT_BYTES, maxNoteBytes, openDocument, signDocument } from '../../../src/wire/signed-document.ts';
import { MAX_SNAPSHOT_FILES, SNAPSHOT_MANIFEST, type SnapshotManifest } from '../../../src/wire/snapshot-manifest.ts';

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

function read(manifest: SnapshotManifest): ReturnType<typeof openDocument<SnapshotManifest>> {
  const note = Buffer.from(signDocument(SNAPSHOT_MANIFEST, manifest, SIGNER));
  assert.ok(note.length <= maxNoteBytes(SNAPSHOT_MANIFEST));
  return openDocument(SNAPSHOT_MANIFEST, note, [SIGNER.publicKey], SIGNER.name);
}

test('a manifest of as many files as there may be is read back, with the longest names and checkpoints; one of more is not made', () => {
  const longest = manifestOf(MAX_SNAPSHOT_FILES, (n) => `peers/${String(n).padStart(189, 'a')}.toml`);
  const log = { checkpoint: '\n'.repeat(16_384), root: 'r'.repeat(64), size: Number.MAX_SAFE_INTEGER };
  const files = longest.files.map((file) => ({ ...file, bytes: Number.MAX_SAFE_INTEGER }));
  const most = read({ ...longest, files, audit: log, journal: log });
  assert.ok(most.ok, JSON.stringify(most));
  assert.deepEqual([most.value.value.files.length, most.value.value.files[0]?.path.length], [8_192, 200]);
  assert.throws(
    () => read(manifestOf(MAX_SNAPSHOT_FILES + 1, (n) => `peers/p${n}.toml`)),
    /at "files": expected array of at most 8192, got array of 8193/,
  );
});

test('what is larger than any manifest is not parsed, nor is a large document of a form without a bound of its own', () => {
  const note = Buffer.from(
    signDocument(
      SNAPSHOT_MANIFEST,
      manifestOf(2_000, (n) => `peers/p${n}.toml`),
      SIGNER,
    ),
  );
  assert.ok(note.length > 131_072);
  const asOther = { ...SNAPSHOT_MANIFEST, maxBytes: MAX_DOCUMENT_BYTES };
  const { publicKey, name } = SIGNER;
  assert.equal(openDocument(asOther, note, [publicKey], name).ok, false);
  assert.throws(
    () =>
      signDocument(
        asOther,
        manifestOf(2_000, (n) => `peers/p${n}.toml`),
        SIGNER,
      ),
    RangeError,
  );
  const withLine = (bytes: number): Buffer =>
    Buffer.concat([note, Buffer.from(`— another ${Buffer.alloc(bytes).toString('base64')}\n`)]);
  const open = (bytes: number): boolean => openDocument(SNAPSHOT_MANIFEST, withLine(bytes), [publicKey], name).ok;
  assert.deepEqual([open(1_000), open(maxNoteBytes(SNAPSHOT_MANIFEST))], [true, false]);
});
