/** Digests: one text for each, nothing else is read, no other key's signature is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { formatNote, signEd25519 } from '../../../src/merkle/note.ts';
import {
  EMPTY_FOLD,
  type ExportDigest,
  foldRecord,
  openExportDigest,
  signExportDigest,
} from '../../../src/wire/export-digest.ts';

const ORIGIN = 'acme.example/journal/00000000000000aa';
const SIGNER = createLogSigner(ORIGIN, Buffer.alloc(32, 1));
const KEY = { origin: ORIGIN, key: SIGNER.publicKey };
const HASH = `sha256:${'ab'.repeat(32)}`;
const DIGEST: ExportDigest = {
  nodeId: 'stigmem://acme.example',
  first: 1,
  last: 120,
  head: HASH,
  root: Buffer.alloc(32, 9),
  sinks: [
    { sink: 'archive', count: 120, digest: HASH },
    { sink: 'siem', count: 0, digest: EMPTY_FOLD },
  ],
};
const NOTE = signExportDigest(DIGEST, SIGNER);

test('what is signed is read, under that key alone', () => {
  const opened = openExportDigest(NOTE, KEY);
  assert.deepEqual(opened, { ok: true, value: DIGEST });
  const other = createLogSigner(ORIGIN, Buffer.alloc(32, 2));
  const refused = openExportDigest(NOTE, { origin: ORIGIN, key: other.publicKey });
  assert.deepEqual(refused, { ok: false, error: 'digest_signature_invalid' });
  assert.equal(openExportDigest(NOTE, { ...KEY, origin: 'b.example/journal' }).ok, false);
});

test('no byte of it can be changed, left out or doubled', () => {
  for (let i = 0; i < NOTE.length; i++)
    for (const changed of [NOTE.slice(0, i) + NOTE.slice(i + 1), NOTE.slice(0, i) + NOTE[i] + NOTE.slice(i)]) {
      // The rest of the last line may be another signature line of nobody; the text must not differ.
      const opened = openExportDigest(changed, KEY);
      assert.ok(!opened.ok || changed === NOTE, `${i}`);
    }
});

test('numbers that not every reader holds, and a name that is no node, are no digest', () => {
  const text = NOTE.slice(0, NOTE.indexOf('\n\n') + 1);
  for (const changed of [
    text.replace('records 1 120', `records 1 ${2 ** 53}`),
    text.replace('archive 120', `archive ${2 ** 53}`),
    text.replace('stigmem://acme.example', 'acme.example'),
  ]) {
    assert.notEqual(changed, text);
    const note = formatNote({ text: changed, signatures: [signEd25519(changed, SIGNER)] });
    assert.deepEqual(openExportDigest(note, KEY), { ok: false, error: 'digest_malformed' }, changed);
  }
});

test('the fold depends on order, sequence and hash', () => {
  const one = foldRecord(EMPTY_FOLD, 1, HASH);
  assert.equal(one, foldRecord(EMPTY_FOLD, 1, HASH));
  const both = foldRecord(one, 2, HASH);
  assert.notEqual(both, foldRecord(foldRecord(EMPTY_FOLD, 2, HASH), 1, HASH));
  assert.notEqual(one, foldRecord(EMPTY_FOLD, 1, `sha256:${'cd'.repeat(32)}`));
  assert.match(both, /^sha256:[0-9a-f]{64}$/);
});
