import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCheckpoint, signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { appendSignature, checkCosignature, cosign, cosignatureTime } from '../../../src/merkle/cosignature.ts';
import { createLogSigner, verifyEd25519 } from '../../../src/merkle/ed25519.ts';
import { noteKeyId, parseNote, type SignedNote, signEd25519 } from '../../../src/merkle/note.ts';
import { leafOf, turned } from './slow-tree.ts';

const ORIGIN = 'acme.example/journal/5efc069d8f1c2c9e';
const signer = createLogSigner(ORIGIN, Buffer.alloc(32, 1));
const witness = createLogSigner('globex.example/witness', Buffer.alloc(32, 2));
const known = { name: witness.name, key: witness.publicKey };
const text = formatCheckpoint(ORIGIN, 300, leafOf(7));
const note = signCheckpoint(ORIGIN, 300, leafOf(7), signer);
const line = cosign(text, 1_767_229_200, witness);

function read(noteText: string): SignedNote {
  const parsed = parseNote(noteText);
  assert.ok(parsed.ok);
  return parsed.value;
}

test('a cosignature is time and signature over header, time and text', () => {
  assert.equal(Buffer.from(line.signature).readBigUInt64BE(), 1_767_229_200n);
  const message = Buffer.from(`cosignature/v1\ntime 1767229200\n${text}`);
  assert.equal(verifyEd25519(witness.publicKey, message, line.signature.subarray(8)), true);
  assert.equal(line.keyId, noteKeyId(witness.name, 4, witness.publicKey));
});

test('a line of the witness is found beside the others, and dated', () => {
  const cosigned = read(appendSignature(note, line));
  assert.deepEqual(checkCosignature(cosigned, known), { ok: true, value: { timeSeconds: 1_767_229_200 } });
  const twice = read(appendSignature(appendSignature(note, line), cosign(text, 1_767_229_300, witness)));
  assert.deepEqual(checkCosignature(twice, known), { ok: true, value: { timeSeconds: 1_767_229_300 } });
});

test('a checkpoint without a line of that witness is not cosigned by it', () => {
  const missing = { ok: false, error: 'cosignature_missing' };
  assert.deepEqual(checkCosignature(read(note), known), missing);
  const other = createLogSigner(witness.name, Buffer.alloc(32, 3));
  assert.deepEqual(checkCosignature(read(appendSignature(note, cosign(text, 1, other))), known), missing);
  // a plain signature with the same key is not a dated word
  assert.deepEqual(checkCosignature(read(appendSignature(note, signEd25519(text, witness))), known), missing);
});

test('no bit of a cosignature, its time included, can be turned', () => {
  for (let bit = 0; bit < 72 * 8; bit += 5) {
    const bad = { ...line, signature: turned(line.signature, bit) };
    const checked = checkCosignature(read(appendSignature(note, bad)), known);
    assert.deepEqual(checked, { ok: false, error: 'cosignature_invalid' });
  }
});

test('one bad line of the witness spoils its good ones, and another text has none', () => {
  const invalid = { ok: false, error: 'cosignature_invalid' };
  const bad = { ...line, signature: turned(line.signature) };
  assert.deepEqual(checkCosignature(read(appendSignature(appendSignature(note, line), bad)), known), invalid);
  const other = signCheckpoint(ORIGIN, 301, leafOf(7), signer);
  assert.deepEqual(checkCosignature(read(appendSignature(other, line)), known), invalid);
  for (const length of [1, 64, 71, 73]) {
    const cut = { ...line, signature: Buffer.concat([line.signature, Buffer.alloc(9)]).subarray(0, length) };
    assert.deepEqual(checkCosignature(read(appendSignature(note, cut)), known), invalid);
  }
});

test('times are whole seconds that a number holds', () => {
  for (const time of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => cosign(text, time, witness), RangeError);
  for (const time of [0, 2 ** 53 - 1]) assert.equal(cosignatureTime(cosign(text, time, witness).signature), time);
  const late = Buffer.from(line.signature);
  late.writeBigUInt64BE(2n ** 53n);
  assert.equal(cosignatureTime(late), undefined);
  assert.equal(cosignatureTime(Buffer.alloc(71)), undefined);
});
